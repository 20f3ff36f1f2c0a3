"""Renders the page from which people take files, and the list of those that were taken."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from analytics import query_string
from analytics.pages import bad_query, controls, custom_window, own_query, shell_context, uncached
from reports.exports.files import FORMATS
from reports.exports.views import WITH_CONTENT
from reports.kinds import KINDS
from reports.models import Export
from reports.page import PAPERS
from reports.periods import PERIODS
from web.problems import Problem
from workspaces.access import WorkspaceRequest, page_access, workspace_access
from workspaces.content import ContentRequest, content_aware

KIND_WORDS = {
    "calls": "Calls: a line for each call of a model",
    WITH_CONTENT: "Calls with their prompts and answers",
    "traces": "Traces: a line for each trace, with its totals",
    "scores": "Scores: a line for each",
}
FORMAT_WORDS = {"csv": "CSV", "jsonl": "JSON, a line for each row", "xlsx": "Excel workbook"}
SHOWN = 20


@require_safe
@page_access
@content_aware
def reports_page(request: ContentRequest) -> HttpResponse:
    query = own_query(request)
    context = shell_context(request, query)
    try:
        if "from" in query or "to" in query:
            return redirect(f"{request.path}?{custom_window(request.GET, request.workspace).urlencode()}")
        filters = query_string.parse_filters(query, request.workspace.id, zone=request.workspace.zone)
    except Problem as problem:
        return bad_query(request, context, problem)
    context |= controls(filters, query, request.workspace)
    sees_content = request.content.is_granted
    context |= {
        "granularities": [],  # it has no series
        "kinds": [(kind, words) for kind, words in KIND_WORDS.items() if kind != WITH_CONTENT or sees_content],
        "formats": [(name, FORMAT_WORDS[name]) for name in FORMATS],
        "content": request.content,
        "reports": [kind for kind in KINDS.values() if kind.is_listed],
        "periods": PERIODS.items(),
        "papers": PAPERS.items(),
        "kept_fields": [(name, value) for name, values in query.lists() if name != "granularity" for value in values],
    }
    return uncached(render(request, "reports/page.html", context))


@require_safe
@workspace_access("read")
def export_history(request: WorkspaceRequest) -> HttpResponse:
    """Renders the newest exports, with how far each has come."""
    exports = Export.objects.filter(workspace=request.workspace).order_by("-started_at")[:SHOWN]
    context = {"exports": exports, "workspace": request.workspace}
    return uncached(render(request, "reports/_exports.html", context))
