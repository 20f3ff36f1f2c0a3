"""Renders the pages of sessions, users, agents and tools: a list of each, and one of each.

They are shells whose panels load and poll. The page of one user or agent has the panels of metrics, narrowed to it.
"""

from typing import Any, NamedTuple

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from analytics import query_string
from analytics.catalogue import METRICS
from analytics.pages import controls, custom_window, uncached
from analytics.templatetags.links import PAGE_ONLY, WINDOW
from explorer import sessions
from explorer.api import parsed_query
from explorer.entity_api import ENTITIES, NO_SESSION, Entity, TracePage, session_answer
from explorer.listing import parse
from explorer.trace import is_an_id
from explorer.views import not_stored, page_context, private
from traces.filters import RANGES
from web.declared_access import View
from web.problems import Problem
from workspaces.access import WorkspaceRequest, page_access, workspace_access
from workspaces.content import ContentRequest, content_aware
from workspaces.request_slots import request_slot

ROWS_OF_A_PAGE = 50
METRICS_OF = {
    "user": ("usage/overview", "usage/calls-over-time", "cost/by-model", "usage/agent-distribution"),
    "agent": (
        *("usage/overview", "usage/calls-over-time", "performance/latency", "cost/by-model", "usage/top-users"),
        "performance/errors",
    ),
}
"""The panels of metrics on the page of one. Those of a tool would show model calls, which a tool does not make."""
LIST_PARAMETERS = ("sort", "search", "cursor", "limit")


class QueryPanel(NamedTuple):
    """A panel that shows an answer of `/api/v1/query`."""

    name: str
    label: str
    parameters: dict[str, str]


TOOL_PANELS = (QueryPanel("calls", "Calls over time", {"measures": "calls,errors"}),)


def list_page(entity: Entity) -> View:
    """Makes the view of the page of a list."""

    @require_safe
    @page_access
    def view(request: WorkspaceRequest) -> HttpResponse:
        query = page_query(request, kept=LIST_PARAMETERS)
        context = shell_context(request, entity, query)
        try:
            if "from" in query or "to" in query:
                return redirect(f"{request.path}?{custom_window(request.GET, request.workspace).urlencode()}")
            if "search" in query and not query["search"]:
                del query["search"]
            page, filters = parse(query, request.workspace.id, entity.kind, zone=request.workspace.zone)
        except Problem as problem:
            return render(request, "analytics/bad_query.html", context | {"problem": problem}, status=422)
        context |= controls(filters, query, request.workspace) | {
            "page": page,
            "granularities": [],  # a list has no series
            "list_query": with_limit(query),
            "kept_fields": kept_fields(request.GET),
        }
        return uncached(render(request, "explorer/list.html", context))

    return view


def page_query(request: WorkspaceRequest, kept: tuple[str, ...] = ()) -> QueryDict:
    """Returns the parameters of the page that are filters and window, and those in `kept`."""
    query = request.GET.copy()
    for name in (*PAGE_ONLY, *LIST_PARAMETERS):
        if name not in kept:
            query.pop(name, None)
    return query


def with_limit(query: QueryDict) -> str:
    query = query.copy()
    query.setdefault("limit", str(ROWS_OF_A_PAGE))
    return query.urlencode()


def kept_fields(query: QueryDict) -> list[tuple[str, str]]:
    """Returns the parameters that the search keeps. It begins at the first page."""
    return [(name, value) for name, values in query.lists() if name not in ("search", "cursor") for value in values]


def shell_context(request: WorkspaceRequest, entity: Entity, query: QueryDict) -> dict[str, Any]:
    return {
        **page_context(request),
        "entity": entity,
        "ranges": RANGES,
        "window_parameters": (*WINDOW, "zone"),
        "query": query.urlencode(),
    }


def page_of(entity: Entity) -> View:
    """Returns the view of the page of one."""
    return session_page if entity.one is None else one_page(entity)


def one_page(entity: Entity) -> View:
    """Makes the view of the page of one user, agent or tool."""

    @require_safe
    @page_access
    def view(request: WorkspaceRequest, key: str) -> HttpResponse:
        query = page_query(request)
        for name in (entity.dimension, f"not_{entity.dimension}", "tool", "not_tool"):
            query.pop(name, None)
        context = shell_context(request, entity, query) | {"key": key}
        try:
            if "from" in query or "to" in query:
                return redirect(f"{request.path}?{custom_window(request.GET, request.workspace).urlencode()}")
            filters = query_string.parse_filters(query, request.workspace.id, zone=request.workspace.zone)
        except Problem as problem:
            return render(request, "analytics/bad_query.html", context | {"problem": problem}, status=422)
        if not is_an_id(key):
            return not_found(request, entity)
        context |= controls(filters, query, request.workspace) | {
            "metrics": [METRICS[route] for route in METRICS_OF.get(entity.word, ())],
            "metric_query": narrowed(query, entity.dimension, key),
            "query_panels": [
                (panel, narrowed(query, "tool", key, granularity=filters.granularity, **panel.parameters))
                for panel in (TOOL_PANELS if entity.word == "tool" else ())
            ],
            "one_query": query.urlencode(),
        }
        return uncached(render(request, "explorer/one.html", context))

    return view


def narrowed(query: QueryDict, name: str, value: str, **more: str) -> str:
    query = query.copy()
    query[name] = value
    query.update(more)
    return query.urlencode()


def not_found(request: WorkspaceRequest, entity: Entity) -> HttpResponse:
    """Returns the same page whether another workspace has it or none."""
    context = page_context(request) | {"entity": entity}
    return uncached(render(request, "explorer/no_entity.html", context, status=404))


# --- One session ---


@require_safe
@page_access
def session_page(request: WorkspaceRequest, key: str) -> HttpResponse:
    with request_slot(request.workspace.id):
        figures = sessions.session_figures(request.workspace.id, key)
    entity = ENTITIES["sessions"]
    if figures is None:
        return not_found(request, entity)
    context = page_context(request) | {"entity": entity, "session": figures}
    return uncached(render(request, "explorer/session.html", context))


@require_safe
@workspace_access("read")
@content_aware
def session_conversation(request: ContentRequest, key: str) -> HttpResponse:
    """Renders the traces of the session, and between them their time, cost and errors."""
    page = parsed_query(request.GET, TracePage)
    with request_slot(request.workspace.id):
        found = session_answer(request, key, page)
        if found is None:
            raise Problem(404, NO_SESSION)
        said = sessions.said_in(request.workspace.id, key, found["data"]) if request.content.is_granted else None
    context = {
        "session": found,
        "traces": [(trace, said.turns.get(trace["trace_id"], []) if said else []) for trace in found["data"]],
        "is_cut": said and said.is_cut,
        "workspace": request.workspace,
        "content": request.content,
        "not_stored": not_stored(request),
    }
    return private(render(request, "explorer/_session_traces.html", context))
