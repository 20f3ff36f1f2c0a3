"""Orders jobs that price or label stored rows again, and says how far they are."""

from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from django.db import transaction
from typing_extensions import TypedDict

from settings import tasks
from settings.models import RowsUpdate, UpdateKind
from web.problems import Problem
from workspaces import audit
from workspaces.models import Workspace

MOST_STORED = 20
"""Of a workspace and kind: the newest."""
RUNS = "The rows are being changed already. Wait until that is done."
JOBS = {UpdateKind.PRICES: tasks.reprice, UpdateKind.LABELS: tasks.relabel}


class UpdateItem(TypedDict):
    id: UUID
    kind: Literal["prices", "labels"]
    state: Literal["running", "done"]
    start: datetime
    end: datetime
    percent: int
    """How much of the time between start and end is done."""
    rows: int
    """Calls that were priced again; for labels the rows that were changed."""
    changed_rows: int
    before_usd: float
    """What the calls cost that were priced again; 0 for labels."""
    after_usd: float
    unpriced_before: int
    unpriced_after: int
    requested_by: str
    requested_at: datetime
    finished_at: datetime | None


def update_item(update: RowsUpdate) -> UpdateItem:
    return {
        "id": update.pk,
        "kind": update.kind,  # type: ignore[typeddict-item]
        "state": "done" if update.finished_at else "running",
        "start": update.start,
        "end": update.end,
        "percent": update.percent,
        "rows": update.rows,
        "changed_rows": update.changed_rows,
        "before_usd": float(update.before_usd),
        "after_usd": float(update.after_usd),
        "unpriced_before": update.unpriced_before,
        "unpriced_after": update.unpriced_after,
        "requested_by": update.requested_by,
        "requested_at": update.requested_at,
        "finished_at": update.finished_at,
    }


def newest_update(workspace: Workspace, kind: UpdateKind) -> UpdateItem | None:
    update = RowsUpdate.objects.filter(workspace=workspace, kind=kind).first()
    return update_item(update) if update else None


@transaction.atomic
def order_update(workspace: Workspace, kind: UpdateKind, start: datetime, end: datetime, actor: str) -> RowsUpdate:
    """Puts the job into the queue. Raises a 409 Problem while one runs; one that is lost goes on where it was."""
    # The row of the workspace is the lock: two requests at once must not order two jobs.
    Workspace.objects.select_for_update().get(pk=workspace.pk)
    running = RowsUpdate.objects.filter(workspace=workspace, kind=kind, finished_at=None).first()
    now = datetime.now(UTC)
    if running:
        return ordered_again(running, now)
    reached = start if kind == UpdateKind.PRICES else end
    update = RowsUpdate.objects.create(
        workspace=workspace, kind=kind, start=start, end=end, reached=reached, requested_by=actor
    )
    delete_old(workspace, kind)
    JOBS[kind].defer(update_id=str(update.pk))
    after = {"from": start, "to": end}
    audit.record(workspace, actor, f"{kind}.refill", "stored rows", None, after)
    return update


def ordered_again(running: RowsUpdate, now: datetime) -> RowsUpdate:
    if not running.is_silent(now):
        raise Problem(409, RUNS)
    RowsUpdate.objects.filter(pk=running.pk).update(progress_at=now)
    JOBS[UpdateKind(running.kind)].defer(update_id=str(running.pk))
    return running


def delete_old(workspace: Workspace, kind: UpdateKind) -> None:
    of_kind = RowsUpdate.objects.filter(workspace=workspace, kind=kind)
    RowsUpdate.objects.filter(pk__in=list(of_kind.values_list("pk", flat=True)[MOST_STORED:])).delete()
