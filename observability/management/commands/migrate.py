from typing import Any

from django.core.management.commands import migrate

from observability.unreleased import refuse_unreleased


class Command(migrate.Command):
    """Migrates as Django's command does, but first refuses a database that was made before version 0.1.0."""

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_unreleased(options["database"])
        super().handle(*args, **options)
