"""Error messages: whether they speak of a time-out, and that no credential in them is stored."""

import json
from typing import Any

import pytest

from tests.ingest.test_otlp import a_span, post, request_of, stored
from tests.ingest.test_stacks import pairs
from tests.tenant import NOON, Tenant

pytestmark = pytest.mark.django_db(databases="__all__")


def failed(tenant: Tenant, message: str, attributes: dict[str, Any] | None = None) -> dict[str, Any]:
    post(tenant, request_of(a_span(attributes=attributes or {}, status={"code": 2, "message": message})))
    [row] = stored(tenant)
    return row


# --- Time-outs ---


@pytest.mark.parametrize(
    "message",
    [
        "connect ETIMEDOUT 10.0.0.1:443",
        "504 Gateway Time-out",
        "Request timed out.",
        "request timed_out",
        "timeout of 5000ms exceeded",
        "The operation was aborted due to timeout",
        "httpx.ReadTimeout",
        "UND_ERR_HEADERS_TIMEOUT",
        "DEADLINE_EXCEEDED: Deadline Exceeded",
        "context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
        "Error code: 408 - Request Timeout",
        "400 the upstream request timed out",
        "Timeout after 450 seconds",
        "timeout of 400 ms exceeded",
    ],
)
def test_a_message_speaks_of_a_timeout(tenant: Tenant, message: str) -> None:
    assert failed(tenant, message)["status"] == "timeout"


@pytest.mark.parametrize(
    "message",
    [
        "Error code: 400 - {'error': {'message': \"Unknown parameter: 'timeout'.\", 'param': 'timeout'}}",
        "400 Bad Request: timeout must be a positive number",
        "422 timeout: Extra inputs are not permitted",
        "TypeError: create() got an unexpected keyword argument 'timeout'",
        "Invalid value for timeout=-1",
        "unknown field request_timeout=5",
        "the option timeout is not known",
        "runtime output is missing",
        "the time outside of the window",
        "sometimes outputs are empty",
        "rate limit reached",
    ],
)
def test_a_message_about_something_else_is_an_error(tenant: Tenant, message: str) -> None:
    assert failed(tenant, message)["status"] == "error"


@pytest.mark.parametrize(
    ("error_type", "status"),
    [
        ("timed_out", "timeout"),
        ("time-out", "timeout"),
        ("ETIMEDOUT", "timeout"),
        ("openai.APITimeoutError", "timeout"),
        ("timeout", "timeout"),
        ("TimeoutError", "timeout"),
        ("concurrent.futures._base.TimeoutError", "timeout"),
        ("DeadlineExceeded", "timeout"),
        ("invalid_timeout", "error"),
        ("openai.BadRequestError", "error"),
    ],
)
def test_an_error_type_speaks_of_a_timeout(tenant: Tenant, error_type: str, status: str) -> None:
    assert failed(tenant, "request failed", {"error.type": error_type})["status"] == status


def test_the_status_code_of_the_answer_tells_a_complaint_from_a_timeout(tenant: Tenant) -> None:
    row = failed(tenant, "timeout is too large", {"http.response.status_code": 400})
    assert (row["status"], row["error_type"]) == ("error", "400")


# --- Credentials ---

MESSAGE = (
    "Incorrect API key provided: sk-proj-ABCDEFGHIJKLMNOPQRSTUVWX12345678. "
    "Authorization: Bearer sk-ant-api03-AAAABBBBCCCCDDDD"
)
MASKED = "Incorrect API key provided: sk-…. Authorization: Bearer …"


def test_keys_in_the_status_are_masked(tenant: Tenant) -> None:
    assert failed(tenant, MESSAGE)["error_message"] == MASKED


@pytest.mark.parametrize("name", ["error.message", "exception.message", "langfuse.observation.status_message"])
def test_keys_in_attributes_with_a_message_are_masked(tenant: Tenant, name: str) -> None:
    assert failed(tenant, "failed", {name: MESSAGE})["attributes"][name] == MASKED


def test_keys_in_exceptions_are_masked(tenant: Tenant) -> None:
    exception = {"name": "exception", "attributes": pairs({"exception.type": "E", "exception.message": MESSAGE})}
    post(tenant, request_of(a_span(status={"code": 2}, events=[exception])))
    [row] = stored(tenant)
    assert row["error_message"] == MASKED
    assert row["attributes"]["events"][0]["attributes"]["exception.message"] == MASKED


def test_keys_in_an_error_type_are_masked(tenant: Tenant) -> None:
    assert failed(tenant, "failed", {"error.type": MESSAGE})["error_type"] == MASKED


def test_keys_in_spans_of_the_agents_sdk_are_masked(tenant: Tenant) -> None:
    span = {
        "object": "trace.span",
        "id": "span_1",
        "trace_id": "trace_1",
        "started_at": NOON.isoformat(),
        "span_data": {"type": "generation", "model": "gpt-4o"},
        "error": {"message": "failed", "data": {"error": MESSAGE}},
    }
    tenant.client.post("/v1/traces/ingest", json.dumps({"data": [span]}), content_type="application/json")
    [row] = stored(tenant)
    assert row["error_message"] == f"failed: {MASKED}"


def test_keys_in_json_traces_are_masked(tenant: Tenant) -> None:
    item = {
        "agent_id": "support",
        "status": "error",
        "error_message": MESSAGE,
        "attributes": {"error": {"body": [MESSAGE]}, "prompt": "sk-what-is-this-beginning"},
    }
    tenant.client.post("/api/v1/traces", json.dumps(item), content_type="application/json")
    [row] = stored(tenant)
    assert row["error_message"] == MASKED
    assert row["attributes"] == {"error": {"body": [MASKED]}, "prompt": "sk-what-is-this-beginning"}


def test_a_key_at_the_edge_of_a_long_message_is_not_stored_in_part(tenant: Tenant) -> None:
    message = "x" * (8 * 1024 - 30) + " " + MESSAGE
    assert "sk-p" not in failed(tenant, message)["error_message"]
