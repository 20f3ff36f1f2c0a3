from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ingest.relabel import Changes, relabel
from workspaces.models import Workspace


class Command(BaseCommand):
    help = (
        "Gives stored rows the labels that the workspace has chosen since, day by day, the newest first; "
        "can be stopped and run again at any time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("workspace", type=UUID)
        parser.add_argument("--dry-run", action="store_true", help="only show what would change")

    def handle(self, *args: Any, **options: Any) -> None:
        if not Workspace.objects.filter(pk=options["workspace"]).exists():
            raise CommandError(f"There is no workspace {options['workspace']}.")
        verb = "would change" if options["dry_run"] else "changed"
        total = Changes()
        for day, changes in relabel(options["workspace"], options["dry_run"]):
            total.rows += changes.rows
            total.labels += changes.labels
            self.stdout.write(f"{day}  {changes.rows} rows {verb}")
        for line in report_lines(total, verb):
            self.stdout.write(line)


def report_lines(total: Changes, verb: str) -> Iterator[str]:
    yield f"in all {total.rows} rows {verb}"
    for label in sorted({label for label, _ in total.labels}):
        counts = (f"{kind} {total.labels[label, kind]}" for kind in ("added", "changed", "removed"))
        yield f"  {label}: {', '.join(counts)}"
