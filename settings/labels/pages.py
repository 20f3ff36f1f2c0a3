"""Renders the page of labels: what is chosen, what arrives, and the job that labels stored spans again."""

from django.core.exceptions import ValidationError
from django.db import DatabaseError
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_http_methods

from analytics.budget_pages import as_data
from ingest.label_candidates import Candidates, label_candidates
from ingest.label_sources import add_label_source, change_label_source, remove_label_source
from settings.faults import shown_errors
from settings.labels.api import chosen_labels, order_refill
from settings.models import UpdateKind
from settings.page import back_to, page, page_context
from settings.rows_updates import newest_update
from web.problems import Problem, transient_cause
from workspaces.access import WorkspaceRequest, access_of_visitor, check_may_write, page_access, visitor_name
from workspaces.content import content_right
from workspaces.models import Workspace


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def labels_page(request: WorkspaceRequest) -> HttpResponseBase:
    errors: list[str] = []
    if request.method == "POST":
        check_may_write(request)
        errors = change(request)
        if not errors:
            return back_to(request, "labels")
    return render_page(request, errors)


def change(request: WorkspaceRequest) -> list[str]:
    """Makes the change of the form. Returns what is wrong with it, in words."""
    try:
        act(request, visitor_name(request))
    except ValidationError as error:
        return [
            " ".join(messages) if name == "__all__" else f"{name.capitalize()}: {' '.join(messages)}"
            for name, messages in error.message_dict.items()
        ]
    except Problem as problem:
        return shown_errors(problem)
    return []


def act(request: WorkspaceRequest, changed_by: str) -> None:
    form, workspace = request.POST, request.workspace
    attribute, label = form.get("attribute", ""), form.get("label", "").strip()
    if "refill" in form:
        order_refill(workspace, changed_by)
    elif "remove" in form:
        remove_label_source(workspace, attribute.replace("\0", ""), changed_by)
    elif "rename" in form:
        change_label_source(workspace, attribute.replace("\0", ""), label, changed_by)
    else:
        add_label_source(workspace, attribute.strip(), label, changed_by)


def render_page(request: WorkspaceRequest, errors: list[str]) -> HttpResponse:
    content = content_right(access_of_visitor(request))
    context = page_context(request) | {
        "chosen": chosen_labels(request.workspace)["data"],
        "found": candidates_or_none(request.workspace, content.is_granted),
        "content": content,
        "update": as_data(newest_update(request.workspace, UpdateKind.LABELS)),
        "errors": errors,
        "form": request.POST if errors else {},
    }
    return page(request, "labels", context, status=422 if errors else 200)


def candidates_or_none(workspace: Workspace, with_examples: bool) -> Candidates | None:
    """Returns the candidates as parsed JSON, for the template. None while the database of traces does not answer: the
    choice is in the other database."""
    try:
        found: Candidates = as_data(label_candidates(workspace.id, with_examples=with_examples))
        return found
    except DatabaseError as error:
        if transient_cause(error) is None:
            raise
        return None
