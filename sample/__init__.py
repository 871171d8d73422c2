"""Makes the sample application that drills and tests are run on, and its data."""
