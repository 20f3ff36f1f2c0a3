"""Renders the page of general settings."""

from typing import Any

from django.contrib import messages
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_http_methods, require_safe

from budgets.bodies import validated
from settings.bodies import GeneralChanges
from settings.items import general
from settings.page import back_to, messages_by_field, page, page_context
from web.problems import Problem
from workspaces import general as workspace_general
from workspaces.access import WorkspaceRequest, check_may_manage, may_create, page_access
from workspaces.time_zones import time_zones


@require_safe
@page_access
def settings_page(request: WorkspaceRequest) -> HttpResponseBase:
    return back_to(request, "settings-general")


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def general_page(request: WorkspaceRequest) -> HttpResponseBase:
    problem: Problem | None = None
    if request.method == "POST":
        check_may_manage(request)
        try:
            return changed(request)
        except Problem as error:
            if error.status != 422:
                raise
            problem = error
    return page(request, "general", context_of(request, problem), status=422 if problem else 200)


def changed(request: WorkspaceRequest) -> HttpResponseBase:
    form = {name: request.POST.get(name, "").strip() for name in ("name", "time_zone")}
    changes = validated(form, GeneralChanges, "workspace").model_dump(exclude_unset=True)
    workspace_general.change(request.workspace, request.user, **changes)
    messages.success(request, "Saved.")
    return back_to(request, "settings-general")


def context_of(request: WorkspaceRequest, problem: Problem | None) -> dict[str, Any]:
    form = request.POST if problem else {"name": request.workspace.name, "time_zone": request.workspace.time_zone}
    return page_context(request) | {
        "general": general(request.workspace),
        "form": form,
        "errors": messages_by_field(problem),
        "zones": sorted(time_zones()),
        "may_create": may_create(request.user),
    }
