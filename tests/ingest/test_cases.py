"""Cases of `tests/cases`, seen in the field: each is right in every order, split and repetition of its requests."""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from tests.ingest.cases import (
    CASES,
    DELIVERIES,
    MONTHS,
    Case,
    answered,
    field_case,
    ingest_case,
    moved_to_noon,
    post,
    read,
    what_is_stored,
    with_decimals,
)
from tests.ingest.stored import calls_of, stored
from tests.tenant import NOON, Tenant, iso

pytestmark = pytest.mark.django_db(databases="__all__")

WITH_A_TEST_OF_THEIR_OWN = {
    "daily_buckets_zone",  # in tests/analytics/test_months.py
    "json_update",
    "legacy_langfuse",
    "near_names",
    "open_then_final",
    "secret_in_message",
    "tooltip_zero",
    "trailing_slash",
}
FIELD_CASES = sorted({path.stem for path in CASES.glob("*.json")} - WITH_A_TEST_OF_THEIR_OWN)
# The configuration of the collector has its test in test_client_documents.py.
INGEST_CASES = sorted({path.stem for path in CASES.glob("ingest/*.json")} - {"collector-default-batch"})
ONE_PRICED_CALL = {"calls": 1, "unpriced": 0}

every_delivery = pytest.mark.parametrize("delivery", DELIVERIES.values(), ids=DELIVERIES.keys())


@every_delivery
@pytest.mark.parametrize("name", FIELD_CASES)
def test_a_call_from_the_field_is_right(tenant: Tenant, name: str, delivery: Any) -> None:
    case = field_case(name)
    for path, body in delivery(case.requests):
        post(tenant, path, body)
    answers = answered(tenant)
    assert answers == answers | ONE_PRICED_CALL | case.right
    assert len(answers["models"]) == 1
    if "cost" in case.right:
        assert answers["cost_of_models"] == case.right["cost"]
        [call] = calls_of(stored(tenant.workspace.id))
        assert call.cost_usd == exactly(case.right["cost"])


def exactly(usd: float | None) -> Decimal | None:
    return None if usd is None else Decimal(repr(usd))


@every_delivery
@pytest.mark.parametrize("name", INGEST_CASES)
def test_calls_from_the_field_are_right(tenant: Tenant, name: str, delivery: Any) -> None:
    case = ingest_case(name)
    for path, body in delivery(case.requests):
        post(tenant, path, body)
    right, seen, answers = with_decimals(case.right), what_is_stored(tenant), answered(tenant)
    assert {word: seen[word] for word in right} == right
    assert answers["calls"] == right["calls"]
    if "models" in right:
        assert answers["models"] == sorted(right["models"])
        assert_answers_add_up(answers, right["models"].values())


def assert_answers_add_up(answers: dict[str, Any], models: Iterable[dict[str, Any]]) -> None:
    """Fails unless the API's totals are the sums of the models."""
    costs = [counts["cost"] for counts in models if counts["cost"] is not None]
    assert answers["input"] == sum(counts["input"] or 0 for counts in models)
    assert answers["output"] == sum(counts["output"] or 0 for counts in models)
    assert answers["cost"] == (float(sum(costs)) if costs else None)
    assert answers["unpriced"] == sum(counts["calls"] for counts in models if counts["cost"] is None)


# --- Cases that are not a body for one path ---


def otlp(span: dict[str, Any], service: str = "svc") -> dict[str, Any]:
    resource = {"attributes": [attribute("service.name", service)]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "test"}, "spans": [span]}]}]}


def attribute(key: str, value: str | int) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value} if isinstance(value, str) else {"intValue": value}}


def a_chat(number: int, **attributes: str | int) -> dict[str, Any]:
    """Returns the span of a call. `_` in a name stands for its dots."""
    values = {"gen_ai.operation.name": "chat"} | {name.replace("__", "."): value for name, value in attributes.items()}
    start = int(NOON.timestamp()) * 10**9
    return {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "name": "chat",
        "startTimeUnixNano": start,
        "endTimeUnixNano": start + 10**9,
        "attributes": [attribute(key, value) for key, value in values.items()],
    }


