"""Makes the view of `/api/v1/insights/forecast`, which takes filters and a period, but no window."""

from typing import Annotated, Any

from django.http import HttpResponse, QueryDict
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe
from pydantic import BaseModel, ConfigDict, Field, create_model

from analytics.forecasts import cached_forecast
from analytics.query_string import FILTER_FIELDS, filter_values, validate
from analytics.views import with_query_errors
from budgets.forecast_answer import ForecastPeriod
from budgets.update import Cents
from web.problems import FieldError, Problem
from workspaces.access import WorkspaceRequest, workspace_access

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
    response = HttpResponse(result.body, content_type="application/json")
    response["X-Cache"] = "hit" if result.is_hit else "miss"
    response["Cache-Control"] = "private"
    patch_vary_headers(response, ["X-Workspace-ID", "Authorization", "Cookie"])
    return response


forecast_view = with_query_errors(forecast, query_errors)
