"""The work on stored traces that no request does."""

import time
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from traces import engines, refill
from traces.statistics import analyze_changed_tables
from web.clock import check_clocks
from web.queue import defer_one, for_each, task
from workspaces.models import Workspace

# Then other jobs have their turn.
REFILL_SECONDS = 60


@task("traces.delete_old_traces")
def delete_old_traces(due_at: str, subject: str) -> None:
    """Deletes traces, scores and their sums past their retention, of the workspaces in one time zone."""
    check_clocks(due_at)
    zones = dict(Workspace.objects.values_list("id", "time_zone"))

    def is_due(workspace_id: UUID) -> bool:
        # A workspace that was deleted has traces until they are old.
        return zones.get(workspace_id, "UTC") == subject

    engines.current().delete_old(datetime.fromisoformat(due_at), is_due)


@task("traces.close_hours")
def close_hours(due_at: str) -> None:
    """Closes the hours that no batch of traces closes, so that questions about them read few sums."""
    engines.current().close_hours(timezone.now())


@task("traces.follow")
def follow(due_at: str) -> None:
    """Fills the sums by environment, release, label and tool, from which filtered questions are answered."""
    engines.current().follow(timezone.now())


@task("traces.refill")
def refill_for_a_minute() -> None:
    """Fills the sums that the rows of an older version are not in, for a minute. Another job goes on after it."""
    end = time.monotonic() + REFILL_SECONDS

    def fill(workspace_id: UUID) -> None:
        for _ in refill.refill(workspace_id):
            if time.monotonic() > end:
                break

    for_each(refill.workspaces_to_refill(), fill)
    if refill.workspaces_to_refill():
        begin_refill()
    else:
        refill.drop_replaced()


def begin_refill() -> None:
    defer_one(refill_for_a_minute, refill_for_a_minute.name)


@task("traces.analyze_tables")
def analyze_tables(due_at: str) -> None:
    """Renews the planner's statistics of tables that were restored or have grown fast."""
    analyze_changed_tables()
