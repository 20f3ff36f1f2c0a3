"""Makes, changes, copies, restores and deletes dashboards.

Whoever changes a document names the revision that they have seen. Another revision refuses the change, so two editors
never overwrite each other silently.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from dashboards import checking, revisions, rights
from dashboards.document import DashboardDocument
from dashboards.models import AUTHOR_LENGTH, TITLE_LENGTH, Dashboard, Star, Visibility
from web.problems import Problem
from workspaces.access import WorkspaceRequest, user_of
from workspaces.models import Workspace

MAX_DASHBOARDS = 500
"""Of a workspace."""
ANY_REVISION = "*"
COPY = " (copy)"
Change = Callable[[dict[str, Any]], dict[str, Any]]
"""Makes the next document of the stored one."""


# --- Making ---


@transaction.atomic
def create(
    request: WorkspaceRequest, document: DashboardDocument, visibility: str | None = None, own_id: UUID | None = None
) -> tuple[Dashboard, bool]:
    """Returns the dashboard, and whether it is new: an id of the client's own that exists already changes nothing."""
    lock(request.workspace)
    if own_id and (existing := Dashboard.objects.filter(pk=own_id).first()):
        if existing.workspace_id == request.workspace.pk:
            return rights.visible(request, own_id), False
        raise Problem(409, "This id is taken. Choose another, or none.")
    if Dashboard.objects.filter(workspace=request.workspace).count() >= MAX_DASHBOARDS:
        raise Problem(422, f"A workspace has at most {MAX_DASHBOARDS} dashboards.")
    author = rights.author_of(request)[:AUTHOR_LENGTH]
    dashboard = Dashboard(
        workspace=request.workspace,
        owner=user_of(request),
        made_by=author,
        visibility=visibility or Visibility.WORKSPACE,
        **({"id": own_id} if own_id else {}),
    )
    check_visibility(request, dashboard)
    fill(dashboard, document, author, timezone.now())
    return dashboard, True


def lock(workspace: Workspace) -> None:
    """Makes other changes of the workspace's dashboards wait until the transaction ends."""
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)


def fill(dashboard: Dashboard, document: DashboardDocument, author: str, now: datetime) -> None:
    """Saves a new dashboard with its first document."""
    dashboard.document = document.as_json()
    dashboard.name, dashboard.description = document.name, document.description
    dashboard.changed_by, dashboard.changed_at = author, now
    dashboard.save(force_insert=True)
    revisions.record(dashboard, "Made")


def check_visibility(request: WorkspaceRequest, dashboard: Dashboard) -> None:
    """Raises 422 where nobody, or somebody else, would be the only one who sees the dashboard."""
    user = user_of(request)
    if dashboard.visibility == Visibility.ME and (user is None or dashboard.owner != user):
        message = "only the user who owns a dashboard can keep it for themselves"
        raise Problem(422, "The dashboard is not valid.", [{"loc": ["body", "visibility"], "msg": message}])


def duplicate(request: WorkspaceRequest, source: Dashboard) -> Dashboard:
    """Returns a copy that belongs to whoever asks. What is no longer valid of the source is not copied."""
    document = checking.stored(source.document).document
    name = f"{document.name[: TITLE_LENGTH - len(COPY)]}{COPY}"
    visibility = source.visibility if user_of(request) else Visibility.WORKSPACE
    return create(request, document.model_copy(update={"name": name}), visibility)[0]


# --- Changing ---


@transaction.atomic
def change(
    request: WorkspaceRequest, dashboard_id: UUID, change: Change, seen: str | None, visibility: str | None = None
) -> Dashboard:
    """Changes the document, and who sees the dashboard. `seen` is the ETag of the revision that the client knows."""
    dashboard = locked(request, dashboard_id)
    rights.check_may_edit(dashboard)
    check_seen(dashboard, seen)
    if visibility and visibility != dashboard.visibility:
        dashboard.visibility = visibility
        check_visibility(request, dashboard)
        dashboard.save(update_fields=["visibility"])
    document = checking.parse_change(change(dashboard.document), dashboard.document)
    if summary := revisions.summary(dashboard.document, document):
        revisions.advance(dashboard, document, rights.author_of(request), timezone.now(), summary)
    return dashboard


def locked(request: WorkspaceRequest, dashboard_id: UUID) -> Dashboard:
    rights.visible(request, dashboard_id)
    return Dashboard.objects.select_for_update(no_key=True).select_related("workspace").get(pk=dashboard_id)


def check_seen(dashboard: Dashboard, seen: str | None) -> None:
    if seen is None:
        raise Problem(428, "Send If-Match with the ETag of the dashboard that you have read.")
    known = [tag.strip().removeprefix("W/") for tag in seen.split(",")]
    if ANY_REVISION not in known and dashboard.etag not in known:
        author = dashboard.changed_by or "Somebody"
        detail = f"{author} has changed this dashboard meanwhile. Read it again, then change it."
        raise Problem(412, detail, headers={"ETag": dashboard.etag})


@transaction.atomic
def restore(request: WorkspaceRequest, dashboard_id: UUID, number: int, seen: str | None) -> Dashboard:
    """Makes a new revision with the document of an older one."""
    dashboard = locked(request, dashboard_id)
    rights.check_may_edit(dashboard)
    if seen is not None:
        check_seen(dashboard, seen)
    document = revisions.find(dashboard, number).document
    if document != dashboard.document:
        summary = f"Restored revision {number}"
        revisions.advance(dashboard, document, rights.author_of(request), timezone.now(), summary)
    return dashboard


@transaction.atomic
def delete(request: WorkspaceRequest, dashboard_id: UUID) -> None:
    dashboard = locked(request, dashboard_id)
    rights.check_may_delete(request, dashboard)
    dashboard.delete()


# --- Stars ---


def star(request: WorkspaceRequest, dashboard_id: UUID, is_starred: bool) -> Dashboard:
    dashboard, user = rights.visible(request, dashboard_id), user_of(request)
    if user is None:
        raise Problem(403, "Only a user who is signed in has stars.")
    if is_starred:
        Star.objects.get_or_create(dashboard=dashboard, user=user)
    else:
        Star.objects.filter(dashboard=dashboard, user=user).delete()
    return dashboard
