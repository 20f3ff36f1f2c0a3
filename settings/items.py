"""Makes the answers about settings."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db import DatabaseError
from django.db.models import Q, QuerySet
from typing_extensions import TypedDict

from ingest.label_candidates import MAX_BYTES, MAX_SPANS, SAMPLE
from settings.bodies import RoleName
from traces.db import rows
from web.problems import transient_cause
from workspaces.members import rank
from workspaces.models import RANKS, ApiKey, Invitation, Membership, Role, Workspace

MOST_SOURCES = 50
SOURCES = """
{sample}
SELECT
    attributes ->> 'service.name' AS service,
    attributes ->> 'otel.scope.name' AS instrumentation,
    attributes #>> '{{otel.resource,telemetry.sdk.language}}' AS language,
    count(*) AS spans,
    max(timestamp) AS last_span_at
FROM sample
GROUP BY 1, 2, 3
ORDER BY spans DESC, service, instrumentation, language
LIMIT %(most)s
"""


class Source(TypedDict):
    service: str | None
    """The name of the service that sent the spans; null where they have none, as plain JSON has none."""
    instrumentation: str | None
    """The instrumentation that made the spans; null where they name none."""
    language: str | None
    spans: int
    """Of the newest spans."""
    last_span_at: datetime


class ClockAhead(TypedDict):
    key: str
    """The name of the key with which the client sends."""
    minutes_ahead: int
    at: datetime
    """When spans were last refused because of it."""


class General(TypedDict):
    id: UUID
    name: str
    time_zone: str
    created_at: datetime
    last_span_at: datetime | None
    """When the newest stored span began; null where there is none, or where the database of traces does not answer."""
    sources: list[Source] | None
    """Of the newest 1,000 spans, the most frequent first; null where the database of traces does not answer."""
    clocks_ahead: list[ClockAhead]
    """Clients whose clocks were more than an hour ahead in the last day: their spans are refused."""


def general(workspace: Workspace) -> General:
    sources = sources_of(workspace)
    return {
        "id": workspace.pk,
        "name": workspace.name,
        "time_zone": workspace.time_zone,
        "created_at": workspace.created_at,
        "last_span_at": max((source["last_span_at"] for source in sources or []), default=None),
        "sources": sources,
        "clocks_ahead": clocks_ahead(workspace),
    }


def sources_of(workspace: Workspace) -> list[Source] | None:
    params = {"workspace_id": workspace.pk, "max_spans": MAX_SPANS, "max_bytes": MAX_BYTES, "most": MOST_SOURCES}
    try:
        return rows(SOURCES, params, Source, sample=SAMPLE)
    except DatabaseError as error:
        if transient_cause(error) is None:
            raise
        return None


def clocks_ahead(workspace: Workspace) -> list[ClockAhead]:
    keys = ApiKey.objects.filter(workspace=workspace, revoked_at=None).exclude(ahead_at=None)
    return [
        {"key": key.name, "minutes_ahead": round((key.seconds_ahead or 0) / 60), "at": key.ahead_at}
        for key in keys
        if key.clock_fault and key.ahead_at
    ]


# --- Members ---


class Member(TypedDict):
    id: int
    user: str
    full_name: str
    email: str | None
    """Null for readers who are no owners."""
    role: RoleName
    since: datetime
    is_active: bool
    """False: the account is closed, and nobody signs in with it."""
    is_you: bool


class MemberList(TypedDict):
    data: list[Member]
    """In the order in which they joined."""
    next_cursor: str | None


def member_item(member: Membership, user_id: int | None, with_email: bool) -> Member:
    user = member.user
    return {
        "id": member.pk,
        "user": user.get_username(),
        "full_name": user.get_full_name(),
        "email": user.email if with_email else None,
        "role": member.role,  # type: ignore[typeddict-item]
        "since": member.created_at,
        "is_active": user.is_active,
        "is_you": user.pk == user_id,
    }


def members_of(workspace: Workspace, search: str = "") -> QuerySet[Membership]:
    found = Membership.named.filter(workspace=workspace)
    if search:
        names = Q(user__first_name__icontains=search) | Q(user__last_name__icontains=search)
        found = found.filter(names | Q(user__username__icontains=search))
    return found


# --- Invitations ---

InvitationState = Literal["open", "void", "accepted", "revoked", "expired"]


class InvitationItem(TypedDict):
    id: UUID
    email: str
    """Empty where the inviter passes the link on."""
    role: RoleName
    state: InvitationState
    """Void: the inviter is no owner any more, so that nobody can accept it."""
    invited_by: str | None
    created_at: datetime
    expires_at: datetime
    sent_at: datetime | None
    accepted_at: datetime | None
    accepted_by: str | None


class InvitationList(TypedDict):
    data: list[InvitationItem]
    """Those of the last 90 days, the newest first; at most 200."""


class NewInvitationItem(InvitationItem):
    link: str | None
    """Where somebody accepts it. Shown once, and only for an invitation without an address."""


MOST_INVITATIONS = 200


def invitations_of(workspace: Workspace) -> list[InvitationItem]:
    found = Invitation.objects.filter(workspace=workspace).select_related("invited_by", "accepted_by")
    shown = list(found[:MOST_INVITATIONS])
    inviters = {one.invited_by for one in shown if one.state == "open"}
    may_invite = {user for user in inviters if rank(user, workspace) >= RANKS[Role.OWNER]}
    return [invitation_item(one, one.invited_by in may_invite) for one in shown]


def invitation_item(one: Invitation, inviter_may: bool) -> InvitationItem:
    state = "void" if one.state == "open" and not inviter_may else one.state
    return {
        "id": one.pk,
        "email": one.email,
        "role": one.role,  # type: ignore[typeddict-item]
        "state": state,  # type: ignore[typeddict-item]
        "invited_by": one.invited_by.get_username() if one.invited_by else None,
        "created_at": one.created_at,
        "expires_at": one.expires_at,
        "sent_at": one.sent_at,
        "accepted_at": one.accepted_at,
        "accepted_by": one.accepted_by.get_username() if one.accepted_by else None,
    }