def test_only_names_that_the_price_list_has_get_a_price(tenant: Tenant) -> None:
    names = read("near_names")["body"]
    for number, name in enumerate(names, 1):
        span = a_chat(
            number,
            gen_ai__request__model=name,
            gen_ai__usage__input_tokens=1_000_000,
            gen_ai__usage__output_tokens=1_000_000,
        )
        post(tenant, "/v1/traces", otlp(span))
    costs = {call.model: call.cost_usd for call in calls_of(stored(tenant.workspace.id))}
    # gpt-4o stands in the list as well, at 2.50 and 10 USD per million; gpt-4o-mini at 0.15 and 0.60.
    assert costs == dict.fromkeys(names) | {"gpt-4o": Decimal("12.5"), "gpt-4o-mini": Decimal("0.75")}
    assert answered(tenant)["unpriced"] == len(names) - 2


OPEN_AND_FINAL = {
    "as reported": ["first", "last"],
    "the final copy first": ["last", "first"],
    "each twice": ["first", "first", "last", "last"],
    "the open copy again at the end": ["first", "last", "first"],
}


@pytest.mark.parametrize("copies", OPEN_AND_FINAL.values(), ids=OPEN_AND_FINAL.keys())
def test_a_span_that_is_sent_open_and_again_complete_ends_complete(tenant: Tenant, copies: list[str]) -> None:
    content = read("open_then_final")
    case = moved_to_noon(Case("open_then_final", [(name, content["body"][name]) for name in ("first", "last")]))
    spans = dict(case.requests)
    for name in copies:
        post(tenant, "/v1/traces", otlp(spans[name]))
    answers, right = answered(tenant), content["right"]
    assert {word: answers[word] for word in ("calls", "input", "output")} == {
        word: right[word] for word in ("calls", "input", "output")
    }
    assert (answers["cost"], answers["unpriced"]) == (0.0038, 0)  # 1200 x 2.50 + 80 x 10 USD per million
    assert tenant.ask("performance/overview", **MONTHS)["p50_latency_ms"] == pytest.approx(right["p50"], rel=0.02)
    assert [row.latency_ms for row in stored(tenant.workspace.id)] == [right["p50"]]


ITEMS = {"as reported": [0, 1], "the complete item first": [1, 0], "each twice": [0, 0, 1, 1], "in turns": [0, 1, 0, 1]}


@pytest.mark.parametrize("order", ITEMS.values(), ids=ITEMS.keys())
def test_a_json_item_that_is_completed_later_ends_complete(tenant: Tenant, order: list[int]) -> None:
    content = read("json_update")
    case = moved_to_noon(Case("json_update", [("/api/v1/traces", item) for item in content["body"]]))
    for number in order:
        post(tenant, *case.requests[number])
    answers = answered(tenant)
    assert {word: answers[word] for word in content["right"]} == content["right"]
    [call] = stored(tenant.workspace.id)
    assert (call.output_tokens, call.latency_ms, call.cost_usd) == (80, 2000, Decimal("0.0038"))


def test_the_answer_says_that_a_json_item_was_updated(tenant: Tenant) -> None:
    case = moved_to_noon(Case("json_update", [("/api/v1/traces", item) for item in read("json_update")["body"]]))
    answers = [post(tenant, path, body) for path, body in (*case.requests, case.requests[1])]
    assert answers == [
        {"accepted": 1, "updated": 0, "duplicates": 0, "rejected": []},
        {"accepted": 0, "updated": 1, "duplicates": 0, "rejected": []},
        {"accepted": 0, "updated": 0, "duplicates": 1, "rejected": []},
    ]


@pytest.mark.parametrize("times", [1, 2])
def test_a_call_of_the_langfuse_2_protocol_is_stored(tenant: Tenant, times: int) -> None:
    content = read("legacy_langfuse")
    case = moved_to_noon(Case("legacy_langfuse", [("/api/public/ingestion", content["body"])]))
    for _ in range(times):
        answer = post(tenant, *case.requests[0])
        assert {event["id"]: event["status"] for event in answer["successes"]} == {"e1": 201, "e2": 201}
    answers = answered(tenant)
    assert (answers["calls"], answers["input"], answers["output"]) == (1, 1200, 80)
    assert (answers["cost"], answers["unpriced"]) == (0.0038, 0)
    [call] = calls_of(stored(tenant.workspace.id))
    assert (call.provider, call.model, call.user_id) == ("openai", "gpt-4o", "u-1")


