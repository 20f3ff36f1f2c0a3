"""Carries changed prices and labels into stored rows, part by part.

What prices and reads spans is imported when a job runs: a worker without such jobs does not hold the price list.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from django.db.models import F
from django.utils import timezone

from settings.models import RowsUpdate
from traces.filters import LATEST
from web.queue import task
from workspaces.models import Workspace

if TYPE_CHECKING:
    from ingest.relabel import Changes
    from prices.repricing import Repriced

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SHORT = timedelta(days=3)
"""A shorter time is done hour by hour, so that people see progress."""


@task("settings.reprice")
def reprice(update_id: str) -> None:
    """Prices stored calls of a workspace again, a day after the other, after somebody has changed its prices."""
    update = unfinished(update_id)
    if update is None:
        return
    from ingest.resolve_again import resolve_again
    from prices.repricing import reprice as reprice_calls

    step = HOUR if update.end - update.start <= SHORT else DAY
    while update.reached < update.end:
        until = min(update.reached + step, update.end)
        done = reprice_calls(update.workspace_id, update.reached, until, False, resolve_again)
        add_prices(update, until, done)
    finish(update)


def unfinished(update_id: str) -> RowsUpdate | None:
    """Returns the order; None where it is done already, or its workspace is gone."""
    return RowsUpdate.objects.filter(pk=update_id, finished_at=None).first()


def add_prices(update: RowsUpdate, reached: datetime, done: "Repriced") -> None:
    total = done.total
    update.reached = reached
    RowsUpdate.objects.filter(pk=update.pk).update(
        reached=reached,
        progress_at=timezone.now(),
        rows=F("rows") + total.calls,
        changed_rows=F("changed_rows") + total.changed,
        before_usd=F("before_usd") + total.before_usd,
        after_usd=F("after_usd") + total.after_usd,
        unpriced_before=F("unpriced_before") + total.unpriced_before,
        unpriced_after=F("unpriced_after") + total.unpriced_after,
    )


def finish(update: RowsUpdate) -> None:
    RowsUpdate.objects.filter(pk=update.pk).update(finished_at=timezone.now())
    Workspace.change_epoch(update.workspace_id)  # what is cached has the rows before


@task("settings.relabel")
def relabel(update_id: str) -> None:
    """Gives stored rows of a workspace the labels that it has chosen since, day by day, the newest first."""
    update = unfinished(update_id)
    if update is None:
        return
    from ingest.relabel import relabel as relabel_days

    before = update.reached if update.reached < update.end else LATEST  # clocks of clients may be ahead
    for day, changes in relabel_days(update.workspace_id, dry_run=False, before=before):
        add_labels(update, day, changes)
    finish(update)


def add_labels(update: RowsUpdate, day: date, changes: "Changes") -> None:
    RowsUpdate.objects.filter(pk=update.pk).update(
        reached=max(datetime.combine(day, time(), UTC), update.start),
        progress_at=timezone.now(),
        rows=F("rows") + changes.rows,
        changed_rows=F("changed_rows") + changes.rows,
    )
