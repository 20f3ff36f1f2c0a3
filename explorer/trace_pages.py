"""Renders the page with the list of traces, its panel, and what it asks for besides."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from analytics.pages import bad_query, controls, custom_window, uncached
from analytics.templatetags.links import PAGE_ONLY, TRACES, WINDOW
from explorer import list_parameters
from explorer.list_parameters import ListParameters, cursor_of
from explorer.previews import previews
from explorer.search_hits import SearchHits, search_hits
from explorer.trace_csv import csv_response
from explorer.trace_filters import SORTS, TraceFilters
from explorer.traces import ONE_MICROSECOND, Found, counted
from traces.filters import RANGES
from web import long_responses
from web.problems import FieldError, Problem
from workspaces.access import page_access, workspace_access
from workspaces.content import NOT_STORED, ContentRequest, content_aware
from workspaces.request_slots import request_slot

COLUMNS = {
    "input": "Input",
    "agents": "Agent",
    "models": "Model",
    "user_id": "User",
    "session_id": "Session",
    "started_at": "Started",
    "latency_ms": "Duration",
    "cost_usd": "Cost",
    "tokens": "Tokens",
    "span_count": "Spans",
    "tool_calls": "Tool calls",
    "environment": "Environment",
    "release": "Release",
    "labels": "Labels",
    "scores": "Scores",
    "error_type": "Error",
}
SHOWN = ("input", "agents", "models", "user_id", "started_at", "latency_ms", "cost_usd", "tokens")
"""The columns that are shown unless others are chosen."""
SORT_NAMES = {"newest": "Newest", "slowest": "Slowest", "costliest": "Costliest", "most_tokens": "Most tokens"}
FORM_FIELDS = ("q", "min_latency_ms", "min_cost_usd", "has_error", "sort", "columns", "live")
ON_A_PAGE = 50
POLL_SECONDS = 2
"""How often the page asks for new traces while it follows them."""
COUNTED, COUNT_SECONDS = 10_000, 0.4
NEW_COUNTED, NEW_SECONDS = 99, 0.2


@require_safe
@page_access
@content_aware
def traces_page(request: ContentRequest) -> HttpResponse:
    query = request.GET.copy()
    for name in {*PAGE_ONLY} - {*TRACES}:
        query.pop(name, None)
    context: dict[str, Any] = {
        "workspace": request.workspace,
        "workspaces": request.workspaces,
        "ranges": RANGES,
        "window_parameters": (*WINDOW, "zone"),
        "query": query.urlencode(),
    }
    try:
        if "from" in query or "to" in query:
            return redirect(f"{request.path}?{custom_window(request.GET, request.workspace).urlencode()}")
        if any(value == "" for name in FORM_FIELDS for value in request.GET.getlist(name)):
            return redirect(f"{request.path}?{without_empty(request.GET).urlencode()}")
        asked = api_query(query)
        parameters = list_parameters.parse(asked, request.workspace.id, zone=request.workspace.zone)
    except Problem as problem:
        return bad_query(request, context, problem)
    context |= controls(parameters.question.filters, query, request.workspace, parameters.question.tool)
    search = parameters.question.search
    context["hits"] = hits_of(request, search) if search and parameters.question.after is None else None
    context |= form_context(parameters, query, asked) | {"content": request.content, "granularities": []}
    return uncached(render(request, "explorer/traces.html", context))


def hits_of(request: ContentRequest, search: str) -> SearchHits:
    with request_slot(request.workspace.id):
        return search_hits(request.workspace.id, search)


def without_empty(form: QueryDict) -> QueryDict:
    query = form.copy()
    for name, values in form.lists():
        if name in FORM_FIELDS:
            query.setlist(name, [value for value in values if value])
    return query


def api_query(query: QueryDict) -> QueryDict:
    """Returns the query string of the list that the page shows."""
    asked = query.copy()
    for name in ("columns", "live"):
        asked.pop(name, None)
    if "q" in asked:
        asked.setlist("search", asked.pop("q"))
    asked["limit"] = str(ON_A_PAGE)
    return asked


def form_context(parameters: ListParameters, query: QueryDict, asked: QueryDict) -> dict[str, Any]:
    question = parameters.question
    is_live = "live" in query and question.after is None and question.sort == "newest"
    return {
        "question": question,
        "list_query": asked.urlencode(),
        "count_query": without_cursor(asked).urlencode(),
        "columns": [
            {"name": name, "label": label, "is_shown": name in shown_columns(query)} for name, label in COLUMNS.items()
        ],
        "sorts": [{"name": name, "label": SORT_NAMES[name]} for name in SORTS],
        "is_live": is_live,
        "poll_seconds": POLL_SECONDS if is_live else None,
        "kept_fields": [
            (name, value) for name, values in query.lists() if name not in (*FORM_FIELDS, "cursor") for value in values
        ],
    }


def without_cursor(query: QueryDict) -> QueryDict:
    """Returns the query string of the whole list, instead of one of its pages."""
    whole = query.copy()
    whole.pop("cursor", None)
    return whole


def shown_columns(query: QueryDict) -> list[str]:
    chosen = query.getlist("columns")
    return [name for name in COLUMNS if name in chosen] if chosen else list(SHOWN)


# --- Its parts ---


def panel(request: ContentRequest, parameters: ListParameters, found: Found, traces: list[Any]) -> HttpResponse:
    """Renders the list for its page, whose address names the columns."""
    page = QueryDict((request.htmx.current_url or "").partition("?")[2].partition("#")[0])
    names = shown_columns(page)
    shows_input = "input" in names and request.content.is_granted
    said = previews(request.workspace.id, found.traces) if shows_input else {}
    context = {
        "traces": [{**trace, "input": said.get(trace["trace_id"])} for trace in traces],
        "columns": [{"name": name, "label": COLUMNS[name]} for name in names],
        "is_default": tuple(names) == SHOWN,
        "found": found,
        "next_cursor": cursor_of(found.next),
        "question": parameters.question,
        "filters": parameters.question.filters,
        "workspace": request.workspace,
        "content": request.content,
        "not_stored": "" if request.content.is_stored else NOT_STORED,
        "newest": max((trace["started_at"] for trace in found.traces), default=None),
    }
    return render(request, "explorer/_traces.html", context)


@require_safe
@workspace_access("read")
@content_aware
def trace_count(request: ContentRequest) -> HttpResponse:
    """Says how many traces the list has, exactly if it is quick to count them."""
    question = parsed(request).question
    with request_slot(request.workspace.id):
        number, is_all = counted(question, COUNTED, COUNT_SECONDS)
    return uncached(render(request, "explorer/_trace_count.html", {"number": number, "is_all": is_all}))


@require_safe
@workspace_access("read")
@content_aware
def trace_news(request: ContentRequest) -> HttpResponse:
    """Says how many traces began after the newest one that is shown, which `since` names."""
    query = request.GET.copy()
    since = query.pop("since", [""])[-1]
    question = parsed(request, query).question
    newer = after(question, since)
    with request_slot(request.workspace.id):
        number, is_all = counted(newer, NEW_COUNTED, NEW_SECONDS) if newer else (0, True)
    return uncached(render(request, "explorer/_trace_news.html", {"number": number, "is_all": is_all}))


def parsed(request: ContentRequest, query: QueryDict | None = None) -> ListParameters:
    asked = request.GET if query is None else query
    workspace = request.workspace
    return list_parameters.parse(asked, workspace.id, request.content.is_granted, zone=workspace.zone)


def after(question: TraceFilters, since: str) -> TraceFilters | None:
    """Returns the question for the traces after a time; None if the window ends before it. No time: all of them."""
    if not since:
        return question
    try:
        start = max(datetime.fromisoformat(since).astimezone(UTC) + ONE_MICROSECOND, question.filters.start)
    except (ValueError, OverflowError) as error:
        errors: list[FieldError] = [{"loc": ["query", "since"], "msg": "must be a time with its offset"}]
        raise Problem(422, "The query string is not valid.", errors) from error
    return question.within(start, question.filters.end) if start < question.filters.end else None


@require_safe
@page_access
@content_aware
def traces_csv(request: ContentRequest) -> HttpResponseBase:
    """Returns the file of all traces that the page lists."""
    query = request.GET.copy()
    for name in {*PAGE_ONLY} - {*TRACES}:
        query.pop(name, None)
    asked = api_query(query)
    asked.pop("cursor", None)
    parameters = list_parameters.parse(
        asked, request.workspace.id, request.content.is_granted, zone=request.workspace.zone
    )
    long_responses.allow(request)
    return csv_response(request.workspace.id, parameters.question)
