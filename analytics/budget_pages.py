"""Renders the pages of budgets: all of them, one of them, and the form that makes or changes one.

The pages show budgets also while the database of traces does not answer: what was spent is unknown then.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db import DatabaseError
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from pydantic import ConfigDict

from analytics import budget_forms
from analytics.answers import SERIES_TTL_SECONDS, answer_data, as_json
from analytics.endpoints import ListQuery, cursor_of, parameters_of
from analytics.page_questions import LABEL_NAMES, choices_of
from analytics.pages import MAX_CHOICES, uncached
from budgets import changes, items
from budgets.bodies import BudgetChanges, NewBudget, NewRaise, OwnBudget, changed_body, validated
from budgets.models import Budget
from budgets.preview import preview
from budgets.states import page_of, running
from traces.buckets import midnight
from traces.filters import LABEL_PREFIX, Filters
from web.problems import Problem, transient_cause
from workspaces.access import WorkspaceRequest, may_write, page_access, visitor_name, workspace_access
from workspaces.access import check_may_write as check_may_write
from workspaces.models import Workspace
from workspaces.request_slots import request_slot

author = visitor_name


class PageQuery(ListQuery):
    model_config = ConfigDict(extra="ignore")


LABELS_OF_DAYS = timedelta(days=30)
CALENDAR_PERIODS_SHOWN = 24


def page_context(request: WorkspaceRequest) -> dict[str, Any]:
    return {
        "workspace": request.workspace,
        "workspaces": request.workspaces,
        "is_writer": may_write(request),
    }


def as_data(found: Any) -> Any:
    """Returns an answer as the API gives it, so that templates show the same."""
    return orjson.loads(as_json({"data": found}))["data"]


def page_url(request: WorkspaceRequest, name: str, *args: Any) -> str:
    return f"{reverse(name, args=args)}?workspace={request.workspace.id}"


# --- All budgets ---


@require_safe
@page_access
def budgets_page(request: WorkspaceRequest) -> HttpResponse:
    query = parameters_of(request.GET, PageQuery)
    budgets, following = page_of(request.workspace, datetime.now(UTC), query.cursor)
    found = known_items(request, budgets)
    context = page_context(request) | {
        "is_known": found is not None,
        "cards": [one for one in found or () if not one["per"]],
        "templates": [one for one in found or () if one["per"]],
        "budgets": budgets,
        "next_cursor": cursor_of(following),
    }
    return uncached(render(request, "budgets/page.html", context))


def known_items(request: WorkspaceRequest, budgets: list[Budget]) -> Any:
    """Returns the budgets with where they stand and who spends the most; None while that is unknown."""
    now = datetime.now(UTC)
    try:
        with request_slot(request.workspace.id):
            found = items.items(budgets, now)
            of_period = [one for budget in budgets if not budget.per and (one := running(budget, now))]
            named = dict(zip([one.budget.pk for one in of_period], items.contributors(of_period), strict=True))
    except DatabaseError as error:
        if transient_cause(error) is None:
            raise
        return None
    return as_data([{**one, "contributors": named.get(one["id"], [])} for one in found])


# --- One budget ---


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def budget_page(request: WorkspaceRequest, budget_id: UUID) -> HttpResponseBase:
    errors: list[str] = []
    if request.method == "POST":
        errors = act(request, budget_id)
        if not errors:
            is_gone = "delete" in request.POST
            return redirect(page_url(request, "budgets-page") if is_gone else own_url(request, budget_id))
    search = request.GET.get("search", "").replace("\0", "")[:256]
    budget = changes.find(request.workspace, budget_id)
    context = page_context(request) | {
        "budget": budget,
        "one": known_detail(request, budget, search),
        "search": search,
        "errors": errors,
        "form": request.POST if errors else {},
        "today": datetime.now(request.workspace.zone).date().isoformat(),
    }
    return uncached(render(request, "budgets/one.html", context, status=422 if errors else 200))


def own_url(request: WorkspaceRequest, budget_id: UUID) -> str:
    return page_url(request, "budget-page", budget_id)


def known_detail(request: WorkspaceRequest, budget: Budget, search: str) -> Any:
    try:
        with request_slot(request.workspace.id):
            return as_data(items.detail(budget, datetime.now(UTC), search, periods=CALENDAR_PERIODS_SHOWN))
    except DatabaseError as error:
        if transient_cause(error) is None:
            raise
        return None


def act(request: WorkspaceRequest, budget_id: UUID) -> list[str]:
    """Does what the form says. Returns what is wrong with it, in words."""
    check_may_write(request)
    changed_by, now = author(request), datetime.now(UTC)
    try:
        if "delete" in request.POST:
            changes.delete(request.workspace, budget_id, changed_by)
        elif "end" in request.POST:
            changes.end_raises(request.workspace, budget_id, changed_by, now)
        else:
            body = validated(raise_body(request), NewRaise, "raise")
            changes.raise_limit(request.workspace, budget_id, body, changed_by, now)
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        return words_of(problem)
    return []


def raise_body(request: WorkspaceRequest) -> dict[str, Any]:
    """Returns the raise of the form: to the end of a day of the workspace's zone."""
    form = request.POST
    body = {"amount_usd": budget_forms.number(form.get("amount_usd", "")), "reason": form.get("reason", "")}
    try:
        day = date.fromisoformat(form.get("until", ""))
        return body | {"until": midnight(day + timedelta(days=1), request.workspace.zone)}
    except (ValueError, OverflowError):
        return body | {"until": None}


