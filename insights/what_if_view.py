"""Makes the view of `/api/v1/insights/what-if`, and of the panel that shows its answer."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from analytics.answers import SERIES_TTL_SECONDS, answer
from analytics.cache import Answer
from analytics.views import with_query_errors
from insights import what_if_parameters
from insights.answer_view import answer_response
from insights.what_if import WhatIfAnswer, what_if_answer
from insights.what_if_parameters import WhatIf
from traces.filters import Filters
from workspaces.access import WorkspaceRequest, workspace_access
from workspaces.models import Workspace


@require_safe
@workspace_access("read")
def read(request: WorkspaceRequest) -> HttpResponse:
    what_if, filters = what_if_parameters.parse(request.GET, request.workspace.id, zone=request.workspace.zone)
    result = cached_answer(what_if, filters, request.workspace)
    return answer_response(request, filters, result, "insights/_what_if.html")


def cached_answer(what_if: WhatIf, filters: Filters, workspace: Workspace) -> Answer:
    def question(filters: Filters) -> WhatIfAnswer:
        return what_if_answer(what_if, filters)

    return answer(question, filters, workspace, SERIES_TTL_SECONDS, key_prefix=f"{what_if!r}:")


what_if_view = with_query_errors(read, what_if_parameters.errors)
