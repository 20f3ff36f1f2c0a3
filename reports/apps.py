from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "reports"
    default_auto_field = "django.db.models.BigAutoField"
    api_operations = (
        "reports.operations.operations",
        "reports.exports.operations.operations",
        "reports.prometheus.operations",
        "reports.schedules.operations.operations",
    )
    """Functions that return operations of the API document, by their paths: see `analytics/openapi.py`."""

    def ready(self) -> None:
        from reports.kinds import cost, performance, statement, usage  # noqa: F401
