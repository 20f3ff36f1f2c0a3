import asyncio
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from procrastinate.exceptions import ConnectorException
from psycopg_pool import PoolTimeout

from jobs.worker import run

# Requests come first where they share a machine.
NICENESS = 10


class Command(BaseCommand):
    help = "Runs background jobs and the clock until it is stopped. Any number of workers may run."
    requires_system_checks = ()  # They take memory, and the web server makes them.

    def handle(self, *args: Any, **options: Any) -> None:
        os.nice(NICENESS)
        try:
            asyncio.run(run())
        except (ConnectorException, PoolTimeout) as error:
            raise CommandError(f"The database cannot be reached: {error.__cause__ or error}") from error