def words_of(problem: Problem) -> list[str]:
    words = [f"{str(error['loc'][-1]).replace('_', ' ').capitalize()}: {error['msg']}" for error in problem.errors]
    return words or [problem.detail]


# --- The form ---


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def new_budget(request: WorkspaceRequest) -> HttpResponseBase:
    return form_page(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def edit_budget(request: WorkspaceRequest, budget_id: UUID) -> HttpResponseBase:
    budget = changes.find(request.workspace, budget_id)
    if budget.is_workspace_budget:
        return redirect(f"{reverse('cost-page')}?workspace={request.workspace.id}")
    return form_page(request, budget)


def form_page(request: WorkspaceRequest, budget: Budget | None) -> HttpResponseBase:
    check_may_write(request)
    problem: Problem | None = None
    if request.method == "POST":
        try:
            return redirect(own_url(request, saved(request, budget).pk))
        except Problem as error:
            if error.status not in (409, 422):
                raise
            problem = error
    form: Mapping[str, str] = request.POST if problem else budget_forms.form_of(budget, request.GET)
    context = page_context(request) | {
        "budget": budget,
        "form": form,
        "targets": budget_forms.targets(label_names(request.workspace), form.get("target", "")),
        "periods": budget_forms.PERIODS,
        "errors": budget_forms.errors_by_field(problem) if problem else {},
        "problem": problem,
    }
    return uncached(render(request, "budgets/form.html", context, status=422 if problem else 200))


def saved(request: WorkspaceRequest, budget: Budget | None) -> Budget:
    body = budget_forms.body_of_form(request.POST, budget)
    if budget is None:
        made, _ = changes.create(request.workspace, validated(body, NewBudget, "budget"), author(request))
        return made
    changed = validated(body, BudgetChanges, "budget")
    return changes.change(request.workspace, budget.pk, changed, author(request))


def label_names(workspace: Workspace) -> list[str]:
    """Returns the names of the labels of the last 30 days; none while the database of traces does not answer."""
    try:
        return [choice["value"] for choice in choices(workspace, LABEL_NAMES)]
    except DatabaseError as error:
        if transient_cause(error) is None:
            raise
        return []


def choices(workspace: Workspace, dimension: str) -> Any:
    now = datetime.now(UTC)
    filters = Filters(workspace.pk, now - LABELS_OF_DAYS, now, granularity="daily", range="30d", zone=workspace.zone)
    return answer_data(choices_of(dimension, ""), filters, workspace, SERIES_TTL_SECONDS)["data"][:MAX_CHOICES]


@require_safe
@workspace_access("read")
def value_options(request: WorkspaceRequest) -> HttpResponse:
    """Renders the values that the form offers for what the budget is about, those with the most calls first."""
    dimension = budget_forms.dimension_of(request.GET.get("target", ""))
    is_known = dimension in budget_forms.DIMENSIONS or (dimension.startswith(LABEL_PREFIX) and "\0" not in dimension)
    found = choices(request.workspace, dimension) if is_known and len(dimension) <= MAX_DIMENSION else []
    return uncached(render(request, "budgets/_values.html", {"choices": found}))


MAX_DIMENSION = 256


def previewed_body(request: WorkspaceRequest) -> NewBudget | OwnBudget:
    """Returns the body of the form. Of a budget that exists it has what the form cannot show, like a longer scope."""
    if not (budget_id := request.POST.get("budget")):
        body: NewBudget = validated(budget_forms.body_of_form(request.POST, None), NewBudget, "budget")
        return body
    try:
        budget = changes.find(request.workspace, UUID(budget_id))
    except ValueError as error:
        raise Problem(404, "There is no such budget in this workspace.") from error
    sent = validated(budget_forms.body_of_form(request.POST, budget), BudgetChanges, "budget")
    return changed_body(budget, sent.model_dump(exclude_unset=True, by_alias=True, exclude={"reason"}))


@require_http_methods(["POST"])
@workspace_access("read")
def preview_panel(request: WorkspaceRequest) -> HttpResponse:
    """Renders what the budget of the form would have done in past periods."""
    try:
        body = previewed_body(request)
    except Problem:
        return uncached(render(request, "budgets/_preview.html", {"preview": None, "workspace": request.workspace}))
    with request_slot(request.workspace.id):
        found = as_data(preview(request.workspace, body, datetime.now(UTC)))
    context = {"preview": found, "period": body.period, "per": body.per, "workspace": request.workspace}
    return uncached(render(request, "budgets/_preview.html", context))
