from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ingest.repricing import reprice
from workspaces.models import Workspace


def moment(text: str) -> datetime:
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


class Command(BaseCommand):
    help = "Prices stored calls again, by today's overrides and price list; shows the totals before and after."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workspace", type=UUID, required=True)
        parser.add_argument("--from", type=moment, required=True, dest="start", help="ISO 8601, UTC by default")
        parser.add_argument("--to", type=moment, required=True, dest="end", help="exclusive")
        parser.add_argument("--dry-run", action="store_true", help="only show the totals")

    def handle(self, *args: Any, **options: Any) -> None:
        if not Workspace.objects.filter(pk=options["workspace"]).exists():
            raise CommandError(f"There is no workspace {options['workspace']}.")
        totals = reprice(options["workspace"], options["start"], options["end"], options["dry_run"])
        self.stdout.write(f"calls     {totals.calls}")
        self.stdout.write(f"before    {totals.before_usd.normalize():f} USD, {totals.unpriced_before} unpriced")
        self.stdout.write(f"after     {totals.after_usd.normalize():f} USD, {totals.unpriced_after} unpriced")
        verb = "would change" if options["dry_run"] else "changed"
        self.stdout.write(f"{verb:<9} {totals.changed}")
