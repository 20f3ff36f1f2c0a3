"""Answers PUT to `/api/v1/cost/budget`: changes the budget and returns it."""

import orjson
from django.db import DatabaseError
from django.http import HttpResponse, QueryDict
from django.shortcuts import render

from analytics import panel_extras, query_string
from analytics.answers import as_json
from budgets.answer import answer_with_unknown_spend, budget_answer
from budgets.models import own_budget
from budgets.update import parse_budget, save
from web import problems
from workspaces.access import WorkspaceRequest, workspace_access


@workspace_access("write")
def update(request: WorkspaceRequest, template: str) -> HttpResponse:
    changes = parse_budget(request)
    save(request.workspace, changes.model_dump(exclude_unset=True), request.access.credential)
    try:
        body = as_json(budget_answer(request.workspace))
    except DatabaseError as error:
        if problems.transient_cause(error) is None:
            raise
        return saved_with_unknown_spend(request)
    if request.htmx:
        filters = query_string.parse_filters(QueryDict(), request.workspace.id, zone=request.workspace.zone)
        context = {"data": orjson.loads(body), "filters": filters, "workspace": request.workspace}
        return render(request, template, context | panel_extras.cost_budget(filters, request.workspace))
    return json_response(body)


def json_response(body: bytes | str) -> HttpResponse:
    response = HttpResponse(body, content_type="application/json")
    response["Cache-Control"] = "private, no-store"
    return response


def saved_with_unknown_spend(request: WorkspaceRequest) -> HttpResponse:
    """Makes the response while the analytics database is unreachable: the budget is in the other database."""
    if request.htmx:
        detail = "The budget is saved. The month's spend is unknown while the database of traces does not answer."
        return render(request, "_problem.html", {"title": "Saved", "problem": problems.Problem(200, detail)})
    budget = own_budget(request.workspace)
    body = as_json(answer_with_unknown_spend(request.workspace, budget))
    return json_response(body)
