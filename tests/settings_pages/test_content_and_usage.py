"""Content and privacy of a workspace, which owners change, and how much the workspace stores."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from tests.factories import WorkspaceFactory, an_api_key
from tests.settings_pages.people import ask, somebody
from tests.tenant import NOON, Tenant, iso
from workspaces.models import AuditEntry, Workspace

pytestmark = pytest.mark.django_db(databases="__all__")

CONTENT, USAGE = "/api/v1/settings/content", "/api/v1/settings/usage"


@pytest.fixture
def workspace() -> Workspace:
    return WorkspaceFactory()


def page(client: Client, workspace: Workspace, path: str) -> str:
    return " ".join(client.get(path, {"workspace": str(workspace.pk)}).content.decode().split())


# --- Content ---


def test_an_owner_says_who_reads_content_and_the_audit_says_so(workspace: Workspace) -> None:
    client, headers = somebody("owner", workspace)
    answer = ask(client, headers, "PATCH", CONTENT, {"visible_to": "editors"})
    assert answer.json()["visible_to"] == "editors"
    assert answer.json()["store_content"] is True
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.before, entry.after) == (
        "content.change",
        {"visible_to": "members"},
        {"visible_to": "editors"},
    )
    [row] = Tenant(workspace, Client()).calls(1, attributes={"gen_ai.input.messages": "a secret prompt"})
    viewer, _ = somebody("viewer", workspace)
    address = f"/api/v1/traces/{row.trace_id}/spans/{row.span_id}"
    assert b"a secret prompt" not in ask(viewer, {"X-Workspace-ID": str(workspace.pk)}, "GET", address).content
    assert b"a secret prompt" in ask(client, headers, "GET", address).content


def test_the_form_stops_storing_content_of_spans_that_arrive(workspace: Workspace) -> None:
    client, headers = somebody("owner", workspace)
    assert "yes, for" in page(client, workspace, "/settings/content")
    form = {"visible_to": "nobody"}
    answer = client.post("/settings/content", form, headers=headers, query_params={"workspace": str(workspace.pk)})
    assert answer.status_code == 302
    text = page(client, workspace, "/settings/content")
    assert "no: the content of spans that arrive is left out" in text
    assert "no key" in text
    workspace.refresh_from_db()
    assert (workspace.store_content, workspace.content_visible_to) == (False, "nobody")


@pytest.mark.parametrize("body", [{"visible_to": "everybody"}, {"store_content": "no"}, {"retention_days": 1}])
def test_a_change_with_a_fault_is_refused(workspace: Workspace, body: dict[str, Any]) -> None:
    client, headers = somebody("owner", workspace)
    assert ask(client, headers, "PATCH", CONTENT, body).status_code == 422
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("name", ["viewer", "editor"])
def test_others_see_it_and_who_may_change_it(workspace: Workspace, name: str) -> None:
    somebody("owner", workspace)
    client, _ = somebody(name, workspace)
    text = page(client, workspace, "/settings/content")
    assert "Owners of the workspace change this: an-owner" in text
    assert "Save</button>" not in text


def test_it_counts_the_keys_that_read_content(workspace: Workspace) -> None:
    an_api_key("read", "content", workspace=workspace)
    an_api_key("read", "content", workspace=workspace, revoked_at=timezone.now())
    client, headers = somebody("viewer", workspace)
    assert ask(client, headers, "GET", CONTENT).json()["keys_with_content"] == 1
    assert "1 key</a> with the scope content" in page(client, workspace, "/settings/content")


# --- Usage ---


def test_usage_counts_what_is_stored_of_this_workspace_only(tenant: Tenant) -> None:
    tenant.calls(3, at=NOON)
    tenant.calls(1, at=NOON - timedelta(days=40), operation="execute_tool")
    Tenant(WorkspaceFactory(), Client()).calls(5)
    found = tenant.client.get(USAGE).json()
    assert [found["spans"], found["calls"], found["spans_of_30_days"], found["scores"]] == [4, 3, 3, 0]
    assert found["oldest_span_at"] == iso(NOON - timedelta(days=40))
    assert found["newest_span_at"] == iso(NOON)


def test_disk_is_the_share_of_the_workspace_in_all_tables(tenant: Tenant) -> None:
    tenant.calls(3)
    Tenant(WorkspaceFactory(), Client()).calls(9)
    with connections["analytics"].cursor() as cursor:
        cursor.execute("ANALYZE traces")
        cursor.execute("SELECT pg_total_relation_size('traces')")
        [(size,)] = cursor.fetchall()
    found = tenant.client.get(USAGE).json()
    assert {one["name"] for one in found["tables"]} == {"traces", "scores", "lists", "sums"}
    assert found["tables"][0] == {"name": "traces", "about_bytes": round(size / 4)}
    assert found["about_bytes"] == sum(one["about_bytes"] for one in found["tables"])
    assert "of disk" in page(tenant.client, tenant.workspace, "/settings/usage")


def test_an_empty_workspace_stores_nothing(tenant: Tenant) -> None:
    found = tenant.client.get(USAGE).json()
    assert [found["spans"], found["oldest_span_at"], found["newest_span_at"]] == [0, None, None]
    assert "Oldest span</dt> <dd> none" in page(tenant.client, tenant.workspace, "/settings/usage")
