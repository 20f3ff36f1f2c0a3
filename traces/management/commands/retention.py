from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand

from traces import engines


class Command(BaseCommand):
    help = "Deletes traces and their sums past their retention. On TimescaleDB it sets the policies that delete them."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(engines.current().apply_retention(datetime.now(UTC)))
