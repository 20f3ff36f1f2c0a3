"""Makes the views of `/api/v1/insights/anomalies`: what was unusual, and what people decide about it."""

from typing import Annotated, Literal
from uuid import UUID

import orjson
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe
from pydantic import BaseModel, Field

from analytics import cache
from analytics.answers import SERIES_TTL_SECONDS, as_json, json_response
from analytics.endpoints import NoParameters, body_of, methods, parameters_of
from analytics.views import with_query_errors
from budgets.bodies import CONFIG, Reason
from insights.anomalies import findings
from insights.anomalies import parameters as anomaly_parameters
from insights.anomalies.answers import AnomalyAnswer, answer, planned_item
from insights.anomalies.parameters import Parameters
from traces import engines
from workspaces.access import WorkspaceRequest, workspace_access
from workspaces.models import Workspace

REASON_LENGTH = 500
SHORT = "panel-open-anomalies"
"""The id of the panel on the first page, which htmx sends: its list has no forms."""
State = Literal["open", "dismissed", "planned"]


class AnomalyChanges(BaseModel):
    """What somebody decides about unusual hours."""

    model_config = CONFIG
    state: Annotated[State, Field(description="planned: an annotation that the method leaves out from now on.")]
    reason: Annotated[Reason, Field(max_length=REASON_LENGTH)] = ""


@require_safe
@workspace_access("read")
def read(request: WorkspaceRequest) -> HttpResponse:
    parameters = anomaly_parameters.parse(request.GET)
    result = cached_answer(request.workspace, parameters)
    if request.htmx:
        response = panel(request, result.body)
    else:
        response = HttpResponse(result.body, content_type="application/json")
    response["X-Cache"] = "hit" if result.is_hit else "miss"
    response["Cache-Control"] = "private"
    patch_vary_headers(response, ["HX-Request", "X-Workspace-ID", "Authorization", "Cookie"])
    return response


def cached_answer(workspace: Workspace, parameters: Parameters) -> cache.Answer:
    key = f"anomalies:{parameters.window_key}:{parameters.measures}{parameters.state}{parameters.floors}"
    key += f"{parameters.scope!r}{parameters.limit}"

    def question() -> AnomalyAnswer:
        return answer(workspace, parameters)

    return cache.cached(workspace, key, SERIES_TTL_SECONDS, lambda: as_json(engines.recompute_if_hour_closed(question)))


def panel(request: WorkspaceRequest, body: bytes) -> HttpResponse:
    context = {
        "data": orjson.loads(body),
        "workspace": request.workspace,
        "is_writer": "write" in request.access.scopes,
        "is_short": request.htmx.trigger == SHORT,
    }
    return render(request, "insights/_anomalies.html", context)


@workspace_access("write")
def change(request: WorkspaceRequest, finding_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    body = body_of(request, AnomalyChanges, "decision")
    who = request.access.credential
    found = findings.decide(request.workspace, finding_id, body.state, body.reason, who)
    return json_response(planned_item(found))


anomalies_view = with_query_errors(read, anomaly_parameters.errors)
anomaly_view = methods(PATCH=change)
