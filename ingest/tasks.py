"""Deletes old contents. This app knows which attributes are contents."""

from datetime import UTC, datetime

from django.conf import settings

from ingest.accepted_time import oldest_content
from ingest.attribute_names import is_content
from traces.contents import delete_contents
from web.clock import check_clocks
from web.queue import for_each, task
from workspaces.models import Workspace

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


@task("ingest.delete_old_contents")
def delete_old_contents(due_at: str, subject: str) -> None:
    """Deletes prompts and completions past their retention, of the workspaces in one time zone."""
    if settings.CONTENT_RETENTION_DAYS >= settings.RETENTION_DAYS:
        return  # They go with their rows.
    check_clocks(due_at)
    delete_contents_in_zone(subject, datetime.fromisoformat(due_at))


def delete_contents_in_zone(zone: str, now: datetime) -> None:
    for_each(Workspace.objects.filter(time_zone=zone), lambda workspace: delete_contents_of(workspace, now))


def delete_contents_of(workspace: Workspace, now: datetime) -> None:
    until = oldest_content(workspace.zone, now)
    since = workspace.contents_deleted_until or BEGINNING
    for done in delete_contents(workspace.id, since, until, is_content):
        Workspace.objects.filter(pk=workspace.pk).update(contents_deleted_until=done)
