"""Prompts and completions are deleted earlier than the rows that had them, and late ones are stored without."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingest.tasks import delete_contents_in_zone, delete_old_contents
from tests.ingest.test_otlp import a_span, post, request_of, stored
from tests.tenant import Tenant, a_row
from traces import contents, writer
from traces.tasks import delete_old_traces
from web.clock import ClocksDiffer

pytestmark = pytest.mark.django_db(databases="__all__")

DAY = timedelta(days=1)
NOW = datetime.now(UTC)
PROMPT = "gen_ai.prompt.0.content"
EVENT = {"name": "gen_ai.choice", "timeUnixNano": "1", "attributes": [{"key": "text", "value": {"stringValue": "hi"}}]}


@pytest.fixture(autouse=True)
def ten_days_of_contents(settings: Any) -> None:
    settings.CONTENT_RETENTION_DAYS, settings.RETENTION_DAYS = 10, 400


def send(tenant: Tenant, *days_ago: float) -> None:
    spans = []
    for number, days in enumerate(days_ago):
        start_ns = int((NOW - days * DAY).timestamp() * 1e9)
        span = a_span(
            int(days * 1000) + number + 1, attributes={PROMPT: "secret words", "mine": "stays"}, events=[EVENT]
        )
        spans.append(span | {"startTimeUnixNano": str(start_ns), "endTimeUnixNano": str(start_ns + 10**9)})
    assert post(tenant, request_of(*spans)).status_code == 200


def with_contents(tenant: Tenant) -> list[int]:
    """Returns the ages in days of the rows that have a prompt."""
    return [(NOW - row["timestamp"]).days for row in stored(tenant) if PROMPT in row["attributes"]]


def delete(tenant: Tenant, days_later: int = 0) -> None:
    delete_contents_in_zone(tenant.workspace.time_zone, NOW + days_later * DAY)


def test_contents_are_deleted_after_their_days_and_the_rest_stays(tenant: Tenant) -> None:
    send(tenant, 2, 5, 8)
    before = stored(tenant)
    delete(tenant, days_later=4)
    assert with_contents(tenant) == [5, 2]
    oldest, *others = stored(tenant)
    assert oldest["attributes"]["mine"] == "stays"
    assert oldest["attributes"]["events"] == [{"name": "gen_ai.choice"}]
    assert others == before[1:]
    assert {name: value for name, value in oldest.items() if name != "attributes"} == {
        name: value for name, value in before[0].items() if name != "attributes"
    }
    delete(tenant, days_later=7)
    assert with_contents(tenant) == [2]


def test_a_span_that_arrives_late_is_stored_without_contents(tenant: Tenant) -> None:
    send(tenant, 2, 12)
    assert with_contents(tenant) == [2]
    assert len(stored(tenant)) == 2


def test_days_are_those_of_the_workspace(tenant: Tenant) -> None:
    tenant.workspace.time_zone = "Pacific/Kiritimati"  # 14 hours ahead of UTC
    tenant.workspace.save()
    here = NOW.astimezone(tenant.workspace.zone)
    since_midnight = timedelta(hours=here.hour, minutes=here.minute, seconds=here.second)
    send(tenant, 9 + (since_midnight - timedelta(minutes=1)) / DAY, 9 + (since_midnight + timedelta(minutes=1)) / DAY)
    delete(tenant, days_later=1)
    assert len(with_contents(tenant)) == 1


def test_it_goes_on_where_it_was_interrupted(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "ROWS_AT_ONCE", 2)
    send(tenant, 9.5, 9, 8.5, 8, 7.5)
    batches: list[int] = []
    one_batch = contents.delete_batch

    def fail_at_the_second(*arguments: Any) -> datetime:
        batches.append(1)
        if len(batches) == 2:
            raise RuntimeError
        return one_batch(*arguments)

    monkeypatch.setattr(contents, "delete_batch", fail_at_the_second)
    with pytest.raises(RuntimeError):
        delete(tenant, days_later=5)
    assert len(with_contents(tenant)) == 3
    delete(tenant, days_later=5)
    assert with_contents(tenant) == []
    assert len(batches) == 4  # one, the one that failed, and two for the last three rows


def test_contents_that_stay_as_long_as_their_rows_are_not_looked_at(tenant: Tenant, settings: Any) -> None:
    settings.CONTENT_RETENTION_DAYS = settings.RETENTION_DAYS
    send(tenant, 2)
    settings.CONTENT_RETENTION_DAYS = settings.RETENTION_DAYS = 1
    delete_old_contents(due_at=NOW.isoformat(), subject="UTC")
    assert with_contents(tenant) == [2]


@pytest.mark.parametrize(
    "events", [["a text", 1], [], "a text", {"name": "x"}, [{"attributes": {"a": "secret"}}, None]]
)
def test_an_attribute_that_a_client_called_events_stops_nothing(tenant: Tenant, events: Any) -> None:
    other = a_row(NOW - 9 * DAY, attributes={PROMPT: "secret words"})
    writer.store(tenant.workspace.id, [a_row(NOW - 9.5 * DAY, attributes={PROMPT: "secret", "events": events}), other])
    delete(tenant, days_later=5)
    assert with_contents(tenant) == []
    assert "text" not in str(stored(tenant)[0]["attributes"])
    assert "secret" not in str(stored(tenant)[0]["attributes"])


def test_nothing_is_deleted_for_a_day_that_has_not_come(tenant: Tenant) -> None:
    """A clock that was ahead made the job."""
    send(tenant, 2)
    for task in (delete_old_contents, delete_old_traces):
        with pytest.raises(ClocksDiffer):
            task(due_at=(NOW + 500 * DAY).isoformat(), subject="UTC")
    assert with_contents(tenant) == [2]
