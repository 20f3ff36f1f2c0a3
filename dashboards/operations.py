"""Describes the endpoints of dashboards for the API document."""

from functools import partial
from typing import Any

from analytics.openapi import WITH_BODY, WORKSPACE, Schema, json_of, problems, success_response
from analytics.operation_parts import also_created, body, describe, in_path, query_of, with_status, without_answer
from dashboards.api import ListQuery
from dashboards.bodies import LONGEST_DAYS, DashboardBody, NewDashboard, NewLink, NewPanel, Sharing
from dashboards.document import SCHEMA
from dashboards.items import (
    DashboardDetail,
    DashboardList,
    LinkList,
    NewLinkItem,
    PanelAnswer,
    RevisionList,
    SharingItem,
)
from dashboards.revisions import MOST_REVISIONS

DASHBOARDS = "/api/v1/dashboards"
ONE = f"{DASHBOARDS}/{{dashboard_id}}"
PANEL: dict[str, Any] = {
    "id": "cost",
    "kind": "line",
    "title": "Cost of $customer",
    "place": {"x": 0, "y": 0, "width": 12, "height": 7},
    "measures": ["cost_usd"],
    "by": ["model"],
    "compare": "previous",
}
DOCUMENT: dict[str, Any] = {
    "schema": SCHEMA,
    "name": "Finance by customer",
    "range": {"range": "30d"},
    "variables": [{"name": "customer", "dimension": "label.customer", "title": "Customer"}],
    "panels": [PANEL],
}
NEW_DASHBOARD = {"id": "5f0c7f0e-3b7e-4d39-8a55-0d3f6f0c1d01", **DOCUMENT}
NEW_PANEL = {"id": "spent", "kind": "number", "title": "Spent", "measures": ["cost_usd"]}
EXAMPLE_PATH = {"dashboard_id": NEW_DASHBOARD["id"]}
EXAMPLE_PANEL = EXAMPLE_PATH | {"panel_id": NEW_PANEL["id"]}
EXAMPLE_LINK = EXAMPLE_PATH | {"link_id": "5f0c7f0e-3b7e-4d39-8a55-0d3f6f0c1d02"}


