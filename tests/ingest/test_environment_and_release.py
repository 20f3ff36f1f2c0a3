"""Where a call ran and in which release, as its trace and its process say, whatever order the spans come in."""

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.factories import WorkspaceFactory
from tests.ingest.otlp_spans import Sent, agent, chat, send, stored, tool
from tests.ingest.test_repetitions import final
from tests.ingest.test_stacks import pairs
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__")


@dataclass(frozen=True)
class Of:
    """A span of a process with these attributes on its resource."""

    span: Sent
    resource: Mapping[str, Any] = field(default_factory=dict)
    scope_version: str = ""

    def request(self) -> dict[str, Any]:
        request = self.span.request()
        request["resource"]["attributes"] += pairs(dict(self.resource))
        request["scopeSpans"][0]["scope"]["version"] = self.scope_version
        return request


def send_of(tenant: Tenant, *spans: Of) -> None:
    body = json.dumps({"resourceSpans": [span.request() for span in spans]})
    assert tenant.client.post("/v1/traces", body, content_type="application/json").content == b"{}"


STAGING = {"deployment.environment.name": "staging", "service.version": "42"}
TRACES: dict[str, tuple[list[Of], list[tuple[str | None, str | None]]]] = {
    "on the resource": ([Of(chat(1), STAGING)], [("staging", "42")]),
    "the newer name of the environment wins": (
        [Of(chat(1), {"deployment.environment": "old", "deployment.environment.name": "new"})],
        [("new", None)],
    ),
    "the span knows better than the resource": (
        [Of(chat(1, attributes={"deployment.environment": "canary", "langfuse.release": "43"}), STAGING)],
        [("canary", "43")],
    ),
    "Langfuse's release wins over the version of the service": (
        [Of(chat(1), STAGING | {"langfuse.release": "v42", "langfuse.environment": "other"})],
        [("staging", "v42")],
    ),
    "the nearest span above wins over the root": (
        [
            Of(Sent(1, attributes={"langfuse.environment": "a", "langfuse.release": "1"})),
            Of(Sent(2, 1, attributes={"langfuse.environment": "b", "langfuse.release": "2"})),
            Of(chat(3, 2)),
        ],
        [("a", "1"), ("b", "2"), ("b", "2")],
    ),
    "the root speaks for spans that are not below": (
        [
            Of(Sent(1, attributes={"langfuse.environment": "a", "langfuse.trace.release": "1"}, start=1), STAGING),
            Of(Sent(2, 1, attributes={"langfuse.environment": "b", "langfuse.release": "2"}), STAGING),
            Of(chat(3, 9), STAGING),
        ],
        [("a", "1"), ("b", "2"), ("a", "1")],
    ),
    "any span speaks for the others where the root says nothing": (
        [Of(Sent(1), STAGING), Of(Sent(2, 1, attributes={"langfuse.release": "2"})), Of(chat(3, 1))],
        [("staging", "2"), ("staging", "2"), ("staging", "2")],
    ),
    "the version of an agent is that of the spans below": (
        [
            Of(Sent(1), STAGING),
            Of(agent(2, 1, attributes={"gen_ai.agent.version": 7.5}), STAGING),
            Of(chat(3, 2), STAGING),
            Of(chat(4, 1), STAGING),
        ],
        [("staging", "42"), ("staging", "7.5"), ("staging", "7.5"), ("staging", "42")],
    ),
    "the version of the root agent is that of the trace": (
        [Of(agent(1, attributes={"gen_ai.agent.version": "7"}), STAGING), Of(chat(2, 9), STAGING)],
        [("staging", "7"), ("staging", "7")],
    ),
    "another process that says nothing takes what the first says": (
        [Of(Sent(1), STAGING), Of(chat(2, 1))],
        [("staging", "42"), ("staging", "42")],
    ),
    "a process keeps its own": (
        [Of(Sent(1), STAGING), Of(chat(2, 1), {"service.version": "9", "deployment.environment": "eu"})],
        [("staging", "42"), ("eu", "9")],
    ),
    "Strands writes its own version, which is no release of the spans beside its own either": (
        [
            Of(Sent(1), {"service.version": "1.62.0"}),
            Of(chat(2, 1, scope="strands.telemetry.tracer"), {"service.version": "1.62.0"}),
        ],
        [(None, None), (None, None)],
    ),
    "Agent Framework writes its own version": (
        [Of(agent(1, scope="agent_framework"), {"service.version": "1.23.0"}, "1.23.0")],
        [(None, None)],
    ),
    "with Agent Framework the application may have a version": (
        [Of(agent(1, scope="agent_framework"), {"service.version": "42"}, "1.23.0")],
        [(None, "42")],
    ),
    "a word for nothing is nothing": (
        [Of(chat(1, attributes={"langfuse.release": "undefined", "langfuse.environment": " "}), STAGING)],
        [("staging", "42")],
    ),
}


