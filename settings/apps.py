from django.apps import AppConfig


class SettingsConfig(AppConfig):
    name = "settings"
    api_operations = ("settings.operations.operations",)
    """Functions that return operations of the API document, by their paths: see `analytics/openapi.py`."""
