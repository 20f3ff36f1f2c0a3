"""Makes the view of `/api/v1/insights/forecast`, which takes filters and a period, but no window."""

from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe
from pydantic import BaseModel, ConfigDict, Field, create_model

from analytics.forecasts import cached_forecast
from analytics.query_string import FILTER_FIELDS, filter_values, validate
from analytics.views import with_query_errors
from budgets.forecast_answer import ForecastPeriod
from budgets.update import Cents
from traces.filters import Filters, FilterValues
from web.problems import FieldError, Problem
from workspaces.access import WorkspaceRequest, workspace_access
from workspaces.models import Workspace

WITHOUT_FORECAST = ("status", "error_type", "session_id", "operation")
"""Filters under which nobody plans a spend."""


class ForecastParameters(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_by_name=True)

    period: Annotated[ForecastPeriod, Field(description="The calendar period that runs now.")] = "month"
    limit_usd: Annotated[
        Cents | None, Field(description="A limit, to learn when it is reached; by default that of the budget.")
    ] = None


FIELDS: dict[str, Any] = {
    name: field for name, field in FILTER_FIELDS.items() if name.removeprefix("not_") not in WITHOUT_FORECAST
}
ForecastQuery: type[ForecastParameters] = create_model("ForecastQuery", __base__=ForecastParameters, **FIELDS)


def query_errors(query: QueryDict) -> list[FieldError]:
    return validate(query, ForecastQuery)[1]


@require_safe
@workspace_access("read")
def forecast(request: WorkspaceRequest) -> HttpResponse:
    query, errors = validate(request.GET, ForecastQuery)
    if query is None or errors:
        raise Problem(422, "The query string is not valid.", errors)
    result = cached_forecast(request.workspace, filter_values(query), query.period, query.limit_usd)
    if request.htmx:
        response = panel(request, filter_values(query), result.body)
    else:
        response = HttpResponse(result.body, content_type="application/json")
    response["X-Cache"] = "hit" if result.is_hit else "miss"
    response["Cache-Control"] = "private"
    patch_vary_headers(response, ["HX-Request", "X-Workspace-ID", "Authorization", "Cookie"])
    return response


def panel(request: WorkspaceRequest, values: dict[str, FilterValues], body: bytes) -> HttpResponse:
    data = orjson.loads(body)
    filters = window_of_period(data, request.workspace, values)
    context = {"data": data, "filters": filters, "workspace": request.workspace}
    return render(request, "analytics/_forecast.html", context)


def window_of_period(data: Any, workspace: Workspace, values: dict[str, FilterValues]) -> Filters:
    """Returns the filters of the days of the period."""
    start, end = (datetime.fromisoformat(data[name]).astimezone(UTC) for name in ("period_start", "period_end"))
    return Filters(workspace.id, start, end, granularity="daily", zone=workspace.zone, values=values)


forecast_view = with_query_errors(forecast, query_errors)
