"""The work on reports that no request does."""

from datetime import datetime, timedelta

from reports.models import Export
from web.clock import check_clocks
from web.queue import task

EXPORTS_STORED = timedelta(days=400)


@task("reports.delete_old_exports")
def delete_old_exports(due_at: str) -> None:
    """Deletes the history of exports that began more than 400 days ago. Their files were never stored."""
    check_clocks(due_at)
    Export.objects.filter(started_at__lt=datetime.fromisoformat(due_at) - EXPORTS_STORED).delete()
