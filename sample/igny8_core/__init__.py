"""The sample project: a multi-tenant service that writes, bills for and publishes static sites."""
