"""Answers the requests of the Langfuse SDKs other than OTLP: the project of a key, scores, and events in batches."""

from typing import Any

from ingest.formats.json_values import as_objects, parse_spans_json
from traces.text import ID_LENGTH, clean
from web.problems import Problem
from workspaces.models import Workspace


def projects(workspace: Workspace) -> dict[str, Any]:
    """Returns the project that a key belongs to. The SDKs refuse a project without an organization."""
    project = {"id": str(workspace.id), "name": workspace.name}
    return {"data": [project | {"metadata": {}, "organization": project}]}


def score_response(body: bytes) -> dict[str, Any]:
    score = parse_spans_json(body)
    first = next(iter(score), None) if isinstance(score, list) else score
    return {"id": printable_id(first)}


def ingestion_response(body: bytes) -> dict[str, Any]:
    request = parse_spans_json(body)
    if not isinstance(request, dict):
        raise Problem(400, 'The body must be {"batch": [..]}.')
    successes = [{"id": printable_id(event), "status": 201} for event in as_objects(request.get("batch"))]
    return {"successes": successes, "errors": []}


def printable_id(event: Any) -> str | None:
    """Returns the id for the response if it is a text. Some other JSON can be read but not written."""
    event_id = event.get("id") if isinstance(event, dict) else None
    return clean(event_id, ID_LENGTH) if isinstance(event_id, str) else None
