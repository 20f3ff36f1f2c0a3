"""Renders the page of anomalies, and takes what people decide about them."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from analytics import query_string
from analytics.pages import bad_query, controls, custom_window, uncached
from analytics.templatetags.links import PAGE_ONLY, WINDOW
from budgets.bodies import validated
from insights.anomalies import findings
from insights.anomalies import parameters as anomaly_parameters
from insights.anomalies.api import AnomalyChanges
from insights.anomalies.hourly_series import DIMENSIONS
from insights.anomalies.parameters import DEFAULT_RANGE
from insights.anomalies.search import MEASURES
from traces.filters import RANGES
from web.problems import Problem
from workspaces.access import WorkspaceRequest, may_write, page_access

OWN = ("measure", "state", "min_usd", "min_calls", "min_users", "min_percent_of_day")
"""The fields of its form."""
STATES = {"open": "Open", "dismissed": "Dismissed", "planned": "Planned", "all": "All"}
RANGES_SHOWN = {name: length for name, length in RANGES.items() if name != "1h"}


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def anomalies_page(request: WorkspaceRequest) -> HttpResponseBase:
    if request.method == "POST":
        return decided(request)
    query = own_query(request.GET)
    context = page_context(request) | {"ranges": RANGES_SHOWN, "query": query.urlencode()}
    try:
        if "from" in request.GET or "to" in request.GET:
            return redirect(f"{request.path}?{custom_window(request.GET, request.workspace).urlencode()}")
        parameters = anomaly_parameters.parse(query)
        filters = query_string.parse_filters(window_query(query), request.workspace.id, zone=request.workspace.zone)
    except Problem as problem:
        return bad_query(request, context, problem)
    context |= controls(filters, query, request.workspace) | only_own_filters(filters, query, request)
    context |= {"parameters": parameters, "measures": MEASURES, "states": STATES.items(), "form": query}
    return uncached(render(request, "insights/anomalies.html", context))


def page_context(request: WorkspaceRequest) -> dict[str, Any]:
    return {
        "workspace": request.workspace,
        "workspaces": request.workspaces,
        "window_parameters": (*WINDOW, "zone"),
        "is_writer": may_write(request),
    }


def own_query(query: QueryDict) -> QueryDict:
    """Returns the parameters that the endpoint knows: links from other pages have more."""
    own = query.copy()
    known = {*anomaly_parameters.AnomalyQuery.model_fields}
    for name in query:
        if name not in known or name in {*PAGE_ONLY} - {*OWN} or own[name] == "":
            own.pop(name)
    if own.get("range") == "1h":
        own.pop("range")
    if not own.keys() & {"range", "start", "end"}:
        own["range"] = DEFAULT_RANGE
    return own


def window_query(query: QueryDict) -> QueryDict:
    window = query.copy()
    for name in (*OWN, "limit"):
        window.pop(name, None)
    return window


def only_own_filters(filters: Any, query: QueryDict, request: WorkspaceRequest) -> dict[str, Any]:
    """Returns the variables of the bar: it has no series, and only the filters by which anomalies are found."""
    shown = controls(filters, query, request.workspace)
    return {
        "granularities": [],
        "filter_lists": [one for one in shown["filter_lists"] if one["name"] in DIMENSIONS],
        "other_filters": [],
        "kept_fields": [(name, value) for name, values in query.lists() if name not in OWN for value in values],
    }


def decided(request: WorkspaceRequest) -> HttpResponse:
    """Stores a decision, and leads back to the list."""
    if not may_write(request):
        raise Problem(403, "Only editors and owners decide about anomalies.")
    body = validated(
        {"state": request.POST.get("state", ""), "reason": request.POST.get("reason", "")}, AnomalyChanges, "decision"
    )
    try:
        finding_id = UUID(request.POST.get("id", ""))
    except ValueError as error:
        raise Problem(404, "The workspace has no such anomaly.") from error
    findings.decide(request.workspace, finding_id, body.state, body.reason, request.user.get_username() or "anyone")
    query = QueryDict(request.META.get("QUERY_STRING", ""), mutable=True)
    query["workspace"] = str(request.workspace.id)
    return redirect(f"{reverse('anomalies-page')}?{query.urlencode()}")
