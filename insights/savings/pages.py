"""Renders the page of savings, and takes what its forms send: a computation now, and decisions."""

from datetime import UTC, datetime
from typing import Any

import orjson
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from analytics.answers import as_json
from analytics.budget_pages import check_may_write
from analytics.pages import uncached
from insights.savings import api, items
from insights.savings.models import REASON_LENGTH, STATES, SavingState
from web.problems import Problem
from workspaces.access import WorkspaceRequest, access_of_visitor, may_write, page_access

NO_SUCH_STATE = "There is no such state."


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def savings_page(request: WorkspaceRequest) -> HttpResponseBase:
    problem: Problem | None = None
    if request.method == "POST":
        check_may_write(request)
        try:
            act(request)
            return redirect(f"{reverse('savings-page')}?workspace={request.workspace.id}&state={shown_state(request)}")
        except Problem as error:
            problem = error
    return page(request, problem)


def act(request: WorkspaceRequest) -> None:
    if "compute" in request.POST:
        api.ask(request.workspace, datetime.now(UTC))
        return
    saving = api.find(request.workspace, request.POST.get("saving", ""))
    state = next((name for name in STATES if name == request.POST.get("decision")), None)
    if state is None:
        raise Problem(422, NO_SUCH_STATE)
    reason = request.POST.get("reason", "").replace("\0", "")[:REASON_LENGTH]
    api.decided(saving, state, reason, access_of_visitor(request).credential)


def shown_state(request: WorkspaceRequest) -> SavingState:
    asked = request.GET.get("state")
    return next((name for name in STATES if name == asked), "open")


def page(request: WorkspaceRequest, problem: Problem | None) -> HttpResponse:
    state = shown_state(request)
    found = items.savings(request.workspace, state, datetime.now(UTC))
    context: dict[str, Any] = {
        "workspace": request.workspace,
        "workspaces": request.workspaces,
        "is_writer": may_write(request),
        "states": STATES,
        "state": state,
        "found": orjson.loads(as_json(found)),
        "errors": [error["msg"] for error in problem.errors] or [problem.detail] if problem else [],
    }
    return uncached(render(request, "insights/savings.html", context, status=problem.status if problem else 200))
