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
from traces.write_cursor import WriteCursor
from web import prometheus
from web.postgres.base import DeadlinePassed

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


def wide_traces(count: int, days: int, starts_apart: timedelta = timedelta(0)) -> list[dict[str, Any]]:
    """Returns the two spans of each trace, which began so many days after one another."""
    last = TODAY - timedelta(days=1)
    return [
        {
            "agent_id": "a",
            "trace_id": f"wide trace {trace}",
            "span_id": f"span {number}",
            "timestamp": iso(last - trace * starts_apart - timedelta(days=number * days)),
        }
        for trace in range(count)
        for number in range(2)
    ]


def test_traces_that_are_wider_than_a_part_share_one(tenant: Tenant, transactions: list[int]) -> None:
    assert post(tenant, {"traces": wide_traces(50, days=60)})[1]["accepted"] == 100
    assert transactions == [100]


def test_wide_traces_of_a_year_are_as_many_parts_as_narrow_ones(tenant: Tenant, transactions: list[int]) -> None:
    batch = wide_traces(100, days=60, starts_apart=timedelta(days=3))
    assert post(tenant, {"traces": batch})[1]["accepted"] == 200
    assert len(transactions) == 10  # of 28 days each, for starts over 297 days
    assert post(tenant, {"traces": batch})[1]["duplicates"] == 200


def test_a_wide_trace_is_not_stored_with_narrow_ones(tenant: Tenant, transactions: list[int]) -> None:
    assert post(tenant, {"traces": [*wide_traces(1, days=60), *items(5, days=1)]})[1]["accepted"] == 7
    assert transactions == [5, 2]


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
    status, answer = post(tenant, {"traces": items(12, days=10)})
    assert (status, answer["detail"]) == (503, STORED_IN_PART)
    assert len(stored(tenant)) == 3
    monkeypatch.setattr(writer, "insert", insert)
    assert post(tenant, {"traces": items(12, days=10)})[1]["accepted"] == 9


def fail() -> None:
    raise OperationalError("canceling statement due to statement timeout")


STORED_IN_PART = "The database did not answer in time, and the batch is stored in part. Send it again."
NOTHING_STORED = "The database does not answer right now. Try again shortly."


def test_a_batch_that_fails_at_once_is_not_called_stored_in_part(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "insert", Mock(side_effect=lambda *_: fail()))
    assert post(tenant, {"traces": items(12, days=10)})[1]["detail"] == NOTHING_STORED
    assert post(tenant, {"traces": [{"agent_id": "unnamed"}]})[1]["detail"] == NOTHING_STORED


def test_items_without_ids_that_fail_are_a_part_too(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "store", Mock(side_effect=lambda *_: fail()))
    status, answer = post(tenant, {"traces": [{"agent_id": "unnamed"}, *items(1, days=0)]})
    assert (status, answer["detail"]) == (503, STORED_IN_PART)
    assert len(stored(tenant)) == 1


def test_a_connection_that_the_deadline_ends_in_a_later_part_is_told_to_the_client(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = writer.insert

    def wait_too_long(cursor: WriteCursor, *args: Any) -> int:
        accepted = insert(cursor, *args)
        if len(stored(tenant)) > 3:
            raise DeadlinePassed("no answer within the request's time")
        return accepted

    monkeypatch.setattr(writer, "insert", wait_too_long)
    status, answer = post(tenant, {"traces": items(12, days=10)})
    assert (status, answer["detail"]) == (503, STORED_IN_PART)
    assert len(stored(tenant)) == 3


@pytest.mark.usefixtures("late")
def test_the_parts_before_a_503_are_counted(tenant: Tenant) -> None:
    before = counted()
    assert post(tenant, {"traces": items(12, days=10)})[0] == 503
    assert [after - value for after, value in zip(counted(), before, strict=True)] == [6, 0]


def test_copies_in_one_request_are_counted_once(tenant: Tenant) -> None:
    before = counted()
    copies = [*items(2, days=0), *items(2, days=0), {"agent_id": "unnamed"}]
    assert post(tenant, {"traces": copies})[1] == {"accepted": 3, "updated": 0, "duplicates": 2, "rejected": []}
    assert [after - value for after, value in zip(counted(), before, strict=True)] == [3, 2]


def counted() -> list[float]:
    """Returns how many spans Prometheus counts as accepted and as duplicates."""
    return [next(iter(counter.collect())).samples[0].value for counter in (prometheus.ACCEPTED, prometheus.DUPLICATES)]


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
