from typing import Any


class AnalyticsRouter:
    """Traces live in `analytics`, everything the ORM manages in `default`; nothing joins across."""

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return (db == "analytics") == (app_label == "traces")
