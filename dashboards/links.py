"""Makes, finds and revokes public links: addresses that let anyone read one dashboard until they end.

A link works only while its workspace allows public links. Its token is random and stored as an HMAC.
"""

import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from dashboards import rights
from dashboards.bodies import NewLink
from dashboards.models import AUTHOR_LENGTH, Dashboard, PublicLink, SharingPolicy
from web.addresses import public_address
from web.keyed_digests import keyed_digests
from web.problems import Problem
from workspaces.access import WorkspaceRequest
from workspaces.audit import record
from workspaces.models import Workspace

MOST_LINKS = 50
"""Of a dashboard, with those that have ended."""
OFF = "This workspace does not allow public links. An owner of the workspace can allow them."


def digests(token: str) -> list[str]:
    return keyed_digests("dashboards.PublicLink", token)


def are_allowed(workspace: Workspace) -> bool:
    return SharingPolicy.objects.filter(workspace=workspace, allows_public_links=True).exists()


@transaction.atomic
def allow(workspace: Workspace, is_allowed: bool, author: str) -> None:
    """Stores whether links may be made and work. Links that exist work again when they are allowed again."""
    before, after = {"allowed": are_allowed(workspace)}, {"allowed": is_allowed}
    record(workspace, author, "link.allow", "public links", before, after)
    values = {"allows_public_links": is_allowed, "changed_by": author[:AUTHOR_LENGTH]}
    SharingPolicy.objects.update_or_create(workspace=workspace, defaults=values)


@transaction.atomic
def issue(request: WorkspaceRequest, dashboard: Dashboard, body: NewLink) -> tuple[PublicLink, str]:
    """Returns the link with its token, which nothing can show again."""
    if not are_allowed(request.workspace):
        raise Problem(403, OFF)
    token, now = secrets.token_urlsafe(32), timezone.now()
    make_room(dashboard)
    link = PublicLink.objects.create(
        dashboard=dashboard,
        digest=digests(token)[0],
        may_choose=body.may_choose,
        made_by=rights.author_of(request)[:AUTHOR_LENGTH],
        expires_at=now + timedelta(days=body.days),
    )
    record(request.workspace, link.made_by, "link.create", dashboard.name, after=facts_of(link))
    return link, token


def facts_of(link: PublicLink) -> dict[str, Any]:
    """Returns what the audit shows of a link: never its token."""
    return {"link": str(link.pk), "may_choose": link.may_choose, "expires_at": link.expires_at}


def make_room(dashboard: Dashboard) -> None:
    """Deletes the oldest links that have ended where there are as many as may be."""
    Dashboard.objects.select_for_update(no_key=True).get(pk=dashboard.pk)
    links = list(dashboard.links.order_by("created_at"))
    too_many = len(links) - MOST_LINKS + 1
    if too_many <= 0:
        return
    ended = [link.pk for link in links if not link.is_active]
    if len(ended) < too_many:
        raise Problem(422, f"A dashboard has at most {MOST_LINKS} public links. Revoke one first.")
    PublicLink.objects.filter(pk__in=ended[:too_many]).delete()


@transaction.atomic
def revoke(dashboard: Dashboard, link_id: UUID, author: str) -> None:
    link = dashboard.links.filter(pk=link_id).first()
    if link is None:
        raise Problem(404, "There is no such link of this dashboard.")
    if dashboard.links.filter(pk=link_id, revoked_at=None).update(revoked_at=timezone.now()):
        record(dashboard.workspace, author, "link.revoke", dashboard.name, before=facts_of(link))


def find(token: str) -> PublicLink | None:
    """Returns the link of this token if it works now; None if it is unknown, expired, revoked or switched off."""
    links = PublicLink.objects.filter(
        digest__in=digests(token),
        revoked_at=None,
        expires_at__gt=timezone.now(),
        dashboard__workspace__sharing_policy__allows_public_links=True,
    )
    return links.select_related("dashboard__workspace").first()


def url(token: str) -> str:
    return public_address("public-dashboard", token)
