"""Makes the endpoints below `/api/v1/dashboards`."""

from functools import cache
from typing import Annotated
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from analytics.answers import json_response
from analytics.endpoints import NoParameters, methods, parameters_of
from analytics.query_string import plain_text
from dashboards import bodies, changes, checking, items, links, panel_changes, rights
from dashboards.bodies import NewLink, NewPanel, Sharing
from dashboards.document import SCHEMA, DashboardDocument
from dashboards.models import Dashboard
from web.declared_access import declare, public
from workspaces.access import WorkspaceRequest, page_access, workspace_access


class ListQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    search: Annotated[
        str,
        AfterValidator(plain_text),
        Field(max_length=120, description="Only those whose name, description or owner contains this."),
    ] = ""
    starred: Annotated[bool | None, Field(description="true: only those that the user has starred.")] = None


def with_etag(response: HttpResponse, dashboard: Dashboard) -> HttpResponse:
    response["ETag"] = dashboard.etag
    return response


def answer(request: WorkspaceRequest, dashboard: Dashboard, status: int = 200) -> HttpResponse:
    return with_etag(json_response(items.detail(request, dashboard), status), dashboard)


def if_match(request: WorkspaceRequest) -> str | None:
    return request.headers.get("If-Match")


# --- All dashboards ---


@workspace_access("read")
def listing(request: WorkspaceRequest) -> HttpResponse:
    query = parameters_of(request.GET, ListQuery)
    return json_response({"data": items.listing(request, query.search, query.starred)})


