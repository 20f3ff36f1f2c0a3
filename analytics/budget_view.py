"""Makes the view of `/api/v1/cost/budget`: GET is a metric like the others; PUT changes and returns the budget."""

import orjson
from django.db import DatabaseError
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from analytics import query_string
from analytics.answers import as_json
from analytics.catalogue import METRICS
from budgets.answer import answer_with_unknown_spend, budget_answer
from budgets.models import Budget
from budgets.update import parse_budget, save
from web import problems
from web.declared_access import View, declare
from workspaces.access import WorkspaceRequest, workspace_access


def budget_view(read_view: View) -> View:
    """Makes the view of a path to which PUT writes. The metric view `read_view` handles all other methods."""

    @csrf_exempt
    def view(request: WorkspaceRequest) -> HttpResponseBase:
        return update(request) if request.method == "PUT" else with_put_allowed(read_view(request))

    return declare(view, "read, or write to PUT")


def with_put_allowed(response: HttpResponseBase) -> HttpResponseBase:
    """Adds PUT to the methods that a 405 response names."""
    if response.status_code == 405:
        response["Allow"] = "GET, HEAD, PUT"
    return response


@workspace_access("write")
def update(request: WorkspaceRequest) -> HttpResponse:
    changes = parse_budget(request)
    save(request.workspace, changes.model_dump(exclude_unset=True), request.access.credential)
    try:
        body = as_json(budget_answer(request.workspace))
    except DatabaseError as error:
        if problems.transient_cause(error) is None:
            raise
        return saved_with_unknown_spend(request)
    if request.htmx:
        filters = query_string.parse_filters(QueryDict(), request.workspace.id)
        context = {"data": orjson.loads(body), "filters": filters, "workspace": request.workspace}
        return render(request, METRICS["cost/budget"].template, context)
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
    budget = Budget.objects.get(workspace=request.workspace)
    body = as_json(answer_with_unknown_spend(request.workspace, budget))
    return json_response(body)
