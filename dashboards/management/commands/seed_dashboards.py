from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from dashboards.seeds import seed


class Command(BaseCommand):
    help = "Makes and updates the dashboards that are files in DASHBOARDS_DIR. Each start does the same."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DASHBOARDS_DIR:
            raise CommandError("DASHBOARDS_DIR is not set.")
        result = seed()
        if result.errors:
            raise CommandError("\n".join(result.errors))
        self.stdout.write(f"{result.files} files")
