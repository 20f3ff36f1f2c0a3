"""The work on insights that no request does."""

from uuid import UUID

from django.utils import timezone

from insights import savings
from web.queue import for_each, task
from workspaces.models import Workspace


@task("insights.compute_savings")
def compute_savings(due_at: str) -> None:
    """Looks for savings in the last four weeks of each workspace, and measures what was saved."""
    for_each(Workspace.objects.all(), lambda workspace: savings.compute(workspace, timezone.now()))


@task("insights.compute_savings_now")
def compute_savings_now(workspace_id: str) -> None:
    """Looks for the savings of one workspace, because somebody asked for it."""
    if workspace := Workspace.objects.filter(pk=UUID(workspace_id)).first():
        savings.compute(workspace, timezone.now())
