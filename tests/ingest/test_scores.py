"""Scores come in as JSON, from Langfuse's SDKs, and as OpenTelemetry's evaluations; each is stored exactly once."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse

from tests.ingest.test_otlp import NOON_NS, TRACE, a_span, any_value, request_of
from tests.tenant import NOON, Tenant, iso
from traces.db import rows

pytestmark = pytest.mark.django_db(databases="__all__")

JSON = "application/json"


def post(tenant: Tenant, body: Any, path: str = "/api/v1/scores") -> tuple[int, Any]:
    response = tenant.client.post(path, json.dumps(body), content_type=JSON)
    return response.status_code, response.json()


def stored(tenant: Tenant) -> list[dict[str, Any]]:
    sql = "SELECT * FROM scores WHERE workspace_id = %(id)s ORDER BY timestamp, name, id"
    return rows(sql, {"id": tenant.workspace.id})


def a_score(**changes: Any) -> dict[str, Any]:
    return {"trace_id": "t", "name": "helpful", "value": 0.5, "timestamp": iso(NOON)} | changes


def answer(accepted: int = 0, updated: int = 0, duplicates: int = 0) -> dict[str, Any]:
    return {"accepted": accepted, "updated": updated, "duplicates": duplicates, "rejected": []}


@pytest.mark.parametrize(
    ("value", "number", "category"),
    [
        (0.25, Decimal("0.25"), None),
        (3, Decimal(3), None),
        (-1, Decimal(-1), None),
        (True, Decimal(1), "true"),
        (False, Decimal(0), "false"),
        ("good", None, "good"),
        ("1", None, "1"),
    ],
)
def test_a_value_is_a_number_a_boolean_or_a_text(
    tenant: Tenant, value: Any, number: Decimal | None, category: str | None
) -> None:
    assert post(tenant, a_score(value=value)) == (200, answer(accepted=1))
    [score] = stored(tenant)
    assert (score["number"], score["category"]) == (number, category)


def test_every_field_is_stored(tenant: Tenant) -> None:
    item = a_score(span_id="s", session_id="monday", comment="Solved it.", source="person", id="score-1")
    assert post(tenant, item)[0] == 200
    [score] = stored(tenant)
    assert (score["id"], score["trace_id"], score["span_id"], score["session_id"]) == ("score-1", "t", "s", "monday")
    assert (score["comment"], score["source"], score["timestamp"]) == ("Solved it.", "person", NOON)


@pytest.mark.parametrize(
    ("changes", "loc"),
    [
        ({"value": None}, "value"),
        ({"value": [1]}, "value"),
        ({"value": 1e13}, "value"),
        ({"value": " "}, "value"),
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
        ({"trace_id": None}, "trace_id"),
        ({"trace_id": None, "session_id": "monday", "span_id": "s"}, "trace_id"),
        ({"timestamp": "2026-11-23T10:00:00"}, "timestamp"),
        ({"timestamp": "2001-01-01T00:00:00Z"}, "timestamp"),
        ({"rating": 1}, "rating"),
    ],
)
def test_a_bad_item_is_refused_by_its_index_and_the_others_are_stored(
    tenant: Tenant, changes: dict[str, Any], loc: str
) -> None:
    status, body = post(tenant, {"scores": [a_score(), a_score() | changes]})
    assert (status, body["accepted"]) == (200, 1)
    [rejection] = body["rejected"]
    assert (rejection["index"], rejection["errors"][0]["loc"]) == (1, [loc])
    status, body = post(tenant, a_score() | changes)
    assert (status, body["accepted"], len(body["rejected"])) == (422, 0, 1)


def test_not_a_number_is_refused(tenant: Tenant) -> None:
    response = tenant.client.post("/api/v1/scores", '{"trace_id": "t", "name": "n", "value": NaN}', content_type=JSON)
    assert response.status_code == 422
    assert response.json()["rejected"][0]["errors"][0]["loc"] == ["value"]


@pytest.mark.parametrize(
    ("body", "status"), [([], 400), ({"scores": {}}, 400), ({"scores": [], "more": 1}, 400), ({"scores": []}, 200)]
)
def test_a_body_is_one_score_or_a_batch(tenant: Tenant, body: Any, status: int) -> None:
    assert post(tenant, body)[0] == status


def test_long_texts_are_cut(tenant: Tenant) -> None:
    post(tenant, a_score(name="n" * 300, comment="c" * 5000, value="v" * 300, trace_id="t" * 300))
    [score] = stored(tenant)
    lengths = [len(score[name]) for name in ("name", "comment", "category", "trace_id")]
    assert lengths == [256, 4096, 256, 256]


# --- Exactly once ---


def test_a_score_without_id_is_the_same_by_what_it_is_about(tenant: Tenant) -> None:
    assert post(tenant, a_score()) == (200, answer(accepted=1))
    assert post(tenant, a_score()) == (200, answer(duplicates=1))
    others = [a_score(name="other"), a_score(span_id="s"), a_score(source="person"), a_score(session_id="x")]
    assert post(tenant, {"scores": others}) == (200, answer(accepted=4))


def test_the_newest_copy_with_an_id_replaces(tenant: Tenant) -> None:
    old, new = a_score(id="1", value=0), a_score(id="1", value=1, timestamp=iso(NOON + timedelta(seconds=1)))
    assert post(tenant, old) == (200, answer(accepted=1))
    assert post(tenant, new) == (200, answer(updated=1))
    assert post(tenant, old) == (200, answer(duplicates=1))
    assert [score["number"] for score in stored(tenant)] == [1]


def test_copies_in_one_batch_are_one_score(tenant: Tenant) -> None:
    old, new = a_score(id="1", value=0), a_score(id="1", value=1, timestamp=iso(NOON + timedelta(seconds=1)))
    assert post(tenant, {"scores": [new, old, new]}) == (200, answer(accepted=1, duplicates=2))
    assert [score["number"] for score in stored(tenant)] == [1]


def test_a_correction_with_the_same_time_counts(tenant: Tenant) -> None:
    post(tenant, a_score(id="1", value="bad"))
    assert post(tenant, a_score(id="1", value="good")) == (200, answer(updated=1))


@pytest.mark.parametrize("explicit", [{}, {"timestamp": None}, {"id": "1"}])
def test_a_score_without_time_is_stored_once_though_it_is_sent_again(tenant: Tenant, explicit: dict[str, Any]) -> None:
    item = {"trace_id": "t", "name": "helpful", "value": 0.5, **explicit}
    assert post(tenant, item) == (200, answer(accepted=1))
    before = stored(tenant)
    assert post(tenant, {"scores": [item, item]}) == (200, answer(duplicates=2))
    assert stored(tenant) == before


def test_scores_without_time_that_say_something_else_are_others(tenant: Tenant) -> None:
    item = {"trace_id": "t", "name": "helpful", "value": 1}
    others = [item, item | {"value": True}, item | {"value": "1"}, item | {"value": 0}, item | {"comment": "no"}]
    assert post(tenant, {"scores": others}) == (200, answer(accepted=5))


def test_a_score_without_time_corrects_the_one_with_its_id(tenant: Tenant) -> None:
    for value, expected in ((0, answer(accepted=1)), (1, answer(updated=1))):
        assert post(tenant, {"trace_id": "t", "name": "helpful", "id": "1", "value": value}) == (200, expected)


@pytest.mark.parametrize("text", ["", "  ", "null", "undefined", "None"])
def test_a_text_that_is_no_id_is_none(tenant: Tenant, text: str) -> None:
    for path in ("/api/v1/scores", "/api/public/scores"):
        assert post(tenant, {"name": "n", "value": 1, "trace_id": text, "traceId": text}, path)[0] == 422
    assert post(tenant, a_score(trace_id=text, session_id="monday"))[0] == 200
    assert post(tenant, a_score(session_id=text, span_id=text, id=text))[0] == 200
    found = {(score["trace_id"], score["span_id"], score["session_id"]) for score in stored(tenant)}
    assert found == {(None, None, "monday"), ("t", None, None)}


# --- Langfuse ---


def langfuse(**changes: Any) -> dict[str, Any]:
    return {"id": "1", "traceId": "t", "name": "helpful", "value": 1, "timestamp": iso(NOON)} | changes


@pytest.mark.parametrize(
    ("changes", "number", "category"),
    [
        ({"dataType": "NUMERIC"}, 1, None),
        ({"dataType": "BOOLEAN"}, 1, "true"),
        ({"dataType": "BOOLEAN", "value": 0}, 0, "false"),
        ({"dataType": "CATEGORICAL", "value": "good"}, None, "good"),
        ({"dataType": "CATEGORICAL", "value": None, "stringValue": "good"}, None, "good"),
        ({"dataType": "CATEGORICAL", "value": 2, "stringValue": "good"}, None, "good"),
        ({"dataType": "BOOLEAN", "value": None, "stringValue": "True"}, 1, "true"),
        ({"dataType": "BOOLEAN", "value": 0, "stringValue": "False"}, 0, "false"),
        ({"value": None, "stringValue": "good"}, None, "good"),
        ({"value": "good"}, None, "good"),
    ],
)
def test_a_score_of_langfuse_has_its_type(
    tenant: Tenant, changes: dict[str, Any], number: int | None, category: str | None
) -> None:
    assert post(tenant, langfuse(**changes), "/api/public/scores") == (200, {"id": "1"})
    [score] = stored(tenant)
    assert (score["number"], score["category"]) == (number, category)


def test_a_score_of_langfuse_is_stored_once_though_it_is_sent_again(tenant: Tenant) -> None:
    answers = [post(tenant, {"traceId": "t", "name": "helpful", "value": 1}, "/api/public/scores") for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(stored(tenant)) == 1


def test_a_list_of_scores_is_stored(tenant: Tenant) -> None:
    """The SDK's version 5 sends lists."""
    session = {"id": "2", "sessionId": "monday", "name": "helpful", "value": 0.9, "environment": "staging"}
    assert post(tenant, [langfuse(), session], "/api/public/scores") == (200, {"id": "1"})
    assert [score["session_id"] for score in stored(tenant)] == [None, "monday"]


