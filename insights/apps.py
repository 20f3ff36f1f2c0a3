from django.apps import AppConfig


class InsightsConfig(AppConfig):
    name = "insights"
    api_operations = ("insights.operations.operations", "insights.experiments.operations.operations")
    """Functions that return operations of the API document, by their paths: see `analytics/openapi.py`."""
