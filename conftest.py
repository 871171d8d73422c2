# In the order in which they import each other.
pytest_plugins = (
    "fixtures.plugin.options",
    "fixtures.plugin.outcomes",
    "fixtures.plugin.control_fixtures",
    "fixtures.plugin.stage_fixtures",
    "fixtures.plugin.subject_fixtures",
    "fixtures.plugin.proving",
    "fixtures.plugin.allure_labels",
    "fixtures.plugin.handing_over",
    "fixtures.plugin.session",
    "fixtures.plugin.workers",
    "fixtures.plugin.listing",
    "reports.plugin",
)
