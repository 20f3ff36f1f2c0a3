import asyncio
from typing import Any

from django.core.management.base import BaseCommand

from jobs.worker import run


class Command(BaseCommand):
    help = "Runs background jobs and the clock until it is stopped. Any number of workers may run."
    requires_system_checks = ()  # They take memory, and the web server makes them.

    def handle(self, *args: Any, **options: Any) -> None:
        asyncio.run(run())
