from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.http import QueryDict

from analytics import query_string
from traces.filters import Filters
from web.problems import Problem

NOW = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)


def parsed(query: str, workspace_id: UUID | None = None) -> Filters:
    return query_string.parse_filters(QueryDict(query), workspace_id or uuid4(), NOW)


def refused(query: str) -> list[tuple[str, str]]:
    with pytest.raises(Problem) as caught:
        parsed(query)
    assert caught.value.status == 422
    return [(str(error["loc"][1]), error["msg"]) for error in caught.value.errors]


def test_the_default_is_the_last_24_hours_by_hour() -> None:
    filters = parsed("")
    assert (filters.start, filters.end) == (NOW - timedelta(hours=24), NOW)
    assert filters.granularity == "hourly"
    assert filters.limit == 10
    assert "chat" in filters.operations


@pytest.mark.parametrize(
    ("range_name", "granularity"), [("1h", "minute"), ("24h", "hourly"), ("7d", "hourly"), ("30d", "daily")]
)
def test_each_range_has_its_granularity(range_name: str, granularity: str) -> None:
    assert parsed(f"range={range_name}").granularity == granularity


def test_a_custom_window_is_exact_to_the_microsecond() -> None:
    filters = parsed("start=2026-11-01T00:00:00.000001Z&end=2026-11-02T03:30:00%2B05:30")
    assert filters.start == datetime(2026, 11, 1, 0, 0, 0, 1, tzinfo=UTC)
    assert filters.end == datetime(2026, 11, 1, 22, 0, tzinfo=UTC)
    assert filters.previous.start == filters.start - (filters.end - filters.start)
    assert filters.previous.end == filters.start


def test_a_plus_that_was_not_encoded_is_understood() -> None:
    filters = parsed("start=2026-11-01T00:00:00+01:00&end=2026-11-02T00:00:00+01:00")
    assert filters.start == datetime(2026, 10, 31, 23, 0, tzinfo=UTC)


def test_all_errors_come_at_once() -> None:
    assert {name for name, _ in refused("range=2d&limit=0&granularity=yearly&agent=x")} == {
        "range",
        "limit",
        "granularity",
        "agent",
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("limit=0&start=2026-11-01T00:00:00Z", ["limit", "end"]),
        ("limit=0&range=7d&granularity=minute", ["limit", "granularity"]),
        ("agent=x&range=24h&end=2026-11-01T00:00:00Z", ["agent", "range"]),
        ("model=a&model=b&range=7d&granularity=minute", ["model", "granularity"]),
        ("start=yesterday&limit=0", ["start", "limit"]),
    ],
)
def test_a_wrong_parameter_does_not_hide_a_wrong_window(query: str, names: list[str]) -> None:
    assert [name for name, _ in refused(query)] == names


@pytest.mark.parametrize(
    ("query", "name", "words"),
    [
        ("agent=x", "agent", "unknown parameter"),
        ("range=2d", "range", "must be one of 1h, 24h, 7d, 30d"),
        ("granularity=yearly", "granularity", "must be one of minute, hourly, daily, weekly, monthly"),
        ("zone=Mars/Olympus", "zone", "must be a time zone like Europe/Berlin"),
        ("zone=localtime", "zone", "must be a time zone like Europe/Berlin"),
        ("limit=ten", "limit", "must be a whole number from 1 to 100"),
        ("limit=1.5", "limit", "must be a whole number from 1 to 100"),
        ("limit=0", "limit", "must be a whole number from 1 to 100"),
        ("limit=101", "limit", "must be a whole number from 1 to 100"),
        ("agent_id=", "agent_id", "must not be empty"),
        (f"model={'x' * 257}", "model", "must have at most 256 characters"),
        ("start=2026-13-01T00:00:00Z&end=2026-11-01T00:00:00Z", "start", "must be ISO 8601"),
        ("range=24h&range=7d", "range", "more than once"),
        ("start=2026-11-01T00:00:00Z", "end", "go together"),
        ("end=2026-11-01T00:00:00Z", "start", "go together"),
        ("range=24h&start=2026-11-01T00:00:00Z&end=2026-11-02T00:00:00Z", "range", "either"),
        ("start=2026-11-02T00:00:00Z&end=2026-11-02T00:00:00Z", "end", "later than start"),
        ("start=2025-01-01T00:00:00Z&end=2026-11-02T00:00:00Z", "start", "400 days"),
        ("start=2026-11-01T00:00:00&end=2026-11-02T00:00:00Z", "start", "must be ISO 8601 with an offset, like"),
        ("start=1700000000&end=2026-11-02T00:00:00Z", "start", "ISO 8601"),
        ("start=0001-01-01T00:00:00Z&end=2026-11-02T00:00:00Z", "start", "2000"),
        ("agent_id=a%00b", "agent_id", "NUL"),
        ("range=7d&granularity=minute", "granularity", "use hourly"),
        (
            "start=2026-01-01T00:00:00Z&end=2026-11-02T00:00:00Z&granularity=hourly",
            "granularity",
            "use daily",
        ),
    ],
)
def test_a_wrong_parameter_is_refused(query: str, name: str, words: str) -> None:
    [(at, message)] = refused(query)
    assert at == name
    assert words in message


def test_a_relative_range_has_one_cache_key_at_all_times() -> None:
    workspace = uuid4()
    later = query_string.parse_filters(QueryDict("range=7d"), workspace, NOW + timedelta(seconds=5))
    assert parsed("range=7d", workspace).cache_key == later.cache_key
    assert parsed("range=7d&agent_id=a").cache_key != parsed("range=7d").cache_key
