import logging
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from ingest import agents_sdk, bounds, otlp
from ingest import json_traces as traces
from ingest.otlp import listed
from ingest.record import record
from ingest.spans import Decoded
from prices import pricing
from traces import writer
from traces.text import ID_LENGTH, clean
from web import metrics
from web.body import read_body
from web.declared_access import View
from web.problems import Problem
from workspaces.access import WorkspaceRequest, workspace_access

logger = logging.getLogger(__name__)

PROTOBUF = ("application/x-protobuf", "application/protobuf")


@csrf_exempt
@require_POST
@workspace_access("ingest")
def json_traces(request: WorkspaceRequest) -> HttpResponse:
    if not traces.is_json(request):
        raise Problem(415, "Send the traces as Content-Type: application/json.")
    rows, rejected = traces.rows_and_refusals(traces.items(read_body(request)))
    pricing.price(request.workspace.id, rows)
    stored = writer.store(request.workspace.id, rows)
    metrics.ingested(stored.accepted, stored.duplicates, map(traces.reason, rejected))
    return traces.json_response({"accepted": stored.accepted, "duplicates": stored.duplicates, "rejected": rejected})


@csrf_exempt
@require_POST
@workspace_access("ingest")
def otlp_traces(request: WorkspaceRequest) -> HttpResponse:
    as_json = speaks_json(request)
    body = read_body(request)
    return recorded(request, otlp.decode_json(body) if as_json else otlp.decode_protobuf(body), as_json)


@csrf_exempt
@require_POST
@workspace_access("ingest")
def agents_sdk_traces(request: WorkspaceRequest) -> HttpResponse:
    if not traces.is_json(request):
        raise Problem(415, "Send the traces as Content-Type: application/json.")
    return recorded(request, agents_sdk.decode(read_body(request)), as_json=True)


def recorded(request: WorkspaceRequest, decoded: Decoded, as_json: bool) -> HttpResponse:
    stored = record(request.workspace, decoded)
    metrics.ingested(stored.accepted, stored.duplicates, map(metrics.reason_of, decoded.refused))
    return encoded(otlp.answer(decoded.refused, as_json), as_json)


def speaks_json(request: HttpRequest) -> bool:
    if request.content_type in PROTOBUF:
        return False
    if traces.is_json(request):
        return True
    raise Problem(415, "Send OTLP as Content-Type: application/x-protobuf or application/json.")


def encoded(body: bytes, as_json: bool) -> HttpResponse:
    return HttpResponse(body, content_type="application/json" if as_json else PROTOBUF[0])


def not_stored(signal: str) -> View:
    """Exporters send logs and metrics unasked; they repeat what the spans say, and refusing them stops nobody."""

    @csrf_exempt
    @require_POST
    @workspace_access("ingest")
    def view(request: WorkspaceRequest) -> HttpResponse:
        as_json = speaks_json(request)
        size = len(read_body(request))
        logger.info("%s of workspace %s: %d bytes, not stored", signal, request.workspace.id, size)
        return encoded(otlp.answer([], as_json), as_json)

    return view


# What the Langfuse SDKs ask for beside OTLP.


@require_GET
@workspace_access("ingest")
def langfuse_projects(request: WorkspaceRequest) -> HttpResponse:
    itself = {"id": str(request.workspace.id), "name": request.workspace.name}
    # The SDKs refuse a project without an organization.
    return traces.json_response({"data": [itself | {"metadata": {}, "organization": itself}]})


@csrf_exempt
@require_POST
@workspace_access("ingest")
def langfuse_scores(request: WorkspaceRequest) -> HttpResponse:
    given = bounds.parsed_json(read_body(request))
    first = next(iter(given), None) if isinstance(given, list) else given
    return traces.json_response({"id": told_id(first)})


@csrf_exempt
@require_POST
@workspace_access("ingest")
def langfuse_ingestion(request: WorkspaceRequest) -> HttpResponse:
    given = bounds.parsed_json(read_body(request))
    if not isinstance(given, dict):
        raise Problem(400, 'The body must be {"batch": [..]}.')
    events: list[dict[str, Any]] = [event for event in listed(given.get("batch")) if isinstance(event, dict)]
    successes = [{"id": told_id(event), "status": 201} for event in events]
    response = traces.json_response({"successes": successes, "errors": []})
    response.status_code = 207
    return response


def told_id(event: Any) -> str | None:
    """Repeated to the client only as the text it should be: not every JSON that can be read can be written."""
    given = event.get("id") if isinstance(event, dict) else None
    return clean(given, ID_LENGTH) if isinstance(given, str) else None
