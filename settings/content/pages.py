"""Renders the page of content and privacy."""

from django.contrib import messages
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_http_methods

from analytics.budget_pages import as_data
from budgets.bodies import validated
from settings.content.items import ContentChanges, change_content, content_settings
from settings.page import back_to, page, page_context
from workspaces.access import WorkspaceRequest, check_may_manage, page_access, visitor_name
from workspaces.models import ContentPolicy


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def content_page(request: WorkspaceRequest) -> HttpResponseBase:
    if request.method == "POST":
        check_may_manage(request)
        values = {
            "store_content": "store_content" in request.POST,
            "visible_to": request.POST.get("visible_to", ""),
        }
        changes = validated(values, ContentChanges, "change")
        change_content(request.workspace, changes, visitor_name(request))
        messages.success(request, "Saved.")
        return back_to(request, "settings-content")
    content = as_data(content_settings(request.workspace))
    seen_by = ContentPolicy(content["visible_to"]).label
    context = {"content": content, "policies": ContentPolicy.choices, "seen_by": seen_by}
    return page(request, "content", page_context(request) | context)
