"""Speaks the Model Context Protocol at `/mcp`: streamable HTTP without sessions or streams, so each answer is JSON."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from assistants.calls import answer
from assistants.tools import tools
from web.body import json_body
from web.declared_access import View
from web.json_body import parse_json
from web.problems import Problem
from web.version import VERSION
from workspaces.access import WorkspaceRequest, unauthorized, workspace_access

VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26")
"""Of the protocol, the newest first."""
MOST_BYTES = 64 * 1024
MOST_LEVELS = 16
LONE_HALF = re.compile("[\ud800-\udfff]")
"""Half of a character, which JSON may have in a text and no answer can repeat."""
INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32600, -32601, -32602
INSTRUCTIONS = (
    "Reads of one workspace of an observability product for LLM agents: usage, cost, performance, traces, budgets, "
    "forecasts and what changed. Costs are in USD; a call without a price is unpriced, never free. `query` answers "
    "questions about any measures by any dimensions; `traces` finds traces, `trace` shows one."
)


class RpcError(Exception):
    """What JSON-RPC answers instead of a result."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def of_this_site(view: View) -> View:
    """Refuses requests of other sites' pages: a browser names the site in Origin, and programs name none."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        origin = request.headers.get("Origin")
        if origin is not None and origin != f"{request.scheme}://{request.get_host()}":
            raise Problem(403, "A page of another site must not use this address.")
        return view(request, *args, **kwargs)

    return checked


def only_posts(view: View) -> View:
    """Refuses other methods: there are no streams to GET and no sessions to DELETE."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST":
            raise Problem(405, "This address takes POST only.", headers={"Allow": "POST"})
        return view(request, *args, **kwargs)

    return checked


@of_this_site
@only_posts
@workspace_access("read", key_selects=True)
def mcp_view(request: WorkspaceRequest) -> HttpResponse:
    if request.access.key is None and not request.workspace.is_open:
        raise unauthorized("Send an API key with the scope read as Authorization: Bearer <key>.")
    message = message_in(request)
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        return rpc_error(None, RpcError(INVALID_REQUEST, "must be one JSON-RPC 2.0 message, not a batch"), 400)
    if "method" not in message or "id" not in message:
        return HttpResponse(status=202)  # a notification, or the answer to a question that was never asked
    return answered(request, message)


def message_in(request: WorkspaceRequest) -> Any:
    body = json_body(request, "message")
    if len(body) > MOST_BYTES:
        raise Problem(413, f"A message has at most {MOST_BYTES // 1024} KiB.")
    return parse_json(body, MOST_LEVELS)


def answered(request: WorkspaceRequest, message: dict[str, Any]) -> HttpResponse:
    message_id, params = message["id"], message.get("params", {})
    if isinstance(message_id, bool) or not isinstance(message_id, str | int) or LONE_HALF.search(str(message_id)):
        return rpc_error(None, RpcError(INVALID_REQUEST, "id must be a text or a whole number"), 400)
    try:
        method = METHODS.get(str(message["method"]))
        if method is None:
            raise RpcError(METHOD_NOT_FOUND, "This server offers initialize, ping, tools/list and tools/call.")
        if not isinstance(params, dict):
            raise RpcError(INVALID_PARAMS, "params must be an object")
        check_version(request, message["method"])
        return rpc({"jsonrpc": "2.0", "id": message_id, "result": method(request, params)})
    except RpcError as error:
        return rpc_error(message_id, error)


def check_version(request: WorkspaceRequest, method: str) -> None:
    version = request.headers.get("MCP-Protocol-Version")
    if method != "initialize" and version is not None and version not in VERSIONS:
        raise Problem(400, f"MCP-Protocol-Version must be {' or '.join(VERSIONS)}.")


def rpc(body: dict[str, Any], status: int = 200) -> HttpResponse:
    response = HttpResponse(orjson.dumps(body), status=status, content_type="application/json")
    response["Cache-Control"] = "private, no-store"
    return response


def rpc_error(message_id: Any, error: RpcError, status: int = 200) -> HttpResponse:
    body = {"jsonrpc": "2.0", "id": message_id, "error": {"code": error.code, "message": error.message}}
    return rpc(body, status)


# --- The methods ---


def initialize(request: WorkspaceRequest, params: dict[str, Any]) -> dict[str, Any]:
    version = params.get("protocolVersion")
    return {
        "protocolVersion": version if version in VERSIONS else VERSIONS[0],
        "capabilities": {"tools": {"listChanged": False}},
        "serverInfo": {"name": "agent-observability", "title": "Agent observability", "version": VERSION},
        "instructions": INSTRUCTIONS,
    }


def ping(request: WorkspaceRequest, params: dict[str, Any]) -> dict[str, Any]:
    return {}


def list_tools(request: WorkspaceRequest, params: dict[str, Any]) -> dict[str, Any]:
    return {"tools": [tool.described() for tool in tools().values()]}


def call_tool(request: WorkspaceRequest, params: dict[str, Any]) -> dict[str, Any]:
    """Answers with the text of the API; a problem of the API is the text of an error of the tool."""
    name, arguments = params.get("name"), params.get("arguments") or {}
    tool = tools().get(name) if isinstance(name, str) else None
    if tool is None:
        raise RpcError(INVALID_PARAMS, "There is no such tool; tools/list names all.")
    if not isinstance(arguments, dict):
        raise RpcError(INVALID_PARAMS, "arguments must be an object")
    text, is_error = answer(request, request.access, tool, arguments)
    return {"content": [{"type": "text", "text": text}], "isError": is_error}


METHODS: dict[str, Callable[[WorkspaceRequest, dict[str, Any]], dict[str, Any]]] = {
    "initialize": initialize,
    "ping": ping,
    "tools/list": list_tools,
    "tools/call": call_tool,
}
