"""The one application of the sample project: tenants, their sites, content and bills."""
