from typing import Any

from django.apps import AppConfig
from django.db import connections, transaction
from django.db.models.signals import post_migrate

from traces import engines
from traces.compression import choose_compression


class TracesConfig(AppConfig):
    name = "traces"

    def ready(self) -> None:
        post_migrate.connect(complete_schema, sender=self)


def complete_schema(using: str, plan: Any = (), **signal: Any) -> None:
    """Completes the schema after `migrate`. After a migration it also collects statistics: a new index has none."""
    if using == "analytics":
        engines.forget_engines()
        engines.current().complete_schema()
        choose_compression()
        if plan:
            collect_statistics()


def collect_statistics() -> None:
    with transaction.atomic(using="analytics"), connections["analytics"].cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0; ANALYZE")
