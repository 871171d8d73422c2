"""Tries what is deployed: alerts, dashboards, timers and jobs."""
