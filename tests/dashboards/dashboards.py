"""Makes dashboards, members and keys for tests."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from dashboards.changes import fill
from dashboards.checking import parse
from dashboards.document import SCHEMA
from dashboards.links import allow
from dashboards.models import Dashboard, PublicLink
from dashboards.operations import EXAMPLE_LINK, NEW_DASHBOARD
from tests.factories import MembershipFactory, WorkspaceFactory, an_api_key
from workspaces.models import Role, Workspace

DASHBOARDS = "/api/v1/dashboards"
COST: dict[str, Any] = {
    "id": "cost",
    "kind": "line",
    "title": "Cost",
    "place": {"x": 0, "y": 0, "width": 6, "height": 6},
    "measures": ["cost_usd"],
    "by": ["model"],
}
CALLS: dict[str, Any] = {
    "id": "calls",
    "kind": "number",
    "title": "Calls",
    "place": {"x": 6, "y": 0, "width": 3, "height": 4},
    "measures": ["calls"],
}
DOCUMENT: dict[str, Any] = {"schema": SCHEMA, "name": "Finance", "panels": [COST, CALLS]}


@dataclass
class Caller:
    """Somebody who calls the API of one workspace."""

    workspace: Workspace
    client: Client
    user: Any = None

    def send(self, method: str, path: str = "", body: Any = None, expect: int = 0, **headers: str) -> Any:
        sent = {} if body is None else {"data": body, "content_type": "application/json"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = getattr(self.client, method)(f"{DASHBOARDS}{path}", headers=named, **sent)
        assert response.status_code == expect or (not expect and response.status_code < 300), response.content
        return response.json() if response.content and "json" in response["Content-Type"] else response

    def make(self, expect: int = 201, **parts: Any) -> Any:
        return self.send("post", "", DOCUMENT | parts, expect)

    def get(self, dashboard: Any, expect: int = 0) -> Any:
        return self.send("get", f"/{dashboard['id']}", None, expect)

    def put(self, dashboard: Any, expect: int = 0, revision: int | None = None, **parts: Any) -> Any:
        tag = f'"{revision or dashboard["revision"]}"'
        return self.send("put", f"/{dashboard['id']}", dashboard["document"] | parts, expect, If_Match=tag)

    def page(self, **query: str) -> Any:
        return self.client.get("/dashboard/dashboards", {"workspace": str(self.workspace.pk), **query})

    def press(self, expect: int = 302, **fields: Any) -> Any:
        response = self.client.post(f"/dashboard/dashboards?workspace={self.workspace.pk}", fields)
        assert response.status_code == expect, response.content
        return response


def a_caller(role: Role, workspace: Workspace | None = None) -> Caller:
    """Makes a signed-in member."""
    membership = MembershipFactory(role=role, workspace=workspace or WorkspaceFactory())
    client = Client(headers={"X-Workspace-ID": str(membership.workspace_id)})
    client.force_login(membership.user)
    return Caller(membership.workspace, client, membership.user)


def a_program(workspace: Workspace, *scopes: str) -> Caller:
    """Makes a key, and a client with it."""
    _, secret = an_api_key(*scopes, workspace=workspace)
    headers = {"X-Workspace-ID": str(workspace.pk), "Authorization": f"Bearer {secret}"}
    return Caller(workspace, Client(headers=headers))


def a_link(owner: Caller, dashboard: Any, **body: Any) -> Any:
    """Allows public links, and makes one."""
    allow(owner.workspace, True, "owner")
    return owner.send("post", f"/{dashboard['id']}/links", body, 201)


def the_dashboard_of_the_examples(workspace: Workspace) -> None:
    """Makes what the examples of the API document name by its id."""
    now, example = timezone.now(), {name: value for name, value in NEW_DASHBOARD.items() if name != "id"}
    dashboard = Dashboard(id=NEW_DASHBOARD["id"], workspace=workspace)
    fill(dashboard, parse(example), "somebody", now)
    ends = {"expires_at": now + timedelta(days=1), "digest": "of another token"}
    PublicLink.objects.create(id=EXAMPLE_LINK["link_id"], dashboard=dashboard, **ends)
    allow(workspace, True, "somebody")


def errors(answer: Any) -> dict[str, str]:
    return {".".join(map(str, error["loc"][1:])): error["msg"] for error in answer["errors"]}
