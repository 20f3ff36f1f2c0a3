"""Answers the requests of the Langfuse SDKs other than OTLP and events: the project of a key, and single scores."""

from typing import Any

from ingest.formats.json_values import checked_count, parse_spans_json
from ingest.formats.scores import langfuse_score
from ingest.spans import RejectedSpan
from traces.scores import Score
from web.problems import FieldError, Problem
from workspaces.models import Workspace


def projects(workspace: Workspace) -> dict[str, Any]:
    """Returns the project that a key belongs to. The SDKs refuse a project without an organization."""
    project = {"id": str(workspace.id), "name": workspace.name}
    return {"data": [project | {"metadata": {}, "organization": project}]}


def scores(body: bytes, author: str | None) -> tuple[list[Score], list[str]]:
    """Returns the scores of a body, which is one score or a list, and the reasons why others are none.

    Raises a 422 Problem if none of them can be stored.
    """
    request = parse_spans_json(body)
    items = checked_count(request, "scores") if isinstance(request, list) else [request]
    found: list[Score] = []
    errors: list[FieldError] = []
    for index, item in enumerate(items):
        try:
            found.append(langfuse_score(item, None, author))
        except RejectedSpan as reason:
            errors.append({"loc": ["body", index], "msg": str(reason)})
    if errors and not found:
        raise Problem(422, "None of the scores can be stored.", errors)
    return found, [error["msg"] for error in errors]
