"""The search of all pages finds traces, sessions, users, agents, models and tools."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from explorer import find
from tests.factories import MembershipFactory, WorkspaceFactory
from tests.tenant import Tenant, a_row
from traces import writer

pytestmark = pytest.mark.django_db(databases="__all__")

NOW = datetime.now(UTC) - timedelta(minutes=1)


def found(tenant: Tenant, search: str) -> list[tuple[str, str]]:
    """Returns kind and name of what is found."""
    page = unescape(tenant.client.get("/dashboard/found", {"q": search}).content.decode())
    return [(kind, name) for name, kind in re.findall(r'title="([^"]*)"><span>.*?<span class="muted">(\w+)', page)]


@pytest.fixture
def filled(tenant: Tenant) -> Tenant:
    named = {"user_id": "user-acme", "session_id": "session-acme", "trace_id": "trace-acme", "model": "acme-large"}
    tenant.calls(1, NOW, agent_id="acme-support", **named)
    tenant.calls(1, NOW, operation="execute_tool", tool="acme_search", model=None, provider=None)
    return tenant


def test_a_part_of_a_name_finds_everything_that_has_it(filled: Tenant) -> None:
    expected = {
        *(("Agent", "acme-support"), ("Model", "acme-large"), ("Tool", "acme_search")),
        *(("Trace", "trace-acme"), ("Session", "session-acme"), ("User", "user-acme")),
    }
    assert set(found(filled, "acme")) == set(found(filled, " ACME ")) == expected


@pytest.mark.parametrize("search", ["nobody", "%", "_", "", "\0", "x" * 5000])
def test_what_is_in_no_name_finds_nothing(filled: Tenant, search: str) -> None:
    expected = {("Tool", "acme_search")} if search == "_" else set()
    assert set(found(filled, search)) == expected


def test_what_is_found_leads_to_its_page(filled: Tenant) -> None:
    page = unescape(filled.client.get("/dashboard/found", {"q": "acme"}).content.decode())
    for address in re.findall(r'href="([^"]*)"', page):
        assert filled.client.get(address).status_code == 200, address


def test_pages_are_found_by_their_name(tenant: Tenant) -> None:
    assert found(tenant, "budg") == [("Page", "Budgets")]
    assert 'href="/dashboard/budgets?workspace=' in tenant.client.get("/dashboard/found?q=budg").content.decode()


def test_an_old_trace_is_found_by_its_whole_id(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "NEWEST_SPANS", 1)
    tenant.calls(1, NOW - timedelta(days=20), trace_id="trace-old", session_id="session-old")
    tenant.calls(1, NOW)
    assert found(tenant, "trace-ol") == []
    assert found(tenant, "trace-old") == [("Trace", "trace-old")]
    assert found(tenant, "session-old") == [("Session", "session-old")]


def test_the_page_lists_the_same_and_says_when_there_is_nothing(filled: Tenant) -> None:
    query: dict[str, Any] = {"workspace": filled.workspace.id, "q": "acme"}
    assert "acme-support" in filled.client.get("/dashboard/find", query).content.decode()
    assert "/agents/acme-support?" in filled.client.get("/dashboard/find", query | {"q": "acme-s"})["Location"]
    nothing = filled.client.get("/dashboard/find", query | {"q": "nobody"}).content.decode()
    assert "No trace or session has “nobody” in its id, and no user, agent, model or tool in its name." in nothing
    assert "Type part of the name" in filled.client.get("/dashboard/find").content.decode()


def test_nothing_of_another_workspace_is_found(filled: Tenant) -> None:
    other = WorkspaceFactory()
    same = {"user_id": "user-secret", "session_id": "session-secret", "model": "secret-large"}
    writer.store(other.id, [a_row(NOW, trace_id="trace-secret", agent_id="secret-support", **same)])
    for search in ("secret", "trace-secret", "session-secret", "user-secret"):
        assert found(filled, search) == []
    member = Client(headers={"X-Workspace-ID": str(other.id)})
    assert member.get("/dashboard/found", {"q": "secret"}).status_code == 401
    member.force_login(MembershipFactory(workspace=other).user)
    assert "trace-secret" in member.get("/dashboard/found", {"q": "secret"}).content.decode()
    assert filled.client.get("/dashboard/find", {"workspace": other.id, "q": "secret"}).status_code == 302
