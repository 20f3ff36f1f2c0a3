"""Makes the view of `/api/v1/insights/changes`."""

from django.http import HttpResponse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from analytics.answers import SERIES_TTL_SECONDS, answer
from analytics.cache import Answer
from analytics.views import with_query_errors
from insights import change_parameters, changes
from insights.answer_view import answer_response
from insights.change_parameters import Parameters
from insights.changes import ChangeAnswer
from traces.filters import Filters
from workspaces.access import WorkspaceRequest, workspace_access
from workspaces.models import Workspace

SENTENCE = "panel-sentence-"
"""Begins the ids of the panels that show only a sentence, which htmx sends."""


@require_safe
@workspace_access("read")
def read(request: WorkspaceRequest) -> HttpResponse:
    parameters, filters = change_parameters.parse(request.GET, request.workspace.id, zone=request.workspace.zone)
    result = cached_answer(parameters, filters, request.workspace)
    is_sentence = bool(request.htmx) and (request.htmx.trigger or "").startswith(SENTENCE)
    template = "insights/_sentence.html" if is_sentence else "insights/_why.html"
    response = answer_response(request, filters, result, template)
    patch_vary_headers(response, ["HX-Trigger"])
    return response


def cached_answer(parameters: Parameters, filters: Filters, workspace: Workspace) -> Answer:
    def question(filters: Filters) -> ChangeAnswer:
        return changes.answer(parameters, filters)

    return answer(question, filters, workspace, SERIES_TTL_SECONDS, key_prefix=f"{parameters!r}:")


changes_view = with_query_errors(read, change_parameters.errors)
