"""Makes the view of `/api/v1/insights/compare`."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from analytics.answers import SERIES_TTL_SECONDS, answer
from analytics.cache import Answer
from analytics.views import with_query_errors
from insights import compare, compare_parameters
from insights.answer_view import answer_response
from insights.compare import CompareAnswer
from insights.compare_parameters import Parameters
from traces.filters import Filters
from workspaces.access import WorkspaceRequest, workspace_access
from workspaces.models import Workspace


@require_safe
@workspace_access("read")
def read(request: WorkspaceRequest) -> HttpResponse:
    parameters, filters = compare_parameters.parse(request.GET, request.workspace.id, zone=request.workspace.zone)
    result = cached_answer(parameters, filters, request.workspace)
    return answer_response(request, filters, result, "insights/_compare.html")


def cached_answer(parameters: Parameters, filters: Filters, workspace: Workspace) -> Answer:
    def question(filters: Filters) -> CompareAnswer:
        return compare.compare(parameters, filters)

    return answer(question, filters, workspace, SERIES_TTL_SECONDS, key_prefix=f"compare:{parameters!r}:")


compare_view = with_query_errors(read, compare_parameters.errors)