@workspace_access("write")
def create(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    envelope, document = bodies.split(bodies.json_in(request, "dashboard"), "id", "visibility")
    dashboard, is_new = changes.create(request, checking.parse(document), envelope.visibility, envelope.id)
    return answer(request, dashboard, 201 if is_new else 200)


@require_safe
@public
def schema_view(request: HttpRequest) -> HttpResponse:
    """Returns the JSON Schema of a document. It is the same for everybody."""
    return HttpResponse(schema(), content_type="application/schema+json")


@cache
def schema() -> bytes:
    described = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:{SCHEMA.replace('/', ':')}"}
    return orjson.dumps(described | DashboardDocument.model_json_schema(by_alias=True))


# --- One dashboard ---


@workspace_access("read")
def one(request: WorkspaceRequest, dashboard_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    return answer(request, rights.visible(request, dashboard_id))


@workspace_access("write")
def replace(request: WorkspaceRequest, dashboard_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    envelope, document = bodies.split(bodies.json_in(request, "dashboard"), "visibility")
    changed = changes.change(request, dashboard_id, lambda _: document, if_match(request), envelope.visibility)
    return answer(request, changed)


@workspace_access("write")
def change(request: WorkspaceRequest, dashboard_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    envelope, parts = bodies.split(bodies.json_in(request, "dashboard"), "visibility")
    changed = changes.change(
        request, dashboard_id, lambda document: document | parts, if_match(request), envelope.visibility
    )
    return answer(request, changed)


@workspace_access("write")
def delete(request: WorkspaceRequest, dashboard_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    changes.delete(request, dashboard_id)
    return HttpResponse(status=204)


@require_http_methods(["POST"])
@workspace_access("write")
def duplicate_view(request: WorkspaceRequest, dashboard_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    return answer(request, changes.duplicate(request, rights.visible(request, dashboard_id)), 201)


@require_safe
@workspace_access("read")
def export_view(request: WorkspaceRequest, dashboard_id: UUID) -> HttpResponse:
    """Returns the document as a file."""
    parameters_of(request.GET, NoParameters)
    return file_of(rights.visible(request, dashboard_id))


@require_safe
@page_access
def file_page(request: WorkspaceRequest, dashboard_id: UUID) -> HttpResponse:
    """Returns the document as a file to a browser, whose links have no header."""
    return file_of(rights.visible(request, dashboard_id))


def file_of(dashboard: Dashboard) -> HttpResponse:
    body = orjson.dumps(dashboard.document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    response = HttpResponse(body, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="dashboard-{dashboard.pk}.json"'
    response["Cache-Control"] = "private, no-store"
    return with_etag(response, dashboard)


@workspace_access("read")
def put_star(request: WorkspaceRequest, dashboard_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    return answer(request, changes.star(request, dashboard_id, True))


@workspace_access("read")
def delete_star(request: WorkspaceRequest, dashboard_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    return answer(request, changes.star(request, dashboard_id, False))


# --- Revisions ---


@require_safe
@workspace_access("read")
def revisions_view(request: WorkspaceRequest, dashboard_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    dashboard = rights.visible(request, dashboard_id)
    return json_response({"data": items.revision_items(list(dashboard.revisions.defer("document")))})


@require_http_methods(["POST"])
@workspace_access("write")
def restore_view(request: WorkspaceRequest, dashboard_id: UUID, number: int) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    return answer(request, changes.restore(request, dashboard_id, number, if_match(request)))


# --- Panels ---


@require_http_methods(["POST"])
@workspace_access("write")
def panels_view(request: WorkspaceRequest, dashboard_id: UUID) -> HttpResponse:
    """Adds a panel. It needs no If-Match: it takes nothing away from another editor."""
    parameters_of(request.GET, NoParameters)
    panel = bodies.json_in(request, "panel")
    bodies.validated(panel, NewPanel, "panel")
    change, ids = panel_changes.added(panel)
    seen = if_match(request) or changes.ANY_REVISION
    with panel_changes.errors_of_one():
        dashboard = changes.change(request, dashboard_id, change, seen)
    return panel_answer(dashboard, ids[-1], 201)


@workspace_access("write")
def change_panel(request: WorkspaceRequest, dashboard_id: UUID, panel_id: str) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    change = panel_changes.changed(panel_id, bodies.json_in(request, "panel"))
    with panel_changes.errors_of_one():
        dashboard = changes.change(request, dashboard_id, change, if_match(request))
    return panel_answer(dashboard, panel_id)


@workspace_access("write")
def delete_panel(request: WorkspaceRequest, dashboard_id: UUID, panel_id: str) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    change = panel_changes.removed(panel_id)
    changes.change(request, dashboard_id, change, if_match(request) or changes.ANY_REVISION)
    return HttpResponse(status=204)


def panel_answer(dashboard: Dashboard, panel_id: str, status: int = 200) -> HttpResponse:
    panel = dashboard.document["panels"][panel_changes.place_of(dashboard.document, panel_id)]
    found = {"id": panel_id, "revision": dashboard.revision, "panel": panel}
    return with_etag(json_response(found, status), dashboard)


# --- Public links ---


@workspace_access("manage")
def list_links(request: WorkspaceRequest, dashboard_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    return json_response({"data": items.link_items(rights.visible(request, dashboard_id))})


@workspace_access("manage")
def make_link(request: WorkspaceRequest, dashboard_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    body = bodies.validated(bodies.json_in(request, "link"), NewLink, "link")
    link, token = links.issue(request, rights.visible(request, dashboard_id), body)
    return json_response({**items.link_item(link, True), "url": links.url(token)}, 201)


@require_http_methods(["DELETE"])
@workspace_access("manage")
def link_view(request: WorkspaceRequest, dashboard_id: UUID, link_id: UUID) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    links.revoke(rights.visible(request, dashboard_id), link_id, rights.author_of(request))
    return HttpResponse(status=204)


@workspace_access("read")
def sharing(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    return json_response({"allows_public_links": links.are_allowed(request.workspace)})


@workspace_access("manage")
def change_sharing(request: WorkspaceRequest) -> HttpResponse:
    parameters_of(request.GET, NoParameters)
    body = bodies.validated(bodies.json_in(request, "setting"), Sharing, "setting")
    links.allow(request.workspace, body.allows_public_links, rights.author_of(request))
    return json_response({"allows_public_links": body.allows_public_links})


dashboards_view = methods(GET=listing, POST=create)
dashboard_view = methods(GET=one, PATCH=change, PUT=replace, DELETE=delete)
star_view = declare(methods(PUT=put_star, DELETE=delete_star), "read")
links_view = declare(methods(GET=list_links, POST=make_link), "manage")
sharing_view = declare(methods(GET=sharing, PUT=change_sharing), "read, or manage to PUT")
