"""Finds and shows the entries of the audit: as JSON, as CSV and for the page."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db.models import Q, QuerySet
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from analytics.endpoints import cursor_of, place_of
from analytics.query_string import within_calendar
from budgets.bodies import storable
from web.csv_text import cell, written
from web.row_places import RowPlace
from workspaces.models import AuditEntry, Workspace

AT_ONCE, MOST_AT_ONCE, MOST_IN_FILE = 50, 100, 10_000
KINDS = {
    "workspace": "Workspace",
    "member": "Members",
    "invitation": "Invitations",
    "key": "Keys",
    "budget": "Budgets",
    "rule": "Alert rules",
    "channel": "Alert channels",
    "report": "Reports that go out",
    "price": "Prices",
    "label": "Labels",
    "content": "Content",
    "link": "Public links",
}
"""What is changed, for the filter of the page."""
Moment = Annotated[AwareDatetime, AfterValidator(within_calendar)]


class AuditFilters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    actor: Annotated[
        Annotated[str, AfterValidator(storable)] | None,
        Field(max_length=200, description="Only changes by this user or key, as `actor` names it."),
    ] = None
    action: Annotated[
        str | None,
        Field(pattern=r"^[a-z_]{1,30}(\.[a-z_]{1,30})?$", description="Like `key.revoke`, or `key` for all of keys."),
    ] = None
    start: Annotated[Moment | None, Field(description="Only changes at this time or later.")] = None
    end: Annotated[Moment | None, Field(description="Only changes before this time.")] = None
    cursor: Annotated[
        Annotated[str, AfterValidator(place_of)] | None, Field(description="The `next_cursor` of the page before.")
    ] = None


class AuditQuery(AuditFilters):
    limit: Annotated[int, Field(ge=1, le=MOST_AT_ONCE, description="Entries at once.")] = AT_ONCE
    format: Annotated[
        Literal["json", "csv"],
        Field(description=f"`csv`: a file with up to {MOST_IN_FILE:,} entries, whatever the limit."),
    ] = "json"


class AuditItem(TypedDict):
    id: UUID
    at: datetime
    actor: str
    """The name of a user, `key` with the beginning of an API key, or `anyone` in an open workspace."""
    action: str
    """What was changed and how, like `key.revoke`."""
    subject: str
    before: dict[str, Any] | None
    """The values that the change took away or replaced. Never a secret."""
    after: dict[str, Any] | None
    in_admin: bool


class AuditList(TypedDict):
    data: list[AuditItem]
    """The newest first."""
    next_cursor: str | None


def entries_of(workspace: Workspace, query: AuditFilters) -> QuerySet[AuditEntry]:
    found = AuditEntry.objects.filter(workspace=workspace)
    if query.actor is not None:
        found = found.filter(actor=query.actor)
    if query.action is not None:
        found = found.filter(Q(action=query.action) | Q(action__startswith=f"{query.action}."))
    if query.start:
        found = found.filter(at__gte=query.start)
    if query.end:
        found = found.filter(at__lt=query.end)
    if query.cursor:
        found = after(found, query.cursor)  # type: ignore[arg-type]
    return found


def after(entries: QuerySet[AuditEntry], place: RowPlace) -> QuerySet[AuditEntry]:
    at, last_id = place
    return entries.filter(Q(at__lt=at) | Q(at=at, pk__lt=last_id))


def audit_page(workspace: Workspace, query: AuditFilters, limit: int = AT_ONCE) -> AuditList:
    found = list(entries_of(workspace, query)[: limit + 1])
    shown, more = found[:limit], found[limit:]
    place = RowPlace(shown[-1].at, shown[-1].pk) if more else None
    return {"data": [audit_item(entry) for entry in shown], "next_cursor": cursor_of(place)}


def audit_item(entry: AuditEntry) -> AuditItem:
    return {
        "id": entry.pk,
        "at": entry.at,
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "before": entry.before,
        "after": entry.after,
        "in_admin": entry.in_admin,
    }


COLUMNS = ("at", "actor", "action", "subject", "before", "after", "in_admin")


def audit_csv(workspace: Workspace, query: AuditFilters) -> bytes:
    return written([COLUMNS, *lines(entries_of(workspace, query)[:MOST_IN_FILE])])


def lines(entries: QuerySet[AuditEntry]) -> Iterator[list[str]]:
    for entry in entries.iterator():
        yield [cell(getattr(entry, name)) for name in COLUMNS]
