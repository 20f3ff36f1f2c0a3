"""A large batch is committed in parts. When it is sent again after a failure, each span is stored once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import OperationalError

from ingest import parts
from tests.ingest.test_json_traces import post, stored
from tests.ingest.test_otlp import a_span, request_of
from tests.tenant import Tenant, iso
from traces import writer

pytestmark = pytest.mark.django_db(databases="__all__")

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def items(count: int, days: int, **values: Any) -> list[dict[str, Any]]:
    """Returns items with ids, each so many days before the last."""
    return [
        {
            "agent_id": f"agent {number}",
            "trace_id": f"trace {number}",
            "span_id": f"span {number}",
            "timestamp": iso(TODAY - timedelta(days=number * days)),
            **values,
        }
        for number in range(count)
    ]


@pytest.fixture
def transactions(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Collects how many rows each transaction has stored."""
    sizes: list[int] = []
    insert = writer.insert

    def count(cursor: Any, workspace_id: Any, rows: Any) -> int:
        accepted = insert(cursor, workspace_id, rows)
        sizes.append(accepted)
        return accepted

    monkeypatch.setattr(writer, "insert", count)
    return sizes


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mock]:
    """Lets the time of a request be over after its second part."""
    passed = Mock(side_effect=[False, True])
    with monkeypatch.context() as context:
        context.setattr(parts.deadline, "has_passed", passed)
        yield passed


def test_a_batch_of_a_day_is_one_transaction(tenant: Tenant, transactions: list[int]) -> None:
    assert post(tenant, {"traces": items(30, days=0)})[1]["accepted"] == 30
    assert transactions == [30]


def test_a_batch_of_a_year_is_committed_four_weeks_at_a_time(tenant: Tenant, transactions: list[int]) -> None:
    assert post(tenant, {"traces": items(12, days=10)})[1] == {
        "accepted": 12,
        "updated": 0,
        "duplicates": 0,
        "rejected": [],
    }
    assert transactions == [3, 3, 3, 3]


def test_a_span_too_many_is_another_transaction(
    tenant: Tenant, transactions: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "MAX_SPANS", 20)
    spans = [a_span(number, traceId=f"{number:032x}") for number in range(1, 22)]
    response = tenant.client.post("/v1/traces", request_of(*spans), content_type="application/json")
    assert response.status_code == 200
    assert transactions == [20, 1]


def test_a_trace_is_never_split(tenant: Tenant, transactions: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "MAX_SPANS", 2)
    spans = [a_span(number) for number in range(1, 6)]
    tenant.client.post("/v1/traces", request_of(*spans), content_type="application/json")
    assert transactions == [5]


def test_a_request_whose_time_is_over_stores_a_part_and_asks_for_the_rest(tenant: Tenant, late: Mock) -> None:
    status, answer = post(tenant, {"traces": items(12, days=10)})
    assert status == 503
    assert answer["detail"] == "The batch is too large for one request, and stored in part. Send it again."
    assert len(stored(tenant)) == 6
    late.side_effect = None
    late.return_value = False
    status, answer = post(tenant, {"traces": items(12, days=10)})
    assert (status, answer["accepted"], answer["duplicates"]) == (200, 6, 6)
    assert len(stored(tenant)) == 12


@pytest.mark.usefixtures("late")
def test_items_without_ids_are_stored_only_when_all_others_are(tenant: Tenant) -> None:
    unnamed = [{"agent_id": "unnamed"}] * 5
    assert post(tenant, {"traces": [*unnamed, *items(12, days=10)]})[0] == 503
    assert "unnamed" not in {row["agent_id"] for row in stored(tenant)}


def test_items_without_ids_are_one_transaction(
    tenant: Tenant, transactions: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "MAX_SPANS", 2)
    assert post(tenant, {"traces": [{"agent_id": "unnamed"}] * 5})[1]["accepted"] == 5
    assert transactions == [5]


def test_a_part_that_fails_is_a_503_and_the_parts_before_it_stay(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = writer.insert
    monkeypatch.setattr(
        writer, "insert", Mock(side_effect=lambda *args: fail() if writer.insert.call_count == 2 else insert(*args))
    )
    assert post(tenant, {"traces": items(12, days=10)})[0] == 503
    assert len(stored(tenant)) == 3
    monkeypatch.setattr(writer, "insert", insert)
    assert post(tenant, {"traces": items(12, days=10)})[1]["accepted"] == 9


def fail() -> None:
    raise OperationalError("canceling statement due to statement timeout")


def test_a_batch_that_is_sent_again_changes_nothing_and_reads_no_field_twice(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = {"traces": items(20, days=0, model="gpt-4o", input_tokens=5, attributes={"a": 1})}
    spans = request_of(*(a_span(number) for number in range(1, 20)))
    post(tenant, batch)
    tenant.client.post("/v1/traces", spans, content_type="application/json")
    before = stored(tenant)
    monkeypatch.setattr("ingest.span_rows.merge_facts", Mock(side_effect=AssertionError))
    assert post(tenant, batch)[1]["duplicates"] == 20
    assert tenant.client.post("/v1/traces", spans, content_type="application/json").status_code == 200
    assert stored(tenant) == before


def test_two_records_of_a_call_in_different_parts_are_one_call(
    tenant: Tenant, transactions: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "MAX_SPANS", 1)
    same_id = {"gen_ai.response.id": "chatcmpl-a1b2c3"}
    other_trace = a_span(2, attributes=same_id) | {"traceId": "ab" * 16}
    scopes = [
        {"scope": {"name": "one library"}, "spans": [a_span(1, attributes=same_id)]},
        {"scope": {"name": "another library"}, "spans": [other_trace]},
    ]
    request = {"resourceSpans": [{"resource": {}, "scopeSpans": scopes}]}
    assert tenant.client.post("/v1/traces", request, content_type="application/json").status_code == 200
    assert transactions == [1, 1]
    assert sorted(row["operation"] for row in stored(tenant)) == ["chat", "other"]
