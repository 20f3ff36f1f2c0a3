"""Makes the response of a panel: HTML to htmx, JSON or CSV to others."""

from functools import partial
from typing import Any
from uuid import UUID

import orjson
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.text import slugify

from analytics.csv_answer import data_response
from analytics.large_answers import large_slot
from analytics.page_questions import newest_span
from analytics.panel_extras import slots_of
from analytics.query import QueryAnswer
from dashboards import checking, questions, rights, titles
from dashboards.asking import Asked, PanelAnswer
from dashboards.panels import kinds
from web.problems import Problem
from workspaces.access import WorkspaceRequest, workspace_access
from workspaces.models import Workspace

NOT_DRAWN = "This panel cannot be drawn."


@workspace_access("read")
def panel(request: WorkspaceRequest, dashboard_id: UUID, panel_id: str) -> HttpResponse:
    """Answers a panel of a dashboard."""
    dashboard = rights.visible(request, dashboard_id)
    return panel_response(request, asked_panel(request.workspace, dashboard.document, panel_id, request.GET))


def asked_panel(workspace: Workspace, document: dict[str, Any], panel_id: str, chosen: QueryDict) -> Asked:
    """Returns the panel of a stored document, or raises a Problem that says what is wrong with it."""
    stored = checking.stored(document)
    found = stored.document.panel(panel_id)
    if found is None:
        raise not_drawn(next((one.errors for one in stored.invalid if one.id == panel_id), None))
    return Asked(workspace, stored.document, found, chosen)


def not_drawn(errors: list[str] | None) -> Problem:
    if errors is None:
        return Problem(404, "There is no such panel in this dashboard.")
    return Problem(422, f"{NOT_DRAWN} {'; '.join(errors)}")


def panel_response(request: WorkspaceRequest, asked: Asked) -> HttpResponse:
    try:
        response = answered(request, asked)
    except Problem as problem:
        raise explained(problem) from problem
    response["Cache-Control"] = "private"
    patch_vary_headers(response, ["HX-Request", "X-Workspace-ID", "Authorization", "Cookie"])
    return response


def explained(problem: Problem) -> Problem:
    """Says of what a panel cannot answer that it is this panel. A budget or rule that is gone is no missing address."""
    if problem.status not in (404, 422):
        return problem
    return Problem(422, NOT_DRAWN if problem.errors else f"{NOT_DRAWN} {problem.detail}", problem.errors)


def answered(request: WorkspaceRequest, asked: Asked) -> HttpResponse:
    kind = kinds()[asked.panel.kind]
    with large_slot(kind.points(asked), asked.workspace.pk):
        found = kind.answer(asked)
        response = rendered(request, asked, found) if request.htmx else data(asked, found)
    response["X-Cache"] = "hit" if found.is_hit else "miss"
    response["Age"] = str(found.age_seconds)
    return response


def data(asked: Asked, found: PanelAnswer) -> HttpResponse:
    if found.parameters is None:
        return HttpResponse(found.body, content_type="application/json")
    name = slugify(titles.title_of(asked)) or asked.panel.kind
    return data_response(asked.chosen, found.body, name, found.filters, QueryAnswer)


def rendered(request: WorkspaceRequest, asked: Asked, found: PanelAnswer) -> HttpResponse:
    kind, data = kinds()[asked.panel.kind], orjson.loads(found.body)
    by = asked.panel.by if found.parameters else []
    context = {
        "data": data,
        "panel": asked.panel,
        "title": titles.title_of(asked),
        "filters": found.filters,
        "workspace": asked.workspace,
        "slots": slots_of(by[0], found.filters, asked.workspace) if by else {},
        "elsewhere": elsewhere(asked),
        "newest_span": partial(newest_span, asked.workspace.pk),
        "name": f"{kind.name}-{asked.panel.id}",
    }
    return render(request, kind.template, context | kind.context(asked, data, found.filters))


def elsewhere(asked: Asked) -> QueryDict:
    """Returns the window and all filters of the panel, for links to other pages."""
    query = questions.window_query(asked.document, asked.panel, asked.chosen)
    query["workspace"] = str(asked.workspace.pk)
    return query
