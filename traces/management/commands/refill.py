from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from traces import engines, session_summaries, trace_totals
from traces.refill import Filled, drop_replaced, refill, refill_again, refill_scores_again, workspaces_to_refill
from traces.verify import stored_workspaces


class Command(BaseCommand):
    help = (
        "Fills the sums by environment, release, label, tool, trace and session for rows that an older version has "
        "stored, day by day; can be stopped and run again at any time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("workspace", type=UUID, nargs="?", help="by default every workspace that needs it")
        parser.add_argument(
            "--again",
            type=int,
            metavar="DAYS",
            help="sum the last days anew: an old process may have stored late rows",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = [options["workspace"]] if options["workspace"] else None
        to_sum_again = chosen or stored_workspaces() if options["again"] else []
        for workspace_id in to_sum_again:
            refill_scores_again(workspace_id, options["again"])
        if not engines.current().has_followers:
            self.stdout.write("This database fills its sums of traces itself, within some minutes.")
            return
        for workspace_id in to_sum_again:
            self.report(workspace_id, refill_again(workspace_id, options["again"]))
            since = timezone.now() - timedelta(days=options["again"])
            trace_totals.forget_since(workspace_id, since)
            session_summaries.forget_since(workspace_id, since)
        for workspace_id in chosen or workspaces_to_refill():
            self.report(workspace_id, refill(workspace_id))
        until = timezone.now() - trace_totals.LAG
        for workspace_id in chosen or trace_totals.workspaces_behind(until):
            trace_totals.fill_until(workspace_id, until)
        until = timezone.now() - session_summaries.LAG
        for workspace_id in chosen or session_summaries.workspaces_behind(until):
            session_summaries.fill_until(workspace_id, until)
        drop_replaced()
        self.stdout.write("All sums are filled.")

    def report(self, workspace_id: UUID, parts: Iterable[Filled]) -> None:
        rows: Counter[date] = Counter()
        for day, number in parts:
            if rows and day not in rows:
                self.show(workspace_id, rows)
            rows[day] += number
        self.show(workspace_id, rows)

    def show(self, workspace_id: UUID, rows: Counter[date]) -> None:
        for day, number in rows.items():
            self.stdout.write(f"{workspace_id}  {day}  {number} rows")
        rows.clear()
