from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connections, transaction

from traces import engine, timescaledb
from traces.retention import delete_old


class Command(BaseCommand):
    help = "Deletes traces and their sums past their retention. On TimescaleDB it sets the policies that do."

    def handle(self, *args: Any, **options: Any) -> None:
        kept = f"traces {settings.RETENTION_DAYS} days, their sums {settings.ROLLUP_RETENTION_DAYS} days"
        if engine.is_timescaledb():
            with transaction.atomic(using="analytics"), connections["analytics"].cursor() as cursor:
                timescaledb.set_policies(cursor)
            self.stdout.write(f"TimescaleDB's policies keep {kept}.")
        else:
            rows, sums = delete_old(datetime.now(UTC))
            self.stdout.write(f"Deleted {rows} traces and {sums} sums: {kept} are kept.")
