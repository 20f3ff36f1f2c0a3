from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from traces import engines


class TracesConfig(AppConfig):
    name = "traces"

    def ready(self) -> None:
        post_migrate.connect(complete_schema, sender=self)


def complete_schema(using: str, **signal: Any) -> None:
    if using == "analytics":
        engines.forget_engines()
        engines.current().complete_schema()
