"""Short descriptions of spans, and the requests that send them in every order."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.ingest.test_stacks import pairs
from tests.tenant import NOON, Tenant
from traces.db import rows

NOON_NS = int(NOON.timestamp()) * 10**9
OPENAI = "opentelemetry.instrumentation.openai_v2"
OPENINFERENCE = "openinference.instrumentation.openai"
ANTHROPIC = "com.anthropic.sdk.python"
LANGCHAIN = "openinference.instrumentation.langchain"


@dataclass(frozen=True)
class Sent:
    """A span; its times are seconds after noon."""

    number: int
    parent: int | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    name: str = "span"
    start: float = 0
    end: float | None = 1
    scope: str = "app"
    trace: int = 1
    failed: bool = False
    service: str = "support-desk"

    def request(self) -> dict[str, Any]:
        span = {
            "traceId": f"{self.trace:032x}",
            "spanId": f"{self.number:016x}",
            "parentSpanId": f"{self.parent:016x}" if self.parent else "",
            "name": self.name,
            "startTimeUnixNano": NOON_NS + round(self.start * 10**6) * 1000,
            "endTimeUnixNano": 0 if self.end is None else NOON_NS + round(self.end * 10**6) * 1000,
            "attributes": pairs(self.attributes),
            "status": {"code": 2, "message": "RateLimitError: slow down"} if self.failed else {},
        }
        scope_spans = [{"scope": {"name": self.scope}, "spans": [span]}]
        return {"resource": {"attributes": pairs({"service.name": self.service})}, "scopeSpans": scope_spans}


def chat(number: int, parent: int | None = None, tokens: tuple[int, int] | None = (100, 20), **values: Any) -> Sent:
    """Returns a call of gpt-4o; a stream without usage if it has no tokens."""
    model, response_id = values.pop("model", "gpt-4o"), values.pop("response_id", None)
    attributes = {"gen_ai.operation.name": values.pop("operation", "chat"), "gen_ai.provider.name": "openai"}
    attributes |= {"gen_ai.request.model": model} if model else {}
    attributes |= {"gen_ai.response.id": response_id} if response_id else {}
    attributes |= usage(*tokens) if tokens else {}
    return Sent(number, parent, attributes | values.pop("attributes", {}), **{"name": "call", "scope": OPENAI} | values)


def usage(input_tokens: int, output_tokens: int) -> dict[str, int]:
    return {"gen_ai.usage.input_tokens": input_tokens, "gen_ai.usage.output_tokens": output_tokens}


def agent(number: int, parent: int | None = None, name: str = "support", **values: Any) -> Sent:
    attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name} | values.pop("attributes", {})
    return Sent(number, parent, attributes, **values)


def tool(number: int, parent: int | None = None, **values: Any) -> Sent:
    return Sent(number, parent, {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather"}, **values)


def send(tenant: Tenant, *spans: Sent) -> None:
    """Sends the spans in one request."""
    body = json.dumps({"resourceSpans": [span.request() for span in spans]})
    response = tenant.client.post("/v1/traces", body, content_type="application/json")
    assert (response.status_code, response.content) == (200, b"{}")


def stored(tenant: Tenant) -> list[dict[str, Any]]:
    found = rows(
        "SELECT * FROM traces WHERE workspace_id = %(workspace_id)s ORDER BY trace_id, span_id",
        {"workspace_id": tenant.workspace.id},
    )
    return [without_numbers(row) | {"attributes": json.loads(row["attributes"])} for row in found]


def without_numbers(row: dict[str, Any]) -> dict[str, Any]:
    """Returns the row without the numbers of its user and labels, which count in the order in which these arrive."""
    return {name: value for name, value in row.items() if name not in ("user_number", "label_numbers")}


def calls(tenant: Tenant) -> list[tuple[str, int | None, int | None]]:
    """Returns model and tokens of each call, sorted by them."""
    found = [row for row in stored(tenant) if row["operation"] in ("chat", "embeddings")]
    return sorted(((row["model"], row["input_tokens"], row["output_tokens"]) for row in found), key=str)


def total_calls(tenant: Tenant) -> int:
    """Returns the calls that the API counts. They must be as many as there are rows."""
    around = {"start": (NOON - timedelta(days=1)).isoformat(), "end": (NOON + timedelta(days=1)).isoformat()}
    total: int = tenant.ask("usage/overview", **around)["total_calls"]
    assert total == len(calls(tenant))
    return total
