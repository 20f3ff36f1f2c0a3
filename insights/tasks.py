"""The work on insights that no request does."""

from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from insights.anomalies import findings
from insights.experiments import tasks as experiments  # noqa: F401
from insights.invoices import tasks as invoices  # noqa: F401 (the worker looks for tasks here)
from insights.models import Finding
from web.clock import check_clocks
from web.queue import for_each, task
from workspaces.models import Workspace

FINDINGS_STORED = timedelta(days=400)


@task("insights.find_anomalies", retry_pauses=())
def find_anomalies(due_at: str) -> None:
    """Looks for unusual hours of the last day in all workspaces, and stores those that are new."""
    now = timezone.now()

    def look(workspace: Workspace) -> None:
        findings.store_new(workspace, now)

    for_each(Workspace.objects.all(), look)


@task("insights.delete_old_findings")
def delete_old_findings(due_at: str) -> None:
    """Deletes anomalies of more than 400 days ago."""
    check_clocks(due_at)
    Finding.objects.filter(ends_at__lt=datetime.fromisoformat(due_at) - FINDINGS_STORED).delete()


@task("insights.compute_savings")
def compute_savings(due_at: str) -> None:
    """Looks for savings in the last four weeks of each workspace, and measures what was saved."""
    for_each(Workspace.objects.all(), find_savings)


@task("insights.compute_savings_now")
def compute_savings_now(workspace_id: str) -> None:
    """Looks for the savings of one workspace, because somebody asked for it."""
    if workspace := Workspace.objects.filter(pk=UUID(workspace_id)).first():
        find_savings(workspace)


def find_savings(workspace: Workspace) -> None:
    from insights.savings import items  # imports the price list, which a worker that prices nothing does not hold

    items.compute(workspace, timezone.now())
