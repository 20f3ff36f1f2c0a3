from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "alerts"
    verbose_name = "Alerts"
    api_operations = ("alerts.operations.operations", "alerts.rule_operations.operations")
    """Functions that return operations of the API document, by their paths: see `analytics/openapi.py`."""
