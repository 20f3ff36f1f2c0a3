from django.apps import AppConfig


class InsightsConfig(AppConfig):
    name = "insights"
    api_operations = (
        "insights.operations.operations",
        "insights.invoices.operations.operations",
        "insights.anomalies.operations.operations",
        "insights.savings.operations.operations",
        "insights.experiments.operations.operations",
    )
    """Functions that return operations of the API document, by their paths: see `analytics/openapi.py`."""
    chart_marks = ("insights.anomalies.marks.finding_marks",)
    """Functions that return what charts over time mark: see `analytics/marks.py`."""
