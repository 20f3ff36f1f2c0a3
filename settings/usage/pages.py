"""Renders the page that says how much the workspace stores."""

from datetime import UTC, datetime
from typing import Any

from django.db import DatabaseError
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from analytics.budget_pages import as_data
from settings.page import page, page_context
from settings.usage.items import usage
from web.problems import transient_cause
from workspaces.access import WorkspaceRequest, page_access
from workspaces.models import Workspace
from workspaces.request_slots import request_slot

NAMES = {
    "traces": "Spans, with their attributes and content",
    "scores": "Scores",
    "lists": "Lists of traces and sessions",
    "sums": "Sums, which charts read",
}


@require_safe
@page_access
def usage_page(request: WorkspaceRequest) -> HttpResponseBase:
    found = known_usage(request.workspace)
    tables = [one | {"title": NAMES[one["name"]]} for one in (found["tables"] if found else [])]
    return page(request, "usage", page_context(request) | {"usage": found, "tables": tables})


def known_usage(workspace: Workspace) -> Any:
    """Returns the usage; None while the database of traces does not answer."""
    try:
        with request_slot(workspace.id):
            return as_data(usage(workspace, datetime.now(UTC)))
    except DatabaseError as error:
        if transient_cause(error) is None:
            raise
        return None
