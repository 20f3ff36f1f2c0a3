from typing import Any


class AnalyticsRouter:
    """Puts the tables of traces into `analytics` and all others into `default`. No query joins the two databases."""

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return (db == "analytics") == (app_label == "traces")
