"""Makes examples for the API document and its page. A test runs each of them."""

import json
import shlex
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pprint import pformat
from types import MappingProxyType
from typing import Any, NamedTuple

API_KEY = "YOUR_API_KEY"
BUDGET = {"monthly_limit_usd": 2000.00, "alert_threshold_percentage": 85.0}
TRACE = {
    "agent_id": "support",
    "provider": "openai",
    "model": "gpt-4o",
    "user_id": "ada",
    "session_id": "session-1",
    "latency_ms": 840.0,
    "input_tokens": 1200,
    "output_tokens": 80,
}
SCORE = {"trace_id": "5b8efff798038103d269b633813fc60c", "name": "helpful", "value": True, "comment": "Solved it."}
LANGFUSE_SCORE = {"id": "1", "traceId": "5b8efff798038103d269b633813fc60c", "name": "helpful", "value": 0.9}
NEW_BUDGET: dict[str, Any] = {
    "id": "7b0cb1e2-6f0f-4c0e-9a57-3d2a5f1c9e10",
    "name": "Customer acme",
    "amount_usd": 500.00,
    "period": "month",
    "scope": {"label.customer": ["acme"]},
    "owner": "ada",
    "reason": "as in the contract",
}
BUDGET_CHANGES = {"amount_usd": 650.00, "reason": "the contract was extended"}
PREVIEW = {"name": "Every user", "amount_usd": 20.00, "per": "user"}
LABEL = {"attribute": "metadata.customer", "label": "customer"}
NO_LOGS: dict[str, Any] = {"resourceLogs": []}
NO_METRICS: dict[str, Any] = {"resourceMetrics": []}


def raise_until_tomorrow() -> dict[str, Any]:
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
    return {"amount_usd": 100.00, "until": until, "reason": "the launch"}


def otlp() -> dict[str, Any]:
    """Returns a request with a span that ended just now."""
    ended = time.time_ns()
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.agent.name": "support",
    }
    span = {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "name": "chat gpt-4o",
        "kind": 3,
        "startTimeUnixNano": str(ended - 840_000_000),
        "endTimeUnixNano": str(ended),
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
    }
    return {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}


def agents_sdk() -> dict[str, Any]:
    return {"data": [{"object": "trace", "id": "trace_5b8efff798038103d269b633813fc60c", "workflow_name": "support"}]}


def langfuse_ingestion() -> dict[str, Any]:
    """Returns a batch with one generation that began just now."""
    now = datetime.now(UTC).isoformat()
    generation = {
        "id": "generation-1",
        "traceId": "trace-1",
        "model": "gpt-4o",
        "startTime": now,
        "endTime": now,
        "usage": {"input": 1200, "output": 80, "unit": "TOKENS"},
    }
    return {"batch": [{"id": "1", "type": "generation-create", "timestamp": now, "body": generation}]}


class Call(NamedTuple):
    """A request of the API, with the address and the workspace of the reader."""

    method: str
    url: str
    body: Any
    workspace_id: str
    needs_key: bool
    file_name: str = ""
    """Where the answer is stored, if it is a file."""
    more_headers: Mapping[str, str] = MappingProxyType({})

    @property
    def headers(self) -> dict[str, str]:
        key = {"Authorization": f"Bearer {API_KEY}"} if self.needs_key else {}
        content_type = {} if self.body is None else {"Content-Type": "application/json"}
        return {"X-Workspace-ID": self.workspace_id} | key | content_type | dict(self.more_headers)


def curl(call: Call) -> str:
    """Returns a command for a shell, over several lines."""
    is_implied = call.method == "GET" or (call.method == "POST" and call.body is not None)
    stored = ["-o", call.file_name] if call.file_name else []
    words = ["curl", *stored, *([] if is_implied else ["-X", call.method]), shlex.quote(call.url)]
    lines = [" ".join(words), *(f'-H "{name}: {value}"' for name, value in call.headers.items())]
    if call.body is not None:
        lines.append(f"-d {shlex.quote(json.dumps(call.body))}")
    return " \\\n  ".join(lines)


def python(call: Call) -> str:
    """Returns a program that needs nothing but Python."""
    lines = ["from urllib.request import Request, urlopen", "", "request = Request(", f"    {call.url!r},"]
    if call.body is not None:
        lines.insert(0, "import json")
        lines.append(f"    data=json.dumps({pformat(call.body, width=96, sort_dicts=False)}).encode(),")
    lines += [f"    headers={call.headers!r},", f"    method={call.method!r},", ")"]
    if call.file_name:
        lines.insert(0, "from shutil import copyfileobj")
        lines.append(f"with urlopen(request) as answer, open({call.file_name!r}, 'wb') as file:")
        return "\n".join([*lines, "    copyfileobj(answer, file)"])
    return "\n".join([*lines, "with urlopen(request) as answer:", "    print(answer.read().decode())"])
