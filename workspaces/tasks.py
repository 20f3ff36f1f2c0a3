"""The background work on workspaces."""

from datetime import datetime, timedelta

from web.clock import check_clocks
from web.queue import task
from workspaces.models import AuditEntry, Invitation

AUDIT_STORED = timedelta(days=730)
INVITATIONS_STORED = timedelta(days=90)


@task("workspaces.delete_old_records")
def delete_old_records(due_at: str) -> None:
    """Deletes what people changed more than two years ago from the audit, and invitations that ended long ago."""
    check_clocks(due_at)
    now = datetime.fromisoformat(due_at)
    AuditEntry.objects.filter(at__lt=now - AUDIT_STORED).delete()
    Invitation.objects.filter(expires_at__lt=now - INVITATIONS_STORED).delete()
