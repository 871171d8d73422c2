# In the order in which they import each other.
pytest_plugins = (
    "fixtures.options",
    "fixtures.outcomes",
    "fixtures.given",
    "fixtures.allure_labels",
    "fixtures.session",
    "fixtures.shelf",
    "reports.plugin",
)
