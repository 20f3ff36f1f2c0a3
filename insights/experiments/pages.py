"""Renders the pages of experiments: all of them, one of them, and the form that begins one."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe
from pydantic import ConfigDict

from analytics.budget_forms import errors_by_field
from analytics.budget_pages import as_data, author, check_may_write, page_url, words_of
from analytics.endpoints import ListQuery, cursor_of, parameters_of
from analytics.pages import parse_wall_clock, uncached
from budgets.bodies import validated
from insights.compare_parameters import DIMENSIONS, NAMES, dimension_and_value
from insights.compare_words import NAMES as MEASURE_NAMES
from insights.experiments import items
from insights.experiments.bodies import MEASURES, ExperimentChanges, NewExperiment
from insights.experiments.models import ENDED, Experiment
from insights.experiments.snippets import snippets
from traces.filters import LABEL_PREFIX
from web.problems import Problem
from workspaces.access import WorkspaceRequest, may_write, page_access


class PageQuery(ListQuery):
    model_config = ConfigDict(extra="ignore")


def page_context(request: WorkspaceRequest) -> dict[str, Any]:
    return {
        "workspace": request.workspace,
        "workspaces": request.workspaces,
        "is_writer": may_write(request),
    }


@require_safe
@page_access
def experiments_page(request: WorkspaceRequest) -> HttpResponse:
    query, now = parameters_of(request.GET, PageQuery), datetime.now(UTC)
    found, following = items.page_of(request.workspace, query.cursor)
    context = page_context(request) | {
        "experiments": as_data([items.item(one, now) for one in found]),
        "next_cursor": cursor_of(following),
    }
    return uncached(render(request, "insights/experiments.html", context))


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def experiment_page(request: WorkspaceRequest, experiment_id: UUID) -> HttpResponseBase:
    errors: list[str] = []
    if request.method == "POST":
        errors = act(request, experiment_id)
        if not errors:
            is_gone = "delete" in request.POST
            return redirect(page_url(request, "experiments-page") if is_gone else own_url(request, experiment_id))
    experiment = items.find(request.workspace, experiment_id)
    context = page_context(request) | {
        "experiment": experiment,
        "one": as_data(items.detail(experiment, datetime.now(UTC))),
        "snippets": snippets(experiment),
        "errors": errors,
    }
    return uncached(render(request, "insights/experiment.html", context, status=422 if errors else 200))


def own_url(request: WorkspaceRequest, experiment_id: UUID) -> str:
    return page_url(request, "experiment-page", experiment_id)


def act(request: WorkspaceRequest, experiment_id: UUID) -> list[str]:
    """Does what the form says. Returns what is wrong with it, in words."""
    check_may_write(request)
    try:
        if "delete" in request.POST:
            items.delete(request.workspace, experiment_id)
        else:
            items.change(request.workspace, experiment_id, validated({"state": ENDED}, ExperimentChanges, "experiment"))
    except Problem as problem:
        if problem.status != 422:
            raise
        return words_of(problem)
    return []


# --- The form ---


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def new_experiment(request: WorkspaceRequest) -> HttpResponseBase:
    check_may_write(request)
    problem: Problem | None = None
    if request.method == "POST":
        try:
            return redirect(own_url(request, saved(request).pk))
        except Problem as error:
            if error.status not in (409, 422):
                raise
            problem = error
    form = request.POST if problem else form_of(request.GET)
    context = page_context(request) | {
        "form": form,
        "picked": [
            {"name": name, **{part: form.get(f"{name}_{part}", "") for part in ("by", "value")}} for name in NAMES
        ],
        "measures": [(name, MEASURE_NAMES[name], name in chosen_measures(form)) for name in MEASURES],
        "dimensions": [f"{LABEL_PREFIX}variant", *DIMENSIONS],
        "errors": words_of(problem) if problem else [],
        "by_field": errors_by_field(problem) if problem else {},
    }
    return uncached(render(request, "insights/experiment_form.html", context, status=422 if problem else 200))


def form_of(query: QueryDict) -> QueryDict:
    """Returns the form with the slices of the address: a page that compares them leads here."""
    form = QueryDict(mutable=True)
    for name in NAMES:
        try:
            dimension, value = dimension_and_value(query.get(name, ""))
        except ValueError:
            continue
        form[f"{name}_by"], form[f"{name}_value"] = dimension, value
    form["on_verdict"] = "on"
    form.setlist("measures", ["cost_per_call_usd", "error_rate"])
    return form


def chosen_measures(form: QueryDict) -> list[str]:
    """Returns the measures, the one that decides first."""
    decides, chosen = form.get("decides", ""), form.getlist("measures")
    return [*dict.fromkeys([*filter(None, [decides]), *chosen])]


def saved(request: WorkspaceRequest) -> Experiment:
    body = validated(body_of_form(request), NewExperiment, "experiment")
    made, _ = items.create(request.workspace, body, author(request))
    return made


def body_of_form(request: WorkspaceRequest) -> dict[str, Any]:
    form = request.POST
    slices = [
        {"dimension": dimension, "value": value}
        for name in NAMES
        for dimension, value in [(form.get(f"{name}_by", "").strip(), form.get(f"{name}_value", "").strip())]
        if dimension or value
    ]
    agent, calls = form.get("agent_id", "").strip(), form.get("calls", "").strip()
    end: dict[str, Any] = {"on_verdict": "on_verdict" in form}
    if calls:
        end["calls"] = int(calls) if calls.isdecimal() and len(calls) < 12 else calls
    if form.get("until"):
        end["at"] = parse_wall_clock("until", form["until"], request.workspace.zone)
    start = (
        {"started_at": parse_wall_clock("start", form["start"], request.workspace.zone)} if form.get("start") else {}
    )
    return {
        "name": form.get("name", ""),
        "slices": slices,
        "filters": {"agent_id": [agent]} if agent else {},
        "measures": chosen_measures(form),
        "end": end,
        **start,
    }
