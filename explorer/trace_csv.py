"""Reads the scores of listed traces, and writes the whole list as CSV."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Annotated, Any
from uuid import UUID

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from pydantic import Field

from explorer.summaries import TraceSummary
from explorer.trace_filters import TraceFilters
from explorer.traces import found_traces
from traces.db import rows
from web.csv_text import cell, written
from workspaces.request_slots import request_slot

CSV_AT_ONCE, CSV_SECONDS = 500, 5.0
SCORES_OF_TRACES = """
SELECT DISTINCT ON (trace_id, name) trace_id, name, number, category
FROM scores
WHERE workspace_id = %(workspace_id)s AND trace_id = ANY(%(trace_ids)s::text[])
ORDER BY trace_id, name, timestamp DESC, id
"""
COLUMNS = (
    *("trace_id", "name", "started_at", "latency_ms", "status", "error_type", "agents", "models", "user_id"),
    *("session_id", "environment", "release", "labels", "span_count", "calls", "tool_calls", "input_tokens"),
    *("output_tokens", "cost_usd", "unpriced_calls", "scores"),
)


class ListedTrace(TraceSummary):
    scores: Annotated[
        dict[str, float | bool | str], Field(description="The newest score of each name, of the trace or of a span.")
    ]


def with_scores(workspace_id: UUID, traces: list[TraceSummary]) -> list[ListedTrace]:
    found: dict[str, dict[str, Any]] = {}
    params = {"workspace_id": workspace_id, "trace_ids": [trace["trace_id"] for trace in traces]}
    for row in rows(SCORES_OF_TRACES, params) if traces else ():
        category, number = row["category"], row["number"]
        value = category if number is None else float(number) if category is None else category == "true"
        found.setdefault(row["trace_id"], {})[row["name"]] = value
    return [{**trace, "scores": found.get(trace["trace_id"], {})} for trace in traces]


def private(response: HttpResponseBase) -> HttpResponseBase:
    response["Cache-Control"] = "private, no-store"
    patch_vary_headers(response, ["HX-Request", "X-Workspace-ID", "Authorization", "Cookie"])
    return response


def csv_response(workspace_id: UUID, question: TraceFilters) -> HttpResponseBase:
    """Streams all traces of the list, the newest first whatever the order of the list is."""
    pages = all_pages(workspace_id, replace(question, sort="newest"))
    first = next(pages)  # what fails before the first byte is an answer of its own
    response = StreamingHttpResponse(csv_lines(chain([first], pages)), content_type="text/csv; charset=utf-8")
    start, end = question.filters.start, question.filters.end
    name = f"traces-{start:%Y%m%dT%H%M%S}-{end:%Y%m%dT%H%M%S}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return private(response)


def all_pages(workspace_id: UUID, question: TraceFilters) -> Iterator[list[ListedTrace]]:
    """Yields the list page by page, however long it takes."""
    with request_slot(workspace_id):
        found = found_traces(question, CSV_AT_ONCE, CSV_SECONDS)
        yield with_scores(workspace_id, found.traces)
        while found.next:
            found = found_traces(replace(question, after=found.next), CSV_AT_ONCE, CSV_SECONDS)
            yield with_scores(workspace_id, found.traces)


def csv_lines(pages: Iterable[Iterable[Mapping[str, Any]]]) -> Iterator[bytes]:
    """Yields the header, and then the lines of each page of traces."""
    yield written([COLUMNS])
    for page in pages:
        yield written([cell(row[name]) for name in COLUMNS] for row in page)
