"""Renders the page of the audit, and its file."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from analytics.endpoints import parameters_of
from settings.api import audit_file as file_of
from settings.audit import KINDS, AuditFilters, AuditQuery
from settings.audit import audit_page as found_page
from settings.page import messages_by_field, page, page_context
from web.problems import Problem
from workspaces.access import WorkspaceRequest, check_may_manage, may_manage, page_access
from workspaces.tasks import AUDIT_STORED

FIELDS = ("actor", "action", "cursor")


@require_safe
@page_access
def audit_page(request: WorkspaceRequest) -> HttpResponseBase:
    context = page_context(request) | {
        "kinds": KINDS.items(),
        "form": {name: request.GET.get(name, "") for name in (*FIELDS, "from", "until")},
        "years": AUDIT_STORED.days // 365,
    }
    if not may_manage(request):
        return page(request, "audit", context)
    try:
        found = found_page(request.workspace, parameters_of(form_filters(request), AuditFilters))
    except Problem as problem:
        errors = messages_by_field(problem)
        return page(request, "audit", context | {"errors": errors}, status=422)
    return page(request, "audit", context | links(request, found["next_cursor"]) | {"entries": found["data"]})


def links(request: WorkspaceRequest, next_cursor: str | None) -> dict[str, Any]:
    """Returns the query strings of the older page, and of the file."""
    query = request.GET.copy()
    query["workspace"] = str(request.workspace.id)
    query.pop("cursor", None)
    file_query = query.urlencode()
    query["cursor"] = next_cursor or ""
    return {"older": query.urlencode() if next_cursor else "", "file_query": file_query}


def form_filters(request: WorkspaceRequest) -> QueryDict:
    """Returns the filters of the form as those of the API. Its days are those of the workspace's zone."""
    query = QueryDict(mutable=True)
    for name in FIELDS:
        if value := request.GET.get(name, "").strip():
            query[name] = value
    zone = request.workspace.zone
    if start := midnight(request.GET.get("from", ""), zone, "from"):
        query["start"] = start.isoformat()
    if end := midnight(request.GET.get("until", ""), zone, "until", days=1):
        query["end"] = end.isoformat()
    return query


def midnight(text: str, zone: ZoneInfo, field: str, days: int = 0) -> datetime | None:
    try:
        day = date.fromisoformat(text) + timedelta(days=days) if text else None
    except (ValueError, OverflowError):
        message = "must be a day, like 2026-11-27"
        raise Problem(422, "The filters are not valid.", [{"loc": ["query", field], "msg": message}]) from None
    return datetime.combine(day, time.min, tzinfo=zone) if day else None


@require_safe
@page_access
def audit_file(request: WorkspaceRequest) -> HttpResponse:
    check_may_manage(request)
    return file_of(request, parameters_of(form_filters(request), AuditQuery))
