"""The dashboard pages: a shell at once, whose panels load and poll the metrics by themselves."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from analytics import filter_values, query_string
from analytics.answers import SERIES
from analytics.panels import data
from analytics.templatetags.links import PAGE_ONLY, WINDOW, iso
from traces.filters import BUCKETS, DIMENSIONS, RANGES, Filters
from web.declared_access import View, public
from web.problems import Problem
from workspaces.access import WorkspaceRequest, page, workspace_access
from workspaces.models import Workspace

LABELS = {dimension.name: dimension.label for dimension in DIMENSIONS}
MOST_CHOICES = 100


def dashboard(domain: str) -> View:
    @require_safe
    @page
    def view(request: WorkspaceRequest) -> HttpResponse:
        query = request.GET.copy()
        for name in PAGE_ONLY:
            query.pop(name, None)
        context = {
            "domain": domain,
            "workspace": request.workspace,
            "workspaces": request.workspaces,
            "ranges": RANGES,
            "window_parameters": WINDOW,
            "query": query.urlencode(),
        }
        try:
            if "from" in query or "to" in query:
                return redirect(f"{request.path}?{custom_window(request.GET, request.workspace).urlencode()}")
            filters = query_string.parse(query, request.workspace.id)
        except Problem as problem:
            return render(request, "analytics/bad_query.html", context | {"problem": problem}, status=422)
        response = render(request, f"analytics/{domain}.html", context | controls(filters, request.workspace))
        response["Cache-Control"] = "private, no-store"
        return response

    return view


def controls(filters: Filters, workspace: Workspace) -> dict[str, Any]:
    fitting = [
        name
        for name in BUCKETS
        if query_string.bucket_count(filters.start, filters.end, name) <= query_string.MOST_BUCKETS
        and BUCKETS[name] <= max(filters.end - filters.start, timedelta(minutes=1))
    ]
    return {
        "filters": filters,
        "narrowing": [
            {"name": name, "label": label, "value": filters.values.get(name)} for name, label in LABELS.items()
        ],
        "granularities": [*fitting, *({filters.granularity} - {*fitting})],
        "from": local_minute(filters.start, workspace),
        "to": local_minute(filters.end, workspace),
        "windows": calendar_windows(workspace),
    }


def local_minute(moment: datetime, workspace: Workspace) -> str:
    """As an input of the type datetime-local wants it."""
    return moment.astimezone(workspace.zone).strftime("%Y-%m-%dT%H:%M")


def calendar_windows(workspace: Workspace) -> list[dict[str, str]]:
    """Whole days and months of the workspace's zone."""
    today = datetime.now(workspace.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    month = today.replace(day=1)
    named = {
        "Yesterday": (today - timedelta(days=1), today),
        "Previous 7 days": (today - timedelta(days=7), today),
        f"{month - timedelta(days=1):%B}": ((month - timedelta(days=1)).replace(day=1), month),
        f"{month:%B} until today": (month, today),
    }
    return [
        {"name": name, "start": iso(start.astimezone(UTC)), "end": iso(end.astimezone(UTC))}
        for name, (start, end) in named.items()
        if start < end
    ]


def custom_window(query: QueryDict, workspace: Workspace) -> QueryDict:
    """The form's wall-clock times become moments, so that the link means the same to everyone."""
    found = query.copy()
    for name in ("range", "granularity", "was"):
        found.pop(name, None)
    for given, name in (("from", "start"), ("to", "end")):
        found.pop(given, None)
        found[name] = iso(moment(given, query.get(given, ""), workspace))
    return found


def moment(name: str, given: str, workspace: Workspace) -> datetime:
    try:
        wall_clock = datetime.fromisoformat(given)
        return wall_clock.replace(tzinfo=workspace.zone).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        message = "must be a date and time like 2026-11-23T10:00"
        raise Problem(422, "The window is not valid.", [{"loc": ["query", name], "msg": message}]) from error


@require_safe
@workspace_access("read")
def choices_of(request: WorkspaceRequest, name: str) -> HttpResponse:
    """What a filter's list offers: the values of the window, those with the most calls first."""
    if name not in LABELS:
        raise Http404
    query = request.GET.copy()
    search = query.pop("search", [""])[0]
    filters = query_string.parse(query, request.workspace.id)
    offered = data(filter_values.QUESTIONS[name], filters, request.workspace, SERIES)["data"]
    found = [one for one in offered if search.lower() in one["value"].lower()]
    context = {
        "name": name,
        "label": LABELS[name],
        "value": filters.values.get(name),
        "found": found[:MOST_CHOICES],
        "more": len(found) - MOST_CHOICES,
        "search": search,
        "workspace": request.workspace,
    }
    response = render(request, "analytics/_choices.html", context)
    response["Cache-Control"] = "private, no-store"
    return response


@public
def first_page(request: WorkspaceRequest) -> HttpResponse:
    return redirect("usage-page")
