"""Renders the pages of sessions, users, agents and tools: a list of each, and one of each.

They are shells whose panels load and poll. The page of one user or agent has the panels of metrics, narrowed to it.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from analytics import query_string
from analytics.catalogue import METRICS
from analytics.pages import bad_query, controls, custom_window, uncached
from analytics.templatetags.links import PAGE_ONLY, WINDOW
from explorer import sessions
from explorer.api import parsed_query
from explorer.entity_api import ENTITIES, NO_SESSION, Entity, TracePage, one_answer, one_panel, session_answer
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
    "user": ("usage/calls-over-time", "usage/agent-distribution", "cost/by-model", "performance/errors"),
    "agent": (
        *("usage/calls-over-time", "performance/latency", "usage/top-users", "cost/by-model", "performance/errors"),
    ),
}
"""The panels of metrics on the page of one. Those of a tool would show model calls, which a tool does not make."""
LIST_PARAMETERS = ("sort", "search", "cursor", "limit")


class Part(NamedTuple):
    """A panel on the page of one."""

    name: str
    label: str
    classes: str
    url: str
    query: str
    heading: str = ""
    """Above the panel, where its template has none."""


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
            return bad_query(request, context, problem)
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
            return bad_query(request, context, problem)
        if not is_an_id(key):
            return not_found(request, entity)
        context |= controls(filters, query, request.workspace) | {
            "list_url": list_url(request, entity),
            "one_url": reverse(entity.word, args=[key]),
            "one_query": query.urlencode(),
            "panels": list(parts_of(entity, key, query, filters.granularity)),
        }
        return uncached(render(request, "explorer/one.html", context))

    return view


def list_url(request: WorkspaceRequest, entity: Entity) -> str:
    return f"{reverse(f'{entity.name}-page')}?workspace={request.workspace.id}"


TABLE, CHART = "framed table-panel", "framed chart-panel"


def parts_of(entity: Entity, key: str, query: QueryDict, granularity: str) -> Iterator[Part]:
    """Yields the panels below the figures: those of metrics, then lists and queries, then the newest traces."""
    for route in METRICS_OF.get(entity.word, ()):
        metric = METRICS[route]
        url = reverse(metric.name)
        yield Part(metric.name, metric.panel.label, metric.panel.classes, url, narrowed(query, entity.dimension, key))
    if entity.word == "user":
        yield Part(
            "sessions", "Sessions", f"{TABLE} wide", reverse("sessions"), narrowed(query, "user_id", key), "Sessions"
        )
    if entity.word == "agent":
        yield Part("tools", "Tools", TABLE, reverse("tools"), narrowed(query, "agent_id", key), "Tools")
        releases = {"by": "release", "measures": "calls,errors,avg_latency_ms,cost_usd"}
        yield Part("releases", "Releases", TABLE, reverse("query"), narrowed(query, "agent_id", key, **releases))
    if entity.word == "tool":
        yield from parts_of_tool(key, query, granularity)
    yield own_part("traces", "Newest traces", f"{TABLE} wide", entity, key, query)


def parts_of_tool(key: str, query: QueryDict, granularity: str) -> Iterator[Part]:
    tools, url = ENTITIES["tools"], reverse("query")
    latency = {"measures": "p50_latency_ms,p95_latency_ms", "granularity": granularity}
    callers = {"by": "agent_id", "measures": "calls,errors,error_rate,avg_latency_ms"}
    yield own_part("calls", "Calls over time", f"{CHART} wide", tools, key, query)
    yield Part("tool-latency", "Latency", "framed wide", url, narrowed(query, "tool", key, **latency))
    yield Part("tool-agents", "Agents", TABLE, url, narrowed(query, "tool", key, **callers))
    yield own_part("failures", "Failures", TABLE, tools, key, query)


def own_part(name: str, label: str, classes: str, entity: Entity, key: str, query: QueryDict) -> Part:
    return Part(f"own-{name}", label, classes, reverse("entity-part", args=[name, entity.name, key]), query.urlencode())


def narrowed(query: QueryDict, name: str, value: str, **more: str) -> str:
    """Returns the page's parameters with one more filter, and others for an endpoint."""
    query = query.copy()
    query[name] = value
    for parameter, text in more.items():
        query[parameter] = text
    if "granularity" not in more and "by" in more:
        query.pop("granularity", None)  # a table has no series
    return query.urlencode()


@require_safe
@workspace_access("read")
def part(request: WorkspaceRequest, part: str, name: str, key: str) -> HttpResponse:
    """Renders a part of the answer about one: its newest traces, or the calls and failures of a tool."""
    entity = ENTITIES.get(name)
    if entity is None or entity.one is None or part not in PARTS or (name != "tools" and part != "traces"):
        raise Http404
    filters, result = one_answer(request, entity, entity.one, key)
    return private(one_panel(request, entity, key, filters, result.body, PARTS[part]))


PARTS = {
    "traces": "explorer/_newest_traces.html",
    "failures": "explorer/_failures.html",
    "calls": "explorer/_calls.html",
}


def not_found(request: WorkspaceRequest, entity: Entity) -> HttpResponse:
    """Returns the same page whether another workspace has it or none."""
    context = page_context(request) | {"entity": entity, "list_name": f"{entity.name}-page"}
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
