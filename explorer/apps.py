from django.apps import AppConfig


class ExplorerConfig(AppConfig):
    name = "explorer"
    api_operations = ("explorer.operations.operations", "explorer.entity_operations.operations")
    """Functions that return operations of the API document, by their paths: see `analytics/openapi.py`."""
