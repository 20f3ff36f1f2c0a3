"""Describes dashboards, revisions and links as the API answers them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from typing_extensions import TypedDict

from dashboards import checking, links, rights
from dashboards.bodies import VisibilityWord
from dashboards.models import Dashboard, PublicLink, Revision, Star
from workspaces.access import WorkspaceRequest, user_of


class DashboardItem(TypedDict):
    id: UUID
    name: str
    description: str
    visibility: VisibilityWord
    owner: str
    """The user who owns it, or the key that made it. Empty for one from a file."""
    source_file: str | None
    """The file of DASHBOARDS_DIR that it comes from. It can be duplicated, and not edited."""
    revision: int
    """Of the document. ETag and If-Match name it."""
    panels: int
    """How many it has."""
    is_starred: bool
    """By the user who asks; a key has no stars."""
    may_edit: bool
    may_delete: bool
    created_at: datetime
    changed_at: datetime
    changed_by: str


class DashboardList(TypedDict):
    data: list[DashboardItem]
    """The starred ones first, then by name."""


class InvalidPanelItem(TypedDict):
    id: str
    errors: list[str]


class DashboardDetail(DashboardItem):
    document: dict[str, Any]
    """As `/api/v1/dashboards/schema.json` describes it."""
    invalid_panels: list[InvalidPanelItem]
    """Stored panels that this version cannot answer. They say so in their place, and the others work."""


class PanelAnswer(TypedDict):
    id: str
    """Of the panel."""
    revision: int
    panel: dict[str, Any]


class RevisionItem(TypedDict):
    number: int
    author: str
    created_at: datetime
    summary: str
    """What changed, in words."""


class RevisionList(TypedDict):
    data: list[RevisionItem]
    """The newest first, at most 100."""


class LinkItem(TypedDict):
    id: UUID
    may_choose: bool
    """Whether readers choose the window and the values of variables."""
    made_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    state: Literal["active", "expired", "revoked", "off"]
    """`off`: the workspace does not allow public links now."""


class NewLinkItem(LinkItem):
    url: str
    """The address with its token. It is shown once."""


class LinkList(TypedDict):
    data: list[LinkItem]
    """The newest first."""


class SharingItem(TypedDict):
    allows_public_links: bool


def item(request: WorkspaceRequest, dashboard: Dashboard, is_starred: bool) -> DashboardItem:
    return {
        "id": dashboard.pk,
        "name": dashboard.name,
        "description": dashboard.description,
        "visibility": "me" if dashboard.visibility == "me" else "workspace",
        "owner": dashboard.owner.get_username() if dashboard.owner else dashboard.made_by,
        "source_file": dashboard.source_file or None,
        "revision": dashboard.revision,
        "panels": len(dashboard.document.get("panels", [])),
        "is_starred": is_starred,
        "may_edit": rights.may_edit(request, dashboard),
        "may_delete": rights.may_delete(request, dashboard),
        "created_at": dashboard.created_at,
        "changed_at": dashboard.changed_at,
        "changed_by": dashboard.changed_by,
    }


def starred_ids(request: WorkspaceRequest) -> set[UUID]:
    """Returns the dashboards of the workspace that the user has starred."""
    user = user_of(request)
    if user is None:
        return set()
    stars = Star.objects.filter(user=user, dashboard__workspace=request.workspace)
    return set(stars.values_list("dashboard_id", flat=True))


def listing(request: WorkspaceRequest, search: str = "", is_starred: bool | None = None) -> list[DashboardItem]:
    """Returns the dashboards whose name, description or owner contains the text, the starred ones first."""
    starred = starred_ids(request)
    found = [item(request, dashboard, dashboard.pk in starred) for dashboard in rights.seen(request)]
    wanted = search.strip().casefold()
    shown = [
        one
        for one in found
        if is_starred in (None, one["is_starred"])
        and any(wanted in one[part].casefold() for part in ("name", "description", "owner"))
    ]
    return sorted(shown, key=lambda one: (not one["is_starred"], one["name"].casefold(), one["created_at"]))


def detail(request: WorkspaceRequest, dashboard: Dashboard) -> DashboardDetail:
    invalid = checking.stored(dashboard.document).invalid
    return {
        **item(request, dashboard, dashboard.pk in starred_ids(request)),
        "document": dashboard.document,
        "invalid_panels": [{"id": panel.id, "errors": panel.errors} for panel in invalid],
    }


def revision_items(revisions: Sequence[Revision]) -> list[RevisionItem]:
    return [
        {
            "number": revision.number,
            "author": revision.author,
            "created_at": revision.created_at,
            "summary": revision.summary,
        }
        for revision in revisions
    ]


def link_item(link: PublicLink, are_allowed: bool) -> LinkItem:
    return {
        "id": link.pk,
        "may_choose": link.may_choose,
        "made_by": link.made_by,
        "created_at": link.created_at,
        "expires_at": link.expires_at,
        "revoked_at": link.revoked_at,
        "state": state_of(link, are_allowed),
    }


def state_of(link: PublicLink, are_allowed: bool) -> Literal["active", "expired", "revoked", "off"]:
    if link.revoked_at:
        return "revoked"
    if not link.is_active:
        return "expired"
    return "active" if are_allowed else "off"


def link_items(dashboard: Dashboard) -> list[LinkItem]:
    are_allowed = links.are_allowed(dashboard.workspace)
    return [link_item(link, are_allowed) for link in dashboard.links.all()]