def test_what_is_no_score_is_not_answered_with_success(tenant: Tenant) -> None:
    assert post(tenant, {"id": "1"}, "/api/public/scores")[0] == 422
    assert post(tenant, [], "/api/public/scores")[0] == 200
    status, body = post(tenant, [langfuse(), {"id": "2"}], "/api/public/scores")
    assert (status, body["id"], len(body["errors"])) == (207, "1", 1)


# --- OpenTelemetry ---

EVALUATION = {
    "gen_ai.evaluation.name": "relevance",
    "gen_ai.evaluation.score.value": 4,
    "gen_ai.evaluation.score.label": "relevant",
    "gen_ai.evaluation.explanation": "It answers the question.",
}


def pairs(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": any_value(value)} for key, value in attributes.items()]


def a_record(attributes: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "eventName": "gen_ai.evaluation.result",
        "timeUnixNano": str(NOON_NS + 5_000),
        "traceId": TRACE,
        "spanId": f"{1:016x}",
        "attributes": pairs(EVALUATION if attributes is None else attributes),
    } | changes


def post_logs(tenant: Tenant, *records: Any) -> Any:
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": list(records)}]}]}
    return tenant.client.post("/v1/logs", json.dumps(body), content_type=JSON)


def test_an_evaluation_in_a_span_is_a_score_of_it(tenant: Tenant) -> None:
    event = {"name": "gen_ai.evaluation.result", "timeUnixNano": str(NOON_NS), "attributes": pairs(EVALUATION)}
    for _ in range(2):
        body = request_of(a_span(events=[event]))
        assert tenant.client.post("/v1/traces", body, content_type=JSON).status_code == 200
    [score] = stored(tenant)
    assert (score["name"], score["number"], score["source"]) == ("relevance", 4, "evaluation")
    assert (score["trace_id"], score["span_id"], score["model"]) == (TRACE, f"{1:016x}", "gpt-4o")
    assert score["comment"] == "relevant: It answers the question."


def test_an_evaluation_in_a_log_is_a_score(tenant: Tenant) -> None:
    for _ in range(2):
        response = post_logs(tenant, a_record(), {"body": {"stringValue": "another log"}})
        assert (response.status_code, response.content) == (200, b"{}")
    [score] = stored(tenant)
    assert (score["name"], score["number"], score["timestamp"]) == (
        "relevance",
        4,
        NOON + timedelta(microseconds=5),
    )


@pytest.mark.parametrize(
    "record",
    [
        a_record(EVALUATION | {"event.name": "gen_ai.evaluation.result"}, eventName=""),
        a_record({**EVALUATION, "session.id": "monday"}, traceId="", spanId=""),
        a_record({**EVALUATION, "session.id": "null", "gen_ai.conversation.id": "monday"}, traceId="", spanId=""),
        a_record(timeUnixNano="0", observedTimeUnixNano=str(NOON_NS)),
        a_record({"gen_ai.evaluation.name": "tone", "gen_ai.evaluation.score.label": "polite"}),
    ],
    ids=["older name", "session only", "conversation only", "observed time", "label only"],
)
def test_evaluations_in_logs_have_many_shapes(tenant: Tenant, record: dict[str, Any]) -> None:
    assert post_logs(tenant, record).content == b"{}"
    assert len(stored(tenant)) == 1


def test_an_evaluation_that_cannot_be_stored_is_named(tenant: Tenant) -> None:
    nameless = {"gen_ai.evaluation.score.value": 1}
    response = post_logs(tenant, a_record(), a_record(nameless), a_record(traceId="", spanId=""), a_record(traceId="x"))
    partial = response.json()["partialSuccess"]
    assert (response.status_code, partial["rejectedLogRecords"]) == (200, "3")
    assert "an evaluation needs a name" in partial["errorMessage"]
    assert len(stored(tenant)) == 1


def a_protobuf_log(**attributes: str) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    record = (
        request.resource_logs.add()
        .scope_logs.add()
        .log_records.add(
            event_name="gen_ai.evaluation.result",
            time_unix_nano=NOON_NS,
            trace_id=bytes.fromhex(TRACE),
            span_id=(1).to_bytes(8, "big"),
        )
    )
    for key, value in attributes.items():
        record.attributes.add(key=f"gen_ai.evaluation.{key}").value.string_value = value
    record.attributes.add(key="gen_ai.evaluation.score.value").value.double_value = 0.75
    return request


def test_protobuf_logs_are_read_and_answered_in_protobuf(tenant: Tenant) -> None:
    def send(request: ExportLogsServiceRequest) -> Any:
        return tenant.client.post("/v1/logs", request.SerializeToString(), content_type="application/x-protobuf")

    assert (send(a_protobuf_log(name="relevance")).status_code, len(stored(tenant))) == (200, 1)
    response = ExportLogsServiceResponse.FromString(send(a_protobuf_log()).content)
    assert response.partial_success.rejected_log_records == 1
    broken = a_protobuf_log(name="relevance").SerializeToString() + b"\n\xff"
    assert tenant.client.post("/v1/logs", broken, content_type="application/x-protobuf").status_code == 400


def test_a_large_log_is_refused_before_it_is_parsed(tenant: Tenant) -> None:
    request = a_protobuf_log(name="relevance")
    records = request.resource_logs[0].scope_logs[0].log_records
    for _ in range(10_000):
        records.add()
    body = request.SerializeToString()
    assert tenant.client.post("/v1/logs", body, content_type="application/x-protobuf").status_code == 413
