import asyncio
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from procrastinate.exceptions import ConnectorException
from psycopg_pool import PoolTimeout

from jobs.worker import run

# Requests come first where they share a machine.
NICENESS = 10


class Command(BaseCommand):
    help = "Runs background jobs and the clock until it is stopped. Any number of workers may run."
    requires_system_checks = ()  # They take memory, and the web server makes them.

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--heartbeat", type=Path, help="a file that the worker touches every few seconds, unless it hangs"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        os.nice(NICENESS)
        try:
            asyncio.run(run(options["heartbeat"]))
        except (ConnectorException, PoolTimeout) as error:
            raise CommandError(f"The database cannot be reached: {error.__cause__ or error}") from error
