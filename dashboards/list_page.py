"""Renders the page of all dashboards, and does what its buttons ask for."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from alerts.pages import page_context, page_url
from analytics.pages import uncached
from dashboards import bodies, changes, checking, gallery, items, links, rights
from dashboards.document import DashboardDocument
from dashboards.facts import facts
from dashboards.models import Dashboard
from web.json_body import parse_json
from web.problems import Problem
from workspaces.access import WorkspaceRequest, check_may_manage, check_may_write, may_manage, page_access, user_of

SHOWN_AGAIN = (400, 403, 409, 413, 422)
"""Problems of a button that the page shows, instead of a page of its own."""
UNNAMED = "New dashboard"


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def dashboards_page(request: WorkspaceRequest) -> HttpResponseBase:
    problem: Problem | None = None
    if request.method == "POST":
        try:
            return acted(request)
        except Problem as error:
            if error.status not in SHOWN_AGAIN:
                raise
            problem = error
    return uncached(render(request, "dashboards/list.html", context(request, problem), status=status_of(problem)))


def status_of(problem: Problem | None) -> int:
    return problem.status if problem else 200


def context(request: WorkspaceRequest, problem: Problem | None) -> dict[str, Any]:
    search = request.GET.get("search", "").replace("\0", "")[:120]
    is_starred = True if request.GET.get("starred") == "true" else None
    return page_context(request) | {
        "dashboards": items.listing(request, search, is_starred),
        "has_any": rights.seen(request).exists(),
        "search": search,
        "is_starred": is_starred,
        "has_stars": user_of(request) is not None,
        "templates": gallery.templates().values(),
        "problem": problem,
        "errors": [checking.sentence(error) for error in problem.errors] if problem else [],
        "sent": request.POST.get("document", "") if problem else "",
        "may_manage": may_manage(request),
        "are_links_allowed": links.are_allowed(request.workspace),
        "asked_to_delete": asked_to_delete(request),
    }


def asked_to_delete(request: WorkspaceRequest) -> Dashboard | None:
    """Returns the dashboard whose deletion the page asks to confirm."""
    try:
        dashboard = rights.seen(request).filter(pk=UUID(request.GET.get("delete", ""))).first()
    except ValueError:
        return None
    return dashboard if dashboard and rights.may_delete(request, dashboard) else None


# --- Buttons ---


def acted(request: WorkspaceRequest) -> HttpResponseBase:
    """Does what the button asks for, and returns where to go on."""
    name = next((name for name in ACTIONS if name in request.POST), None)
    if name is None:
        raise Problem(422, "There is no such button on this page.")
    if name not in ("star", "unstar", "sharing"):
        check_may_write(request)
    return ACTIONS[name](request)


def chosen_id(request: WorkspaceRequest, name: str) -> UUID:
    try:
        return UUID(request.POST[name])
    except ValueError:
        raise Problem(404, rights.HIDDEN) from None


def back(request: WorkspaceRequest) -> HttpResponseBase:
    return redirect(page_url(request, "dashboards-page"))


def opened(request: WorkspaceRequest, dashboard: Dashboard) -> HttpResponseBase:
    return redirect(page_url(request, "dashboard-page", dashboard.pk))


def make_empty(request: WorkspaceRequest) -> HttpResponseBase:
    name = request.POST.get("name", "").strip() or UNNAMED
    return opened(request, changes.create(request, checking.parse(named(name)))[0])


def named(name: str) -> dict[str, Any]:
    empty = DashboardDocument.model_construct(name=name)
    return empty.as_json()


def make_from_template(request: WorkspaceRequest) -> HttpResponseBase:
    template = gallery.find(request.POST["template"])
    return opened(request, changes.create(request, gallery.fitted(template, facts(request.workspace)))[0])


def import_document(request: WorkspaceRequest) -> HttpResponseBase:
    """Makes a dashboard of the file, or else of the text."""
    file = request.FILES.get("file")
    sent = file.read() if file else request.POST.get("document", "").encode("utf-8", "surrogatepass")
    document = bodies.as_object(parse_json(sent), "dashboard")
    return opened(request, changes.create(request, checking.parse(document))[0])


def duplicate(request: WorkspaceRequest) -> HttpResponseBase:
    source = rights.visible(request, chosen_id(request, "duplicate"))
    return opened(request, changes.duplicate(request, source))


def delete(request: WorkspaceRequest) -> HttpResponseBase:
    changes.delete(request, chosen_id(request, "delete"))
    return back(request)


def star(request: WorkspaceRequest) -> HttpResponseBase:
    changes.star(request, chosen_id(request, "star"), True)
    return back(request)


def unstar(request: WorkspaceRequest) -> HttpResponseBase:
    changes.star(request, chosen_id(request, "unstar"), False)
    return back(request)


def change_sharing(request: WorkspaceRequest) -> HttpResponseBase:
    check_may_manage(request)
    links.allow(request.workspace, request.POST["sharing"] == "allow", rights.author_of(request))
    return back(request)


ACTIONS: dict[str, Callable[[WorkspaceRequest], HttpResponseBase]] = {
    "new": make_empty,
    "template": make_from_template,
    "import": import_document,
    "duplicate": duplicate,
    "delete": delete,
    "star": star,
    "unstar": unstar,
    "sharing": change_sharing,
}
"""By the name of the button."""
