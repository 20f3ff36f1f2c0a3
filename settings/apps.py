from django.apps import AppConfig


class SettingsConfig(AppConfig):
    name = "settings"
    api_operations = (
        "settings.content.operations.operations",
        "settings.keys.operations.operations",
        "settings.labels.operations.operations",
        "settings.operations.operations",
        "settings.prices.operations.operations",
        "settings.usage.operations.operations",
    )
    """Functions that return operations of the API document, by their paths: see `analytics/openapi.py`."""
