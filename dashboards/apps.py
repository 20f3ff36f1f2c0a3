from django.apps import AppConfig


class DashboardsConfig(AppConfig):
    name = "dashboards"
    verbose_name = "Dashboards"
    api_operations = ("dashboards.operations.operations",)
    """Functions that return operations of the API document, by their paths: see `analytics/openapi.py`."""