ID = in_path("dashboard_id", "The dashboard's id.")
PANEL_ID = in_path("panel_id", "The panel's id.", {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,39}$"})
NUMBER = in_path("number", "The revision's number.", {"type": "integer", "minimum": 1, "maximum": 2_147_483_647})
LINK_ID = in_path("link_id", "The link's id.")


def if_match(is_required: bool) -> Schema:
    return {
        "name": "If-Match",
        "in": "header",
        "description": "The ETag of the dashboard that you have read; * for any. A dashboard that somebody has changed "
        "since is not overwritten: the answer is 412.",
        "required": is_required,
        "schema": {"type": "string"},
    }


ANY = {"If-Match": "*"}


operation = partial(describe, "dashboards")


def operations() -> dict[str, Schema]:
    """Returns the operations by path. Whatever deletes the example comes last, since a test runs them in this order."""
    return {
        DASHBOARDS: {"get": list_dashboards(), "post": create()},
        f"{DASHBOARDS}/schema.json": {"get": read_schema()},
        f"{DASHBOARDS}/sharing": {"get": read_sharing(), "put": change_sharing()},
        f"{ONE}/export": {"get": export()},
        f"{ONE}/duplicate": {"post": duplicate()},
        f"{ONE}/star": {"put": star("star-dashboard", True), "delete": star("unstar-dashboard", False)},
        f"{ONE}/panels": {"post": add_panel()},
        f"{ONE}/panels/{{panel_id}}": {"get": panel_data(), "patch": change_panel(), "delete": delete_panel()},
        f"{ONE}/revisions": {"get": list_revisions()},
        f"{ONE}/revisions/{{number}}/restore": {"post": restore()},
        f"{ONE}/links": {"get": list_links(), "post": make_link()},
        f"{ONE}/links/{{link_id}}": {"delete": revoke_link()},
        ONE: {"get": one(), "put": replace(), "patch": change(), "delete": delete()},
    }


def of_one(name: str, summary: str, answer: Any, *statuses: int, example: Any = None, **parts: Any) -> Schema:
    """Returns an operation of one dashboard."""
    parameters = parts.pop("parameters", [])
    return operation(
        name,
        summary,
        answer,
        *(404, *statuses),
        parameters=[ID, *parameters, WORKSPACE],
        **{"x-example": {"path": EXAMPLE_PATH} | (example or {})},
        **parts,
    )


def all_optional(described: Schema) -> Schema:
    """Describes a body whose parts are all optional."""
    described["content"]["application/json"]["schema"].pop("required", None)
    return described


# --- All dashboards ---


def list_dashboards() -> Schema:
    return operation(
        "list-dashboards",
        "The dashboards of the workspace that the credential may see.",
        DashboardList,
        parameters=[WORKSPACE, *query_of(ListQuery)],
        **{"x-example": {"query": "search=customer"}},
    )


def create() -> Schema:
    return also_created(
        operation(
            "create-dashboard",
            "Makes a dashboard from a document, such as one that was exported.",
            DashboardDetail,
            *(*WITH_BODY, 409),
            description="Every error of the document names its place, like `panels[2].measures[0]`. A panel over "
            "another one moves down until it is free.",
            requestBody=body(NewDashboard, NEW_DASHBOARD),
            **{"x-example": {"body": NEW_DASHBOARD}},
        ),
        "The dashboard, which is new.",
    )


def read_schema() -> Schema:
    return {
        "operationId": "dashboard-schema",
        "summary": "The JSON Schema of a dashboard's document.",
        "tags": ["dashboards"],
        "parameters": [],
        "security": [],
        "responses": {
            "200": success_response({"application/schema+json": {"schema": {"type": "object"}}}),
            **problems(),
        },
        "x-example": {},
    }


def read_sharing() -> Schema:
    return operation("read-sharing", "Whether the workspace allows public links.", SharingItem)


def change_sharing() -> Schema:
    example = {"allows_public_links": True}
    return operation(
        "change-sharing",
        "Allows public links, or stops all of them. Only an owner of the workspace may, signed in.",
        SharingItem,
        *WITH_BODY,
        requestBody=body(Sharing, example),
        **{"x-example": {"body": example}},
    )


# --- One dashboard ---


def one() -> Schema:
    return of_one("one-dashboard", "One dashboard with its document.", DashboardDetail)


def replace() -> Schema:
    return of_one(
        "replace-dashboard",
        "Replaces the document, as one revision.",
        DashboardDetail,
        *(*WITH_BODY, 412, 428),
        parameters=[if_match(is_required=True)],
        requestBody=body(DashboardBody, DOCUMENT),
        example={"body": DOCUMENT, "headers": ANY},
    )


def change() -> Schema:
    example = {"description": "For the monthly talk."}
    return of_one(
        "change-dashboard",
        "Changes parts of the document; a part that is left out stays, one that is sent is replaced as a whole.",
        DashboardDetail,
        *(*WITH_BODY, 412, 428),
        parameters=[if_match(is_required=True)],
        requestBody=all_optional(body(DashboardBody, example, is_update=True)),
        example={"body": example, "headers": ANY},
    )


def delete() -> Schema:
    return without_answer(
        of_one(
            "delete-dashboard",
            "Deletes a dashboard with its revisions and links. Its owner may, and the owners of the workspace.",
            DashboardDetail,
        )
    )


def export() -> Schema:
    summary = "The document as a file, which can be sent to make a dashboard."
    found = of_one("export-dashboard", summary, DashboardDetail)
    found["responses"]["200"] = success_response(json_of({"type": "object"}), "Content-Disposition", "ETag")
    return found


def duplicate() -> Schema:
    return with_status(
        of_one("duplicate-dashboard", "Makes a copy that belongs to whoever asks.", DashboardDetail), 201, "The copy."
    )


def star(name: str, is_starred: bool) -> Schema:
    words = "Stars a dashboard" if is_starred else "Takes the star of a dashboard away"
    return of_one(name, f"{words}, for the user who is signed in. A key has no stars.", DashboardDetail)


# --- Panels ---


def add_panel() -> Schema:
    return with_status(
        of_one(
            "add-panel",
            "Adds a panel. Without a place it comes beside the last one if there is room, or else below all.",
            PanelAnswer,
            *(*WITH_BODY, 412),
            parameters=[if_match(is_required=False)],
            requestBody=body(NewPanel, NEW_PANEL),
            example={"body": NEW_PANEL},
        ),
        201,
        "The panel, and the dashboard's revision.",
    )


def panel_data() -> Schema:
    found = of_one(
        "panel-data",
        "What a panel shows.",
        PanelAnswer,
        parameters=[PANEL_ID],
        description="Panels of measures answer as `/api/v1/query` does. The parameters of a read, like `range` and "
        "`agent_id`, replace the window and the filters of the document, and `var.customer=acme` chooses the value of "
        "the variable customer.",
        example={"path": EXAMPLE_PANEL, "query": "range=30d&var.customer=acme"},
    )
    found["responses"]["200"] = success_response(json_of({"type": "object"}), "Cache-Control")
    return found


def change_panel() -> Schema:
    example = {"title": "Spent so far"}
    return of_one(
        "change-panel",
        "Changes a panel; a field that is left out keeps its value.",
        PanelAnswer,
        *(*WITH_BODY, 412, 428),
        parameters=[PANEL_ID, if_match(is_required=True)],
        requestBody=all_optional(body(NewPanel, example, is_update=True)),
        example={"path": EXAMPLE_PANEL, "body": example, "headers": ANY},
    )


def delete_panel() -> Schema:
    return without_answer(
        of_one(
            "delete-panel",
            "Removes a panel.",
            PanelAnswer,
            412,
            parameters=[PANEL_ID, if_match(is_required=False)],
            example={"path": EXAMPLE_PANEL},
        )
    )


# --- Revisions ---


def list_revisions() -> Schema:
    return of_one("list-revisions", f"The newest {MOST_REVISIONS} revisions: who changed what, and when.", RevisionList)


def restore() -> Schema:
    return of_one(
        "restore-revision",
        "Makes a new revision with the document of an older one.",
        DashboardDetail,
        412,
        parameters=[NUMBER, if_match(is_required=False)],
        example={"path": EXAMPLE_PATH | {"number": 1}},
    )


# --- Public links ---


def list_links() -> Schema:
    return of_one(
        "list-links", "The public links of a dashboard. Only an owner of the workspace may ask, signed in.", LinkList
    )


def make_link() -> Schema:
    example = {"days": 30}
    return with_status(
        of_one(
            "make-link",
            f"Makes a public link, which anyone can read for up to {LONGEST_DAYS} days.",
            NewLinkItem,
            *WITH_BODY,
            description="Only an owner of the workspace may, signed in, and only while the workspace allows public "
            "links. The address is in this answer and nowhere else.",
            requestBody=body(NewLink, example),
            example={"body": example},
        ),
        201,
        "The link with its address.",
    )


def revoke_link() -> Schema:
    return without_answer(
        of_one(
            "revoke-link",
            "Ends a public link at once.",
            LinkList,
            parameters=[LINK_ID],
            example={"path": EXAMPLE_LINK},
        ),
        "It no longer works.",
    )