SECRETS = ("ABCDEFGHIJKLMNOPQRSTUVWX12345678", "AAAABBBBCCCCDDDD")


def assert_masked(tenant: Tenant) -> None:
    [group] = tenant.ask("performance/errors", **MONTHS)["data"]
    [row] = stored(tenant.workspace.id)
    for message in (group["sample_message"], row.error_message):
        assert message.startswith("Incorrect API key provided: ")
        assert not any(secret in message for secret in SECRETS), message
    everything = f"{row.attributes}{row.span_facts}"
    assert not any(secret in everything for secret in SECRETS), everything


def test_keys_in_an_error_message_of_plain_json_are_masked(tenant: Tenant) -> None:
    failure = {"agent_id": "a", "timestamp": iso(NOON), "status": "error", "error_type": "AuthenticationError"}
    post(tenant, "/api/v1/traces", failure | read("secret_in_message")["body"])
    assert_masked(tenant)


@pytest.mark.parametrize("place", ["status", "exception"])
def test_keys_in_an_error_message_of_a_span_are_masked(tenant: Tenant, place: str) -> None:
    message = read("secret_in_message")["body"]["error_message"]
    exception = {"name": "exception", "attributes": [attribute("exception.message", message)]}
    failures = {
        "status": {"status": {"code": 2, "message": message}},
        "exception": {"status": {"code": 2}, "events": [exception]},
    }
    post(tenant, "/v1/traces", otlp(a_chat(1, gen_ai__request__model="gpt-4o") | failures[place]))
    assert_masked(tenant)


HTMX = {"HX-Request": "true"}
TITLE = 'title="$0.0000002"'


@pytest.mark.parametrize("panel", ["cost/by-model", "cost/overview", "cost/trend", "usage/top-users"])
def test_the_title_of_a_tiny_cost_is_the_cost(tenant: Tenant, panel: str) -> None:
    """10 tokens at 0.02 USD per million."""
    item = read("tooltip_zero")["body"] | {"timestamp": iso(NOON), "user_id": "ada"}
    post(tenant, "/api/v1/traces", item)
    window = {"start": iso(NOON.replace(hour=0)), "end": iso(NOON.replace(hour=23))}
    page = tenant.client.get(f"/api/v1/{panel}", window, headers=HTMX).content.decode()
    assert TITLE in page
    assert 'title="$0"' not in page


TRACES = {
    "/v1/traces/": otlp(a_chat(1, gen_ai__request__model="gpt-4o")),
    "/api/public/otel/v1/traces/": otlp(a_chat(2, gen_ai__request__model="gpt-4o")),
    "/api/v1/traces/": {"agent_id": "support", "timestamp": iso(NOON), "model": "gpt-4o"},
    "/v1/traces/ingest/": moved_to_noon(
        Case("", [("", read("ingest/openai-agents-js-turn-usage")["requests"][0]["body"])])
    ).requests[0][1],
}


@pytest.mark.parametrize("path", TRACES)
def test_a_path_for_traces_may_end_with_a_slash(tenant: Tenant, path: str) -> None:
    post(tenant, path, TRACES[path])
    assert answered(tenant)["calls"] == (2 if "ingest" in path else read("trailing_slash")["right"]["calls"])


@pytest.mark.parametrize("path", ["/v1/logs/", "/v1/metrics/", "/api/public/otel/v1/metrics/"])
def test_a_path_for_other_signals_may_end_with_a_slash(tenant: Tenant, path: str) -> None:
    assert post(tenant, path, {}) == {}


def test_langfuse_finds_its_project_with_a_slash_at_the_end(tenant: Tenant) -> None:
    assert tenant.client.get("/api/public/projects/").status_code == 200


def test_every_case_has_a_test() -> None:
    files = {str(path.relative_to(CASES)) for path in CASES.rglob("*.json")}
    tested = {f"{name}.json" for name in WITH_A_TEST_OF_THEIR_OWN.union(FIELD_CASES)}
    assert files == tested | {f"ingest/{name}.json" for name in (*INGEST_CASES, "collector-default-batch")}
    for file in files:
        assert json.loads((CASES / file).read_text())["kind"]
