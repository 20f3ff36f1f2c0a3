from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from traces.verify import DAY, Difference, Period, stored_workspaces, verify


class Command(BaseCommand):
    help = "Compares all sums with the rows that they are made from. Ends with 1 if some differ."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("workspace", type=UUID, nargs="?", help="by default all of them, one after the other")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = [options["workspace"]] if options["workspace"] else stored_workspaces()
        number = sum(self.verify(workspace_id) for workspace_id in chosen)
        if number:
            raise CommandError(f"{number} sums differ from the rows.")
        self.stdout.write(f"All sums of {len(chosen)} workspaces are those of their rows.")

    def verify(self, workspace_id: UUID) -> int:
        total = 0
        for period, number, shown in verify(workspace_id):
            total += number
            for difference in shown:
                self.stdout.write(f"{workspace_id}  {sentence(difference)}")
            if number > len(shown):
                self.stdout.write(f"{workspace_id}  {days(period)}: {number - len(shown)} more differ")
        return total


def days(period: Period) -> str:
    first, last = period.start.date(), (period.end - DAY).date()
    return f"{first}" if first == last else f"{first} to {last}"


def sentence(difference: Difference) -> str:
    """Returns a line like `totals_daily  2026-11-26 00:00  operation=chat status=error: calls 5, of rows 6`."""
    key = " ".join(f"{name}={'none' if value is None else value}" for name, value in difference.key.items())
    values = ", ".join(f"{name} {stored}, of rows {of_rows}" for name, (stored, of_rows) in difference.values.items())
    return f"{difference.table}  {difference.bucket:%Y-%m-%d %H:%M}  {key}: {values}"
