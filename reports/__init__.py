"""Every document of a drill, rendered from its evidence alone."""
