"""Renders the history of a dashboard, and its public links."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from alerts.pages import page_context, page_url
from analytics.pages import uncached
from dashboards import bodies, changes, items, links, rights
from dashboards.bodies import LONGEST_DAYS, NewLink
from dashboards.models import Dashboard
from web.problems import Problem
from workspaces.access import WorkspaceRequest, check_may_manage, check_may_write, may_manage, page_access

LENGTHS = (7, 30, LONGEST_DAYS)
"""Days that the page offers for a link."""
SHOWN_AGAIN = (403, 404, 409, 412, 422)


def rendered(request: WorkspaceRequest, name: str, dashboard: Dashboard, **context: Any) -> HttpResponse:
    problem = context.get("problem")
    context |= page_context(request) | {"dashboard": dashboard}
    response = render(request, f"dashboards/{name}.html", context, status=problem.status if problem else 200)
    return uncached(response)


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def history_page(request: WorkspaceRequest, dashboard_id: UUID) -> HttpResponseBase:
    dashboard = rights.visible(request, dashboard_id)
    problem: Problem | None = None
    if request.method == "POST":
        check_may_write(request)
        try:
            changes.restore(request, dashboard_id, chosen_number(request), None)
            return redirect(page_url(request, "dashboard-page", dashboard_id))
        except Problem as error:
            if error.status not in SHOWN_AGAIN:
                raise
            problem = error
    listed = items.revision_items(list(dashboard.revisions.defer("document")))
    may_edit = rights.may_edit(request, dashboard)
    return rendered(request, "history", dashboard, revisions=listed, may_edit=may_edit, problem=problem)


def chosen_number(request: WorkspaceRequest) -> int:
    text = request.POST.get("restore", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def share_page(request: WorkspaceRequest, dashboard_id: UUID) -> HttpResponseBase:
    dashboard = rights.visible(request, dashboard_id)
    url, problem = "", None
    if request.method == "POST":
        check_may_manage(request)
        try:
            url = acted(request, dashboard)
        except Problem as error:
            if error.status not in SHOWN_AGAIN:
                raise
            problem = error
    manages = may_manage(request)
    return rendered(
        request,
        "share",
        dashboard,
        url=url,
        problem=problem,
        may_manage=manages,
        links=items.link_items(dashboard) if manages else [],
        are_allowed=links.are_allowed(request.workspace),
        lengths=LENGTHS,
    )


def acted(request: WorkspaceRequest, dashboard: Dashboard) -> str:
    """Makes or revokes a link. Returns the address of a new one."""
    if "revoke" in request.POST:
        revoke(dashboard, request.POST["revoke"], rights.author_of(request))
        return ""
    days = request.POST.get("days", "")
    body = {"days": int(days) if days in map(str, LENGTHS) else 0, "may_choose": "may_choose" in request.POST}
    _, token = links.issue(request, dashboard, bodies.validated(body, NewLink, "link"))
    return links.url(token)


def revoke(dashboard: Dashboard, link_id: str, author: str) -> None:
    try:
        links.revoke(dashboard, UUID(link_id), author)
    except ValueError:
        raise Problem(404, "There is no such link of this dashboard.") from None
