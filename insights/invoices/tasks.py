"""Prices calls by what an invoice says, and deletes files that nobody imported.

The price list is imported when calls are priced: a worker that prices nothing does not hold it.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from insights.invoices.models import InvoiceUpload, Repricing
from web.clock import check_clocks
from web.queue import task
from workspaces.models import Workspace

if TYPE_CHECKING:
    from prices.repricing import Repriced

UPLOADS_STORED = timedelta(days=1)


@task("insights.reprice")
def reprice(repricing_id: str) -> None:
    """Prices the stored calls of a workspace again, after somebody made a price from an invoice."""
    repricing = Repricing.objects.filter(pk=repricing_id, finished_at=None).first()
    if repricing is None:
        return  # done already, or the workspace is gone
    from ingest.resolve_again import resolve_again
    from prices.repricing import reprice as reprice_calls

    done = reprice_calls(repricing.workspace_id, repricing.start, repricing.end, False, resolve_again)
    record(repricing, done)
    Workspace.change_epoch(repricing.workspace_id)  # what is cached has the costs before


def record(repricing: Repricing, done: "Repriced") -> None:
    total = done.total
    Repricing.objects.filter(pk=repricing.pk).update(
        finished_at=timezone.now(),
        changed_calls=total.changed,
        before_usd=total.before_usd,
        after_usd=total.after_usd,
    )


@task("insights.delete_old_uploads")
def delete_old_uploads(due_at: str) -> None:
    """Deletes files of providers that nobody imported within a day."""
    check_clocks(due_at)
    InvoiceUpload.objects.filter(created_at__lt=datetime.fromisoformat(due_at) - UPLOADS_STORED).delete()
