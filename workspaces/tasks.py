"""The background work on workspaces."""

from datetime import datetime, timedelta

from web.clock import check_clocks
from web.queue import task
from workspaces.models import AuditEntry

AUDIT_STORED = timedelta(days=730)


@task("workspaces.delete_old_audit")
def delete_old_audit(due_at: str) -> None:
    """Deletes what people changed more than two years ago from the audit."""
    check_clocks(due_at)
    AuditEntry.objects.filter(at__lt=datetime.fromisoformat(due_at) - AUDIT_STORED).delete()
