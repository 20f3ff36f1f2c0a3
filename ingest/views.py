"""The endpoints that clients send traces to. Each reads the body, decodes it by its format and stores the spans."""

import logging
from functools import wraps
from typing import Any

import orjson
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from ingest.accepted_time import spans_ahead
from ingest.formats import agents_sdk, langfuse, langfuse_events, otlp, otlp_json, otlp_logs, otlp_protobuf
from ingest.formats import json_traces as plain_json
from ingest.formats import scores as plain_scores
from ingest.items import store_items
from ingest.spans import Decoded
from ingest.store import store_scores, store_spans
from web import prometheus
from web.body import read_body
from web.clock import clock
from web.declared_access import View
from web.problems import Problem, unavailable
from workspaces.access import WorkspaceRequest, workspace_access
from workspaces.models import ApiKey

logger = logging.getLogger(__name__)

JSON = "application/json"
PROTOBUF = ("application/x-protobuf", "application/protobuf")


def ingestion(view: View) -> View:
    """Decorates a view that takes spans or scores. It answers 503 while nobody knows what time it is."""

    @wraps(view)
    def checked(request: WorkspaceRequest) -> HttpResponseBase:
        if fault := clock.fault():
            raise unavailable(f"{fault} Nothing is stored until they agree; try again later.", "clock")
        with spans_ahead() as seconds:
            response = view(request)
        if seconds and request.access.key:
            note_clock_ahead(request.access.key, max(seconds))
        return response

    return csrf_exempt(require_POST(workspace_access("ingest")(checked)))


def note_clock_ahead(key: ApiKey, seconds: float) -> None:
    """Stores that a client's clock is ahead. A failure is only logged: the rest of the request is stored already."""
    try:
        key.record_clock_ahead(seconds)
    except DatabaseError as error:
        logger.warning("that a clock is ahead could not be stored: %s", error)


@ingestion
def json_traces(request: WorkspaceRequest) -> HttpResponse:
    require_json(request)
    rows, rejections = plain_json.rows_and_rejections(plain_json.items(read_body(request)))
    stored = store_items(request.workspace, rows)
    prometheus.count_rejected(map(plain_json.reason, rejections))
    return json_response({**stored._asdict(), "rejected": rejections}, status=422 if rejections and not rows else 200)


@ingestion
def otlp_traces(request: WorkspaceRequest) -> HttpResponse:
    as_json = is_otlp_json(request)
    body = read_body(request)
    return store_and_respond(request, otlp_json.decode(body) if as_json else otlp_protobuf.decode(body), as_json)


@ingestion
def agents_sdk_traces(request: WorkspaceRequest) -> HttpResponse:
    require_json(request)
    decoded = agents_sdk.decode(read_body(request))
    response = store_and_respond(request, decoded, as_json=True)
    if decoded.rejections and not decoded.spans:
        response.status_code = 422  # the SDK logs an error by its status, and reads no body
    return response


@ingestion
def otlp_log_records(request: WorkspaceRequest) -> HttpResponse:
    """Stores the evaluations in a log. Exporters send logs by default; all other records repeat the spans."""
    as_json = is_otlp_json(request)
    body = read_body(request)
    evaluations = otlp_logs.decode(body, as_json, request.access.credential)
    logger.info("logs of workspace %s: %d bytes, %d scores", request.workspace.id, len(body), len(evaluations.scores))
    store_spans(request.workspace, Decoded([], [], evaluations.scores))
    return otlp_response(otlp_logs.response_body(evaluations.rejections, as_json), as_json)


@csrf_exempt
@require_POST
@workspace_access("ingest")
def otlp_metrics(request: WorkspaceRequest) -> HttpResponse:
    """Takes metrics and stores none: they repeat the spans. It answers 200, because a refusal stops no exporter."""
    as_json = is_otlp_json(request)
    size = len(read_body(request))
    logger.info("metrics of workspace %s: %d bytes, not stored", request.workspace.id, size)
    return otlp_response(otlp.response_body([], as_json), as_json)


@ingestion
def scores(request: WorkspaceRequest) -> HttpResponse:
    require_json(request)
    items = plain_scores.items(read_body(request))
    found, rejections = plain_scores.scores_and_rejections(items, request.access.credential)
    stored = store_scores(request.workspace.id, found)
    status = 422 if rejections and not found else 200
    return json_response(stored._asdict() | {"rejected": rejections}, status)


@require_GET
@workspace_access("ingest")
def langfuse_projects(request: WorkspaceRequest) -> HttpResponse:
    return json_response(langfuse.projects(request.workspace))


@ingestion
def langfuse_scores(request: WorkspaceRequest) -> HttpResponse:
    found, reasons = langfuse.scores(read_body(request), request.access.credential)
    store_scores(request.workspace.id, found)
    answer = {"id": found[0].id if found else None}
    return json_response(answer | {"errors": reasons}, status=207) if reasons else json_response(answer)


@ingestion
def langfuse_ingestion(request: WorkspaceRequest) -> HttpResponse:
    batch = langfuse_events.decode(read_body(request), request.access.credential)
    store(request, batch.decoded)
    return json_response(batch.answer, status=207)


# --- Steps that several endpoints share ---


def store_and_respond(request: WorkspaceRequest, decoded: Decoded, as_json: bool) -> HttpResponse:
    store(request, decoded)
    return otlp_response(otlp.response_body(decoded.rejections, as_json), as_json)


def store(request: WorkspaceRequest, decoded: Decoded) -> None:
    store_spans(request.workspace, decoded, request.access.credential)
    prometheus.count_rejected(rejection.reason for rejection in decoded.rejections)


def require_json(request: HttpRequest) -> None:
    if request.content_type != JSON:
        raise Problem(415, "Send the traces as Content-Type: application/json.")


def is_otlp_json(request: HttpRequest) -> bool:
    """Returns whether the body is JSON; otherwise it is protobuf. Raises 415 for other types."""
    if request.content_type not in (JSON, *PROTOBUF):
        raise Problem(415, "Send OTLP as Content-Type: application/x-protobuf or application/json.")
    return request.content_type == JSON


def otlp_response(body: bytes, as_json: bool) -> HttpResponse:
    return HttpResponse(body, content_type=JSON if as_json else PROTOBUF[0])


def json_response(body: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(orjson.dumps(body), content_type=JSON, status=status)