@pytest.mark.parametrize(("spans", "expected"), TRACES.values(), ids=TRACES.keys())
def test_environment_and_release_are_the_same_in_every_order(
    tenant: Tenant, settings: Any, spans: list[Of], expected: list[tuple[str | None, str | None]]
) -> None:
    send_of(tenant, *spans)
    assert [(row["environment"], row["release"]) for row in stored(tenant)] == expected
    rows = final(tenant)
    for order in itertools.permutations(spans):
        other = Tenant(WorkspaceFactory(), tenant.client)
        settings.OPEN_WORKSPACE_IDS |= {other.workspace.id}
        tenant.client.defaults["HTTP_X_WORKSPACE_ID"] = str(other.workspace.id)
        for span in order:
            send_of(other, span)
        send_of(other, *order)
        assert final(other) == rows


def test_environment_and_first_token_are_columns_and_no_attributes(tenant: Tenant) -> None:
    send_of(tenant, Of(chat(1, attributes={"gen_ai.response.time_to_first_chunk": 0.25}), STAGING))
    [row] = stored(tenant)
    assert row["first_token_ms"] == 250
    assert not {"environment", "time_to_first_token_ms"} & row["attributes"].keys()


def test_only_tool_calls_have_a_tool(tenant: Tenant) -> None:
    named = {"gen_ai.operation.name": "chat", "gen_ai.tool.name": "weather"}  # OpenLIT
    send(tenant, agent(1), chat(2, 1, attributes=named), tool(3, 1))
    assert [row["tool"] for row in stored(tenant)] == [None, None, "weather"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_only_calls_have_a_first_token_which_another_record_of_the_call_may_know(
    tenant: Tenant, order: tuple[int, int]
) -> None:
    first = {"gen_ai.response.time_to_first_chunk": 0.5}
    requests = [
        (agent(1, attributes=first), chat(2, 1, response_id="r1")),
        (chat(3, 2, response_id="r1", scope="com.anthropic.sdk.python", attributes=first),),
    ]
    for number in order:
        send(tenant, *requests[number])
    assert [row["first_token_ms"] for row in stored(tenant)] == [None, 500, None]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_time_of_the_first_token_counts_from_the_start_that_another_copy_says(
    tenant: Tenant, order: tuple[int, int]
) -> None:
    created = {"id": "g", "traceId": "t", "startTime": "2026-11-22T12:00:00Z", "model": "gpt-4o"}
    updated = {
        **{"id": "g", "traceId": "t", "completionStartTime": "2026-11-22T12:00:00.5Z"},
        **{"endTime": "2026-11-22T12:00:02Z"},
    }
    events = [("generation-create", created), ("generation-update", updated)]
    for number in order:
        kind, body = events[number]
        event = {"id": f"e{number}", "type": kind, "timestamp": f"2026-11-22T12:00:0{number}Z", "body": body}
        answer = tenant.client.post("/api/public/ingestion", {"batch": [event]}, content_type="application/json")
        assert answer.json()["errors"] == []
    assert [row["first_token_ms"] for row in stored(tenant)] == [500]
