"""The requests of the Langfuse SDKs other than OTLP: the project of a key, scores, and events in batches."""

from typing import Any

from ingest.formats.json_values import as_objects, parsed
from traces.text import ID_LENGTH, clean
from web.problems import Problem
from workspaces.models import Workspace


def projects(workspace: Workspace) -> dict[str, Any]:
    """The project that a key belongs to. The SDKs refuse a project without an organization."""
    project = {"id": str(workspace.id), "name": workspace.name}
    return {"data": [project | {"metadata": {}, "organization": project}]}


def score_answer(body: bytes) -> dict[str, Any]:
    score = parsed(body)
    first = next(iter(score), None) if isinstance(score, list) else score
    return {"id": printable_id(first)}


def ingestion_answer(body: bytes) -> dict[str, Any]:
    request = parsed(body)
    if not isinstance(request, dict):
        raise Problem(400, 'The body must be {"batch": [..]}.')
    successes = [{"id": printable_id(event), "status": 201} for event in as_objects(request.get("batch"))]
    return {"successes": successes, "errors": []}


def printable_id(event: Any) -> str | None:
    """The id for the answer, if it is a text: some JSON can be read but not written."""
    found = event.get("id") if isinstance(event, dict) else None
    return clean(found, ID_LENGTH) if isinstance(found, str) else None
