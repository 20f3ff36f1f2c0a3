"""The dashboard pages: a shell at once, whose panels load and poll the metrics by themselves."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from analytics import filters
from observability.problems import Problem
from workspaces.access import View, WorkspaceRequest, page, public

NARROWING = ("agent_id", "model", "provider", "operation")


def dashboard(domain: str) -> View:
    @require_safe
    @page
    def view(request: WorkspaceRequest) -> HttpResponse:
        query = request.GET.copy()
        query.pop("workspace", None)
        context = {
            "domain": domain,
            "workspace": request.workspace,
            "workspaces": request.workspaces,
            "ranges": filters.RANGES,
            "query": query.urlencode(),
        }
        try:
            asked = filters.parse(query, request.workspace.id)
        except Problem as problem:
            return render(request, "analytics/bad_query.html", context | {"problem": problem}, status=422)
        context["filters"] = asked
        context["chips"] = {name: value for name in NARROWING if (value := getattr(asked, name))}
        response = render(request, f"analytics/{domain}.html", context)
        response["Cache-Control"] = "private, no-store"
        return response

    return view


@public
def first_page(request: WorkspaceRequest) -> HttpResponse:
    return redirect("usage-page")
