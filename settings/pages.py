"""Renders the pages of the settings that are about the workspace itself."""

from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from settings.page import back_to, page, page_context
from workspaces.access import WorkspaceRequest, page_access


@require_safe
@page_access
def settings_page(request: WorkspaceRequest) -> HttpResponseBase:
    return back_to(request, "settings-general")


@require_safe
@page_access
def general_page(request: WorkspaceRequest) -> HttpResponseBase:
    return page(request, "general", page_context(request))
