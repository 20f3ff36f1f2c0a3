"""Whose call it was, and in which conversation, in the spellings of each client."""

import json
from typing import Any

import pytest

from tests.ingest.test_otlp import a_span, post, request_of, stored
from tests.ingest.test_stacks import pairs
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__")


def user_and_session(tenant: Tenant) -> list[tuple[str | None, str | None]]:
    return [(row["user_id"], row["session_id"]) for row in stored(tenant)]


@pytest.mark.parametrize(
    ("user", "session"),
    [
        ("user.id", "session.id"),
        ("langfuse.user.id", "langfuse.session.id"),
        ("langfuse.trace.user_id", "langfuse.trace.session_id"),
        ("traceloop.association.properties.user_id", "traceloop.association.properties.session_id"),
        ("traceloop.association.properties.userId", "traceloop.association.properties.sessionId"),
        ("traceloop.association.properties.userId", "traceloop.association.properties.threadId"),
        ("ai.telemetry.metadata.userId", "ai.telemetry.metadata.sessionId"),
        ("ai.telemetry.metadata.user_id", "ai.telemetry.metadata.session_id"),
        ("ai.telemetry.metadata.userId", "ai.telemetry.metadata.chatId"),
        ("ai.settings.context.user_id", "ai.settings.context.session_id"),
        ("langsmith.metadata.user_id", "langsmith.metadata.conversation_id"),
        ("enduser.id", "gen_ai.conversation.id"),
        ("user_id", "session_id"),
    ],
)
def test_user_and_session_are_read_in_every_spelling(tenant: Tenant, user: str, session: str) -> None:
    post(tenant, request_of(a_span(attributes={user: "alice", session: "c7"})))
    assert user_and_session(tenant) == [("alice", "c7")]


@pytest.mark.parametrize("unknown", ["", "  ", "null", "undefined", "None", "NULL", '"null"'])
def test_a_word_for_nobody_is_nobody(tenant: Tenant, unknown: str) -> None:
    post(tenant, request_of(a_span(attributes={"user.id": unknown, "session.id": unknown})))
    assert user_and_session(tenant) == [(None, None)]


def test_after_a_word_for_nobody_the_next_name_is_read(tenant: Tenant) -> None:
    attributes = {"user.id": "undefined", "langfuse.user.id": "alice", "session.id": " ", "thread_id": "c7"}
    post(tenant, request_of(a_span(attributes=attributes)))
    assert user_and_session(tenant) == [("alice", "c7")]


def test_a_number_is_an_id(tenant: Tenant) -> None:
    post(tenant, request_of(a_span(attributes={"user.id": 42, "session.id": 0})))
    assert user_and_session(tenant) == [("42", "0")]


def with_resource(body: dict[str, Any], attributes: dict[str, str]) -> dict[str, Any]:
    body["resourceSpans"][0]["resource"] = {"attributes": pairs(attributes)}
    return body


def test_the_resource_names_user_and_session_of_a_process(tenant: Tenant) -> None:
    post(tenant, with_resource(request_of(a_span()), {"user.id": "alice", "session.id": "c7"}))
    assert user_and_session(tenant) == [("alice", "c7")]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_span_of_the_trace_knows_better_than_the_resource(tenant: Tenant, order: tuple[int, int]) -> None:
    requests = [
        with_resource(request_of(a_span(2, 1)), {"user.id": "service", "session.id": "process"}),
        request_of(a_span(1, attributes={"user.id": "alice", "session.id": "c7"})),
    ]
    for number in order:
        post(tenant, requests[number])
    assert set(user_and_session(tenant)) == {("alice", "c7")}


def test_a_word_for_nobody_on_the_resource_is_nobody(tenant: Tenant) -> None:
    post(tenant, with_resource(request_of(a_span()), {"user.id": "undefined", "session.id": "null"}))
    assert user_and_session(tenant) == [(None, None)]


def test_an_item_in_json_names_nobody_either(tenant: Tenant) -> None:
    item = {"agent_id": "support", "user_id": "undefined", "session_id": " "}
    tenant.client.post("/api/v1/traces", json.dumps(item), content_type="application/json")
    assert user_and_session(tenant) == [(None, None)]
