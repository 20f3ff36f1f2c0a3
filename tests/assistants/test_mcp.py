"""The Model Context Protocol: the official client lists and calls every tool, and hostile calls are refused."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, quote
from uuid import uuid4

import httpx2
import pytest
from django.test import Client
from mcp import Client as McpClient
from mcp.client.streamable_http import streamable_http_client

from analytics.openapi import openapi_document
from assistants.tools import Tool, tools
from tests.factories import WorkspaceFactory, an_api_key
from tests.tenant import NOON, Tenant
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def workspace() -> Workspace:
    return WorkspaceFactory()


def bearer(*scopes: str, workspace: Workspace) -> dict[str, str]:
    return {"Authorization": f"Bearer {an_api_key(*scopes, workspace=workspace)[1]}"}


def send(message: Any, **headers: str) -> Any:
    body = message if isinstance(message, bytes) else json.dumps(message)
    return Client().post("/mcp", body, content_type="application/json", headers=headers)


def rpc(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def call(headers: dict[str, str], tool: str, **arguments: Any) -> Any:
    answer = send(rpc("tools/call", name=tool, arguments=arguments), **headers).json()
    return answer.get("result") or answer["error"]


# --- The official client ---


@asynccontextmanager
async def official_client(url: str, headers: dict[str, str]) -> AsyncIterator[McpClient]:
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        McpClient(streamable_http_client(url, http_client=http)) as client,
    ):
        yield client


def example(tool: Tool) -> dict[str, Any]:
    """Returns the arguments of the example in the API document."""
    documented = openapi_document()["paths"][tool.path]["get"]["x-example"]
    arguments: dict[str, Any] = dict(documented.get("path", {}))
    for name, value in parse_qsl(documented.get("query") or ""):
        if name.startswith("label."):
            arguments.setdefault("labels", {})[name.removeprefix("label.")] = [value]
        else:
            arguments[name] = value
    return arguments


def address(tool: Tool) -> str:
    documented = openapi_document()["paths"][tool.path]["get"]["x-example"]
    path = tool.path
    for name, value in documented.get("path", {}).items():
        path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
    return f"{path}?{documented.get('query') or ''}"


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_the_official_client_lists_and_calls_every_tool(live_server: Any, workspace: Workspace) -> None:
    Tenant(workspace, Client()).calls(3, at=NOON, user_id="ada", cost_usd="0.5")
    headers = bearer("read", workspace=workspace)

    async def answers() -> dict[str, tuple[bool, str]]:
        async with official_client(f"{live_server.url}/mcp", headers) as client:
            listed = [tool.name for tool in (await client.list_tools()).tools]
            assert listed == list(tools())
            called = {name: await client.call_tool(name, example(tools()[name])) for name in listed}
            return {name: (bool(one.is_error), one.content[0].text) for name, one in called.items()}  # type: ignore[union-attr]

    found = asyncio.run(answers())
    api = Client(headers=headers | {"X-Workspace-ID": str(workspace.id)})
    for name, (is_error, text) in found.items():
        expected = api.get(address(tools()[name]))
        assert is_error == (expected.status_code >= 400), (name, text)
        if is_error:
            assert json.loads(text) == expected.json(), name
        else:
            assert json.loads(text).keys() == expected.json().keys(), name
    assert json.loads(found["query"][1])["totals"]["calls"] == 3


# --- Tools ---


def test_tools_have_the_names_of_the_paths_and_read_only(workspace: Workspace) -> None:
    listed = send(rpc("tools/list"), **bearer("read", workspace=workspace)).json()["result"]["tools"]
    names = {tool["name"] for tool in listed}
    assert {"query", "traces", "trace", "sessions", "budgets_check", "insights_changes", "insights_savings"} <= names
    assert {"insights_forecast", "usage_overview"} <= names
    assert not [name for name in names if "settings" in name or "exports" in name]
    assert all(tool["annotations"]["readOnlyHint"] for tool in listed)
    assert len(json.dumps(listed)) < 150_000


def test_a_tool_answers_as_the_api_and_takes_filters_and_labels(workspace: Workspace) -> None:
    tenant = Tenant(workspace, Client())
    tenant.calls(2, labels={"customer": "acme"})
    tenant.calls(1, labels={"customer": "other"})
    headers = bearer("read", workspace=workspace)
    for arguments, calls in (
        ({}, 3),
        ({"labels": {"customer": ["acme"]}}, 2),
        ({"not_labels": {"customer": "acme"}}, 1),
        ({"model": ["gpt-4o", "o3"]}, 3),
        ({"not_model": "gpt-4o"}, 0),
    ):
        answer = call(headers, "usage_overview", range="7d", **arguments)
        assert json.loads(answer["content"][0]["text"])["total_calls"] == calls, arguments
        assert answer["isError"] is False


def test_content_is_shown_to_keys_with_the_scope_only(workspace: Workspace) -> None:
    [row] = Tenant(workspace, Client()).calls(1, attributes={"gen_ai.input.messages": "a secret prompt"})
    span = {"trace_id": row.trace_id, "span_id": row.span_id}
    assert "a secret prompt" not in str(call(bearer("read", workspace=workspace), "trace_span", **span))
    assert "a secret prompt" in str(call(bearer("read", "content", workspace=workspace), "trace_span", **span))


def test_an_answer_that_is_too_large_asks_for_less(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistants.calls.MOST_BYTES", 10)
    answer = call(bearer("read", workspace=workspace), "usage_overview")
    assert answer["isError"]
    assert "Ask with a smaller limit" in answer["content"][0]["text"]


def test_an_open_workspace_needs_no_key(tenant: Tenant) -> None:
    answer = tenant.client.post("/mcp", rpc("tools/call", name="usage_overview"), content_type="application/json")
    assert json.loads(answer.json()["result"]["content"][0]["text"])["total_calls"] == 0


# --- The protocol ---


@pytest.mark.parametrize(("asked", "answered"), [("2025-06-18", "2025-06-18"), ("2099-01-01", "2025-11-25")])
def test_both_sides_agree_on_a_version(workspace: Workspace, asked: str, answered: str) -> None:
    hello = rpc("initialize", protocolVersion=asked, capabilities={}, clientInfo={"name": "a", "version": "1"})
    result = send(hello, **bearer("read", workspace=workspace)).json()["result"]
    assert result["protocolVersion"] == answered
    assert result["capabilities"] == {"tools": {"listChanged": False}}


def test_notifications_are_accepted_without_an_answer(workspace: Workspace) -> None:
    headers = bearer("read", workspace=workspace)
    answer = send({"jsonrpc": "2.0", "method": "notifications/initialized"}, **headers)
    assert (answer.status_code, answer.content) == (202, b"")
    assert send(rpc("ping"), **headers).json()["result"] == {}


@pytest.mark.parametrize("method", ["get", "delete", "put"])
def test_there_are_no_streams_and_no_sessions(workspace: Workspace, method: str) -> None:
    answer = getattr(Client(), method)("/mcp", headers=bearer("read", workspace=workspace))
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


# --- Hostile calls ---

OK = rpc("tools/call", name="usage_overview", arguments={})


@pytest.mark.parametrize(
    ("message", "headers", "status"),
    [
        (OK, {"Authorization": ""}, 401),
        (OK, {"Authorization": "Bearer aop_nobody"}, 401),
        (OK, {"Authorization": "", "X-API-Key": "aop_nobody"}, 401),
        (OK, {"Origin": "https://evil.example"}, 403),
        (OK, {"Origin": "null"}, 403),
        (OK, {"X-Workspace-ID": "00000000-0000-0000-0000-000000000000"}, 403),
        (OK, {"X-Workspace-ID": "nothing"}, 422),
        (OK, {"MCP-Protocol-Version": "1999-01-01"}, 400),
        (OK, {"Content-Encoding": "br"}, 415),
        (b"{", {}, 400),
        (b"[" * 100 + b"]" * 100, {}, 400),
        (b'"' + b"a" * 70_000 + b'"', {}, 413),
        ([OK, OK], {}, 400),
        ({"id": 1, "method": "ping"}, {}, 400),
        ({"jsonrpc": "2.0", "id": None, "method": "ping"}, {}, 400),
    ],
)
def test_hostile_requests_are_refused(workspace: Workspace, message: Any, headers: dict[str, str], status: int) -> None:
    sent = bearer("read", workspace=workspace) | headers
    answer = send(message, **{name: value for name, value in sent.items() if value})
    assert answer.status_code == status, answer.content
    assert "result" not in answer.json()


@pytest.mark.parametrize("scopes", [("ingest",), ("write",), ()])
def test_a_key_without_read_calls_nothing(workspace: Workspace, scopes: tuple[str, ...]) -> None:
    assert send(OK, **bearer(*scopes, workspace=workspace)).status_code == 403


def test_a_session_is_no_key(workspace: Workspace) -> None:
    from tests.factories import MembershipFactory

    client = Client(headers={"X-Workspace-ID": str(workspace.id)})
    user = MembershipFactory(workspace=workspace, role="owner").user
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    assert client.post("/mcp", OK, content_type="application/json").status_code == 401


@pytest.mark.parametrize(
    ("tool", "arguments", "path"),
    [
        ("usage_overview", {"range": "1y"}, "usage/overview?range=1y"),
        ("usage_overview", {"colour": "red"}, "usage/overview?colour=red"),
        ("usage_overview", {"limit": 100000}, "usage/overview?limit=100000"),
        ("usage_overview", {"model": "\0"}, "usage/overview?model=%00"),
        ("usage_overview", {"model": ["x"] * 30}, "usage/overview?" + "&".join(["model=x"] * 30)),
        ("query", {"measures": "'; DROP TABLE traces; --"}, "query?measures='; DROP TABLE traces; --"),
        ("query", {"measures": "calls", "by": "password"}, "query?measures=calls&by=password"),
        ("traces", {"cursor": "nonsense"}, "traces?cursor=nonsense"),
        ("trace", {"trace_id": "../../settings/keys"}, "traces/..%2F..%2Fsettings%2Fkeys"),
        ("trace", {"trace_id": "nothing"}, "traces/nothing"),
        ("budget", {"budget_id": "1"}, "budgets/1"),
        ("budget", {"budget_id": "00000000-0000-0000-0000-000000000000/raise"}, "budgets/1"),
    ],
)
def test_hostile_arguments_are_refused_as_the_api_refuses_them(
    workspace: Workspace, tool: str, arguments: dict[str, Any], path: str
) -> None:
    headers = bearer("read", workspace=workspace)
    answer = call(headers, tool, **arguments)
    assert answer["isError"]
    expected = Client(headers=headers | {"X-Workspace-ID": str(workspace.id)}).get(f"/api/v1/{path}")
    found = json.loads(answer["content"][0]["text"])
    assert found["status"] == expected.status_code
    assert found.get("errors") == expected.json().get("errors")


@pytest.mark.parametrize(
    "arguments", [{"format": "csv"}, {"model": {"a": 1}}, {"labels": "x"}, {"model": [["x"]]}, {"limit": None}]
)
def test_arguments_of_another_shape_are_refused_by_their_name(workspace: Workspace, arguments: dict[str, Any]) -> None:
    answer = call(bearer("read", workspace=workspace), "usage_overview", **arguments)
    assert answer["isError"]
    assert json.loads(answer["content"][0]["text"])["errors"][0]["loc"] == ["arguments", *arguments]


@pytest.mark.parametrize("params", [{"name": "settings_keys"}, {"name": 1}, {}, {"name": "traces", "arguments": [1]}])
def test_unknown_tools_and_broken_params_are_errors_of_the_protocol(
    workspace: Workspace, params: dict[str, Any]
) -> None:
    answer = send(rpc("tools/call", **params), **bearer("read", workspace=workspace))
    assert answer.json()["error"]["code"] == -32602


def test_a_key_sees_its_own_workspace_only(workspace: Workspace) -> None:
    [row] = Tenant(WorkspaceFactory(), Client()).calls(1)
    headers = bearer("read", workspace=workspace)
    assert call(headers, "trace", trace_id=row.trace_id)["isError"]
    text = call(headers, "usage_overview", range="7d")["content"][0]["text"]
    assert json.loads(text)["total_calls"] == 0


# --- Ids that lead elsewhere ---


def test_an_id_leads_a_tool_to_no_other_address(workspace: Workspace) -> None:
    """A tool reads what it names: an id that looks like an address is an id that does not exist."""
    headers = bearer("read", workspace=workspace)
    for schedule_id in ("cost.pdf", "cost.csv", "usage.json", f"{uuid4()}/runs", f"runs/{uuid4()}.csv", "\ud800"):
        answer = call(headers, "report", schedule_id=schedule_id)
        assert answer["isError"]
        assert json.loads(answer["content"][0]["text"])["detail"] == "There is nothing at this address."


def test_an_id_of_a_message_that_no_answer_can_repeat_is_refused(workspace: Workspace) -> None:
    answer = send({"jsonrpc": "2.0", "id": "\ud800", "method": "ping"}, **bearer("read", workspace=workspace))
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == -32600
