"""Renders the page of one trace and its parts."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

import orjson
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from explorer import trace
from explorer.answers import span_answer, trace_answer
from explorer.api import NO_SPAN, NO_TRACE, as_json
from explorer.content import content_of
from explorer.conversation import conversation, record_of
from explorer.latency import LABELS, latency_split
from explorer.person_scores import give
from explorer.summaries import TraceSummary
from explorer.trace import MAX_SPANS, TreeSpan
from explorer.tree import drawn, nodes_of
from explorer.visible import events_of, links_of, own_attributes
from web.problems import Problem
from workspaces.access import WorkspaceRequest, page_access, workspace_access
from workspaces.content import NOT_STORED, ContentRequest, content_aware
from workspaces.request_slots import request_slot

LIVE_FOR = timedelta(hours=1)
LIVE_SECONDS, QUIET_SECONDS = 5, 60
"""How often the page of a trace asks for new spans: one that ended within the last hour, and an older one."""


@require_safe
@page_access
def trace_page(request: WorkspaceRequest, trace_id: str) -> HttpResponse:
    with request_slot(request.workspace.id):
        summary = trace.summary(request.workspace.id, trace_id)
        if summary is None:
            return not_found(request)
        # Without its spans, which static/trace.js asks for: the page is painted before thousands of them are read.
        context = page_context(request) | head_context(request, summary)
        response = render(request, "explorer/trace.html", context)
    response["Cache-Control"] = "private, no-store"
    return response


def page_context(request: WorkspaceRequest) -> dict[str, Any]:
    """Returns the variables of the frame around every page."""
    return {"workspace": request.workspace, "workspaces": request.workspaces}


def not_found(request: WorkspaceRequest) -> HttpResponse:
    """Returns the same page whether another workspace has the trace or none."""
    response = render(request, "explorer/no_trace.html", page_context(request), status=404)
    response["Cache-Control"] = "private, no-store"
    return response


def head_context(request: WorkspaceRequest, summary: TraceSummary) -> dict[str, Any]:
    return {
        "trace": summary,
        "workspace": request.workspace,
        "not_shown": max(0, summary["span_count"] - MAX_SPANS),
        "poll_seconds": poll_seconds(summary),
    }


def poll_seconds(summary: TraceSummary) -> int:
    ended = summary["started_at"] + timedelta(milliseconds=summary["latency_ms"])
    return LIVE_SECONDS if datetime.now(UTC) - ended < LIVE_FOR and summary["span_count"] < MAX_SPANS else QUIET_SECONDS


def rows_json(summary: TraceSummary, spans: list[TreeSpan]) -> bytes:
    """Returns what static/trace.js draws, with a version that changes with it."""
    split = [(activity, LABELS[activity], ms) for activity, ms in latency_split(spans).items()]
    body = {"duration_ms": summary["latency_ms"], "split": split, "rows": drawn(nodes_of(spans))}
    return orjson.dumps({"version": f"{crc32(orjson.dumps(body)):08x}", **body})


# --- Parts of the page. Each has the trace's address and a word. ---


@require_safe
@workspace_access("read")
def trace_rows(request: WorkspaceRequest, trace_id: str) -> HttpResponse:
    """Returns the rows of the tree, or 204 while they are those of `?version=`."""
    with request_slot(request.workspace.id):
        summary = found_summary(request, trace_id)
        body = rows_json(summary, trace.tree_spans(request.workspace.id, summary))
    is_same = f'"version":"{request.GET.get("version", "")}"'.encode() in body[:40]
    return private(HttpResponse(status=204) if is_same else HttpResponse(body, content_type="application/json"))


@require_safe
@workspace_access("read")
def trace_head(request: WorkspaceRequest, trace_id: str) -> HttpResponse:
    with request_slot(request.workspace.id):
        summary = found_summary(request, trace_id)
        context = head_context(request, summary)
    return private(render(request, "explorer/_head.html", context))


@require_safe
@workspace_access("read")
@content_aware
def trace_conversation(request: ContentRequest, trace_id: str) -> HttpResponse:
    with request_slot(request.workspace.id):
        summary = found_summary(request, trace_id)
        found = trace.contents(request.workspace.id, trace_id) if request.content.is_granted else []
        turns = conversation(record_of(row, row["attributes"]) for row in found)
        context = {
            "trace": summary,
            "workspace": request.workspace,
            "turns": turns,
            "content": request.content,
            "not_stored": not_stored(request),
            "read_spans": len(found) if len(found) < summary["span_count"] else None,
            **scores_context(request, trace_id, None),
        }
        return private(render(request, "explorer/_conversation.html", context))


def not_stored(request: ContentRequest) -> str:
    """Returns the sentence that says why there is no content, if its storing is switched off."""
    return "" if request.content.is_stored else NOT_STORED


@require_safe
@workspace_access("read")
@content_aware
def span_panel(request: ContentRequest, trace_id: str, span_id: str) -> HttpResponse:
    with request_slot(request.workspace.id):
        span = trace.span(request.workspace.id, trace_id, span_id)
        if span is None:
            raise Problem(404, NO_SPAN)
        attributes = span["attributes"] if request.content.is_granted else {}
        context = {
            "span": span_answer(request.workspace.id, trace_id, span, request.content),
            "said": content_of(attributes, span["operation"], span["tool"] or span["name"]),
            "workspace": request.workspace,
            "content": request.content,
            "not_stored": not_stored(request),
            **scores_context(request, trace_id, span_id),
        }
        return private(render(request, "explorer/_span.html", context))


def scores_context(request: WorkspaceRequest, trace_id: str, span_id: str | None) -> dict[str, Any]:
    scores = trace.scores(request.workspace.id, trace_id)
    shown = [score for score in scores if span_id is None or score["span_id"] == span_id]
    return {"scores": shown, "trace_id": trace_id, "span_id": span_id, "may_score": request.access.key is None}


@require_POST
@workspace_access("read")
def give_score(request: WorkspaceRequest, trace_id: str) -> HttpResponse:
    """Stores what a person thinks of the trace or of one of its spans, and returns the list with it."""
    if request.access.key is not None:
        raise Problem(403, "A key sends scores to /api/v1/scores. This form is for people.")
    with request_slot(request.workspace.id):
        found_summary(request, trace_id)
        span_id = request.POST.get("span_id") or None
        if span_id and trace.span(request.workspace.id, trace_id, span_id) is None:
            raise Problem(404, NO_SPAN)
        give(request.workspace.id, trace_id, span_id, request.POST, request.access.credential)
        return private(render(request, "explorer/_scores.html", scores_context(request, trace_id, span_id)))


@require_safe
@page_access
@content_aware
def trace_download(request: ContentRequest, trace_id: str) -> HttpResponseBase:
    """Returns the trace as a file: as the API answers, with the attributes of as many spans as have room."""
    workspace_id = request.workspace.id
    with request_slot(workspace_id):
        summary = trace.summary(workspace_id, trace_id)
        if summary is None:
            return not_found(request)
        spans = trace.spans(workspace_id, trace_id)
        answer: dict[str, Any] = {**trace_answer(workspace_id, summary, spans, request.content, None)}
        answer["spans"] = with_attributes(request, trace_id, answer["spans"])
    response = HttpResponse(as_json(answer), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="trace-{safe_name(trace_id)}.json"'
    return private(response)


def with_attributes(request: ContentRequest, trace_id: str, spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    sees = request.content.is_granted
    found = {row["span_id"]: row["attributes"] for row in trace.contents(request.workspace.id, trace_id)}
    return [
        {
            **span,
            "attributes": own_attributes(found[span["span_id"]], sees),
            "events": events_of(found[span["span_id"]], sees),
            "links": links_of(found[span["span_id"]]),
        }
        if span["span_id"] in found
        else span
        for span in spans
    ]


def safe_name(text: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text)[:64]


def found_summary(request: WorkspaceRequest, trace_id: str) -> TraceSummary:
    summary = trace.summary(request.workspace.id, trace_id)
    if summary is None:
        raise Problem(404, NO_TRACE)
    return summary


def private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "private, no-store"
    patch_vary_headers(response, ["HX-Request", "X-Workspace-ID", "Authorization", "Cookie"])
    return response
