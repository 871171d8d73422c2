"""Renders every document of a drill from its evidence alone."""
