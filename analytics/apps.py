from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "analytics"
    api_operations = ("analytics.budget_operations.operations",)
    """Functions that return operations of the API document, by their paths: see `analytics/openapi.py`."""
