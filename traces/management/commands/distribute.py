from typing import Any

from django.core.management.base import BaseCommand

from traces.engines import citus


class Command(BaseCommand):
    help = "Distributes the analytics tables over the nodes of a Citus cluster, by workspace. May be repeated."

    def handle(self, *args: Any, **options: Any) -> None:
        for table in citus.distribute():
            self.stdout.write(f"distributed {table}")
        self.stdout.write("All tables are distributed by workspace_id.")
