"""The endpoints that clients send traces to. Each reads the body, decodes it by its format and stores the spans."""

import logging
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from ingest.formats import agents_sdk, langfuse, otlp, otlp_json, otlp_protobuf
from ingest.formats import json_traces as plain_json
from ingest.spans import Decoded, Rejection
from ingest.store import store_spans
from prices import pricing
from traces import writer
from web import prometheus
from web.body import read_body
from web.declared_access import View
from web.problems import Problem
from workspaces.access import WorkspaceRequest, workspace_access

logger = logging.getLogger(__name__)

JSON = "application/json"
PROTOBUF = ("application/x-protobuf", "application/protobuf")


@csrf_exempt
@require_POST
@workspace_access("ingest")
def json_traces(request: WorkspaceRequest) -> HttpResponse:
    require_json(request)
    rows, rejections = plain_json.rows_and_rejections(plain_json.items(read_body(request)))
    pricing.price(request.workspace.id, rows)
    stored = writer.store(request.workspace.id, rows)
    prometheus.count_ingested(stored.accepted, stored.duplicates, map(plain_json.reason, rejections))
    return json_response({"accepted": stored.accepted, "duplicates": stored.duplicates, "rejected": rejections})


@csrf_exempt
@require_POST
@workspace_access("ingest")
def otlp_traces(request: WorkspaceRequest) -> HttpResponse:
    as_json = is_otlp_json(request)
    body = read_body(request)
    return store_and_respond(request, otlp_json.decode(body) if as_json else otlp_protobuf.decode(body), as_json)


@csrf_exempt
@require_POST
@workspace_access("ingest")
def agents_sdk_traces(request: WorkspaceRequest) -> HttpResponse:
    require_json(request)
    return store_and_respond(request, agents_sdk.decode(read_body(request)), as_json=True)


def otlp_ignored(signal: str) -> View:
    """Makes the view for logs or metrics. Exporters send both by default; they repeat the spans, so nothing is stored.

    It answers 200, because a refusal does not stop the exporters.
    """

    @csrf_exempt
    @require_POST
    @workspace_access("ingest")
    def view(request: WorkspaceRequest) -> HttpResponse:
        as_json = is_otlp_json(request)
        size = len(read_body(request))
        logger.info("%s of workspace %s: %d bytes, not stored", signal, request.workspace.id, size)
        return otlp_response([], as_json)

    return view


@require_GET
@workspace_access("ingest")
def langfuse_projects(request: WorkspaceRequest) -> HttpResponse:
    return json_response(langfuse.projects(request.workspace))


@csrf_exempt
@require_POST
@workspace_access("ingest")
def langfuse_scores(request: WorkspaceRequest) -> HttpResponse:
    return json_response(langfuse.score_response(read_body(request)))


@csrf_exempt
@require_POST
@workspace_access("ingest")
def langfuse_ingestion(request: WorkspaceRequest) -> HttpResponse:
    return json_response(langfuse.ingestion_response(read_body(request)), status=207)


# --- Steps that several endpoints share ---


def store_and_respond(request: WorkspaceRequest, decoded: Decoded, as_json: bool) -> HttpResponse:
    stored = store_spans(request.workspace, decoded)
    reasons = (rejection.reason for rejection in decoded.rejections)
    prometheus.count_ingested(stored.accepted, stored.duplicates, reasons)
    return otlp_response(decoded.rejections, as_json)


def require_json(request: HttpRequest) -> None:
    if request.content_type != JSON:
        raise Problem(415, "Send the traces as Content-Type: application/json.")


def is_otlp_json(request: HttpRequest) -> bool:
    """Returns whether the body is JSON; otherwise it is protobuf. Raises 415 for other types."""
    if request.content_type not in (JSON, *PROTOBUF):
        raise Problem(415, "Send OTLP as Content-Type: application/x-protobuf or application/json.")
    return request.content_type == JSON


def otlp_response(rejections: list[Rejection], as_json: bool) -> HttpResponse:
    return HttpResponse(otlp.response_body(rejections, as_json), content_type=JSON if as_json else PROTOBUF[0])


def json_response(body: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(orjson.dumps(body), content_type=JSON, status=status)
