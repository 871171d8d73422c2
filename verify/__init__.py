"""The controls: all that an auditor reads."""
