"""Checks who may change something, on a view that only these tests have."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path

from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory, an_api_key
from workspaces.access import WorkspaceRequest, workspace_access
from workspaces.models import Role

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.urls("tests.workspaces.test_writes"),
]


@workspace_access("write")
def change(request: WorkspaceRequest) -> HttpResponse:
    return HttpResponse(request.access.credential)


urlpatterns = [path("change", change), path("", include("observability.urls"))]


def put(client: Client, workspace_id: UUID, **headers: str) -> Any:
    return client.put("/change", "{}", headers={"X-Workspace-ID": str(workspace_id)} | headers)


def signed_in(user: Any) -> tuple[Client, str]:
    """Returns a browser with a session, and its CSRF token."""
    client = Client(enforce_csrf_checks=True)
    client.get("/sign-in")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client, client.cookies["csrftoken"].value


@pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (Role.EDITOR, 200), (Role.OWNER, 200)])
def test_editors_and_owners_write_and_viewers_do_not(role: Role, status: int) -> None:
    membership = MembershipFactory(role=role)
    client, token = signed_in(membership.user)
    assert put(client, membership.workspace_id, **{"X-CSRFToken": token}).status_code == status


def test_a_session_writes_with_the_csrf_token_only() -> None:
    membership = MembershipFactory(role=Role.EDITOR)
    client, token = signed_in(membership.user)
    assert put(client, membership.workspace_id).status_code == 403
    assert put(client, membership.workspace_id, **{"X-CSRFToken": "x" * 32}).status_code == 403
    assert put(client, membership.workspace_id, **{"X-CSRFToken": token}).content.decode() == membership.user.username


def test_an_editor_elsewhere_is_refused_alike_for_another_and_for_no_workspace() -> None:
    client, token = signed_in(MembershipFactory(role=Role.EDITOR).user)
    there = put(client, WorkspaceFactory().id, **{"X-CSRFToken": token})
    nowhere = put(client, uuid4(), **{"X-CSRFToken": token})
    assert there.status_code == nowhere.status_code == 403
    assert there.content == nowhere.content


def test_a_superuser_writes_everywhere() -> None:
    client, token = signed_in(UserFactory(is_superuser=True))
    assert put(client, WorkspaceFactory().id, **{"X-CSRFToken": token}).status_code == 200
    assert put(client, uuid4(), **{"X-CSRFToken": token}).status_code == 403


@pytest.mark.parametrize(("scope", "status"), [("ingest", 403), ("read", 403), ("write", 200)])
def test_a_key_writes_with_the_scope_and_without_a_csrf_token(scope: str, status: int) -> None:
    key, secret = an_api_key(scope)
    client = Client(enforce_csrf_checks=True)
    assert put(client, key.workspace_id, Authorization=f"Bearer {secret}").status_code == status


def test_the_view_knows_which_key_was_used() -> None:
    key, secret = an_api_key("write")
    assert put(Client(), key.workspace_id, Authorization=f"Bearer {secret}").content.decode() == f"key {key.prefix}"


def test_a_bad_key_is_refused_together_with_a_valid_session() -> None:
    membership = MembershipFactory(role=Role.OWNER)
    client, token = signed_in(membership.user)
    headers = {"X-CSRFToken": token, "Authorization": "Bearer aop_wrong"}
    assert put(client, membership.workspace_id, **headers).status_code == 401


@pytest.mark.parametrize(
    ("site", "status"), [("none", 200), ("same-origin", 200), ("same-site", 403), ("cross-site", 403)]
)
def test_an_open_workspace_is_written_by_anyone_but_another_site(settings: Any, site: str, status: int) -> None:
    workspace = WorkspaceFactory()
    settings.OPEN_WORKSPACE_IDS = frozenset({workspace.id})
    client = Client(enforce_csrf_checks=True)
    response = put(client, workspace.id, **{"Sec-Fetch-Site": site})
    assert response.status_code == status
    assert site != "none" or response.content == b"anyone"


def test_a_form_of_another_site_cannot_name_the_workspace(settings: Any) -> None:
    settings.OPEN_WORKSPACE_IDS = frozenset({WorkspaceFactory().id})
    assert Client().post("/change", {"X-Workspace-ID": str(uuid4())}).status_code == 422


def test_other_sites_get_no_permission_to_send_the_header() -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Headers": "x-workspace-id"}
    response = Client().options("/change", headers=headers)
    assert response.status_code == 401
    assert "Access-Control-Allow-Origin" not in response
