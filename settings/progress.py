"""Shows how far the job is that changes stored rows."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from analytics.budget_pages import as_data
from settings.models import UpdateKind
from settings.page import page, page_context
from settings.rows_updates import newest_update
from web.declared_access import View
from workspaces.access import WorkspaceRequest, page_access


def progress_panel(kind: UpdateKind) -> View:
    """Makes the view that a page asks for again and again while the job runs."""

    @require_safe
    @page_access
    def panel(request: WorkspaceRequest) -> HttpResponse:
        update = as_data(newest_update(request.workspace, kind))
        return page(request, "_update", page_context(request) | {"update": update})

    return panel
