"""Holds the controls: all that an auditor reads."""
