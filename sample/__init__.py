"""The sample application that drills and tests are run on, its data, and how both are made."""
