from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.http import QueryDict

from analytics import query_string
from traces.filters import Filters, FilterValues
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
        ("limit=1&limit=2&range=7d&granularity=minute", ["limit", "granularity"]),
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
        ("model=gpt-4o&model=", "model", "must not be empty"),
        ("not_model=", "not_model", "must not be empty"),
        ("not_limit=5", "not_limit", "unknown parameter"),
        ("labels=acme", "labels", "unknown parameter"),
        ("label=acme", "label", "label.<name>"),
        ("status=failed", "status", "must be one of success, error, timeout"),
        ("not_status=failed&not_status=broken", "not_status", "must be one of success, error, timeout"),
        ("&".join(f"model={number}" for number in range(21)), "model", "at most 20 values"),
        ("&".join(f"label.a={number}" for number in range(21)), "label.a", "at most 20 values"),
        ("&".join(f"label.{number}=a" for number in range(17)), "label.<name>", "at most 16 filters by labels"),
        ("label.=acme", "label.", "the name of a label has 1 to 256 bytes"),
        (f"not_label.{'ü' * 129}=acme", f"not_label.{'ü' * 129}", "the name of a label has 1 to 256 bytes"),
        ("label.a%00b=acme", "label.a\x00b", "no NUL"),
        (f"label.customer={'ü' * 129}", "label.customer", "at most 256 bytes"),
        ("not_label.customer=", "not_label.customer", "must not be empty"),
        ("label.customer=a%00b", "label.customer", "NUL"),
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


def test_a_filter_has_several_values_that_pass_and_others_that_do_not() -> None:
    filters = parsed("model=a&model=b&model=a&not_model=c&release=42&not_label.team=x&label.team=y&label.a.b=c")
    assert filters.values == {
        "model": FilterValues(("a", "b"), ("c",)),
        "release": FilterValues(("42",)),
        "label.team": FilterValues(("y",), ("x",)),
        "label.a.b": FilterValues(("c",)),
    }
    assert filters.active_names == ["model", "release", "label.a.b", "label.team"]
    assert filters.without("model").active_names == ["release", "label.a.b", "label.team"]
    assert filters.without("label.team").active_names == ["model", "release", "label.a.b"]


def test_all_spellings_of_a_provider_are_one_value() -> None:
    filters = parsed("provider=gemini&provider=google&not_provider=azure&not_provider=azure_openai")
    [[included], excluded] = filters.values["provider"]
    assert included == "gcp.gemini"
    assert len(excluded) == 1


def test_excluded_operations_leave_the_other_model_calls() -> None:
    assert parsed("not_operation=chat").operations == ["text_completion", "generate_content", "embeddings"]
    assert parsed("operation=chat&operation=execute_tool&not_operation=chat").operations == ["execute_tool"]
    assert parsed("operation=chat&not_operation=chat").operations == []


def test_as_many_filters_by_labels_as_a_call_has_labels_are_allowed() -> None:
    query = "&".join(f"label.{number}=a&not_label.{number}=b" for number in range(8))
    assert len(parsed(query).values) == 8


def test_the_order_of_values_and_filters_makes_no_difference_to_the_cache() -> None:
    workspace = uuid4()
    one, other = (
        parsed(query, workspace).cache_key
        for query in ("model=a&model=b&label.x=1&label.y=2&range=7d", "label.y=2&range=7d&model=b&label.x=1&model=a")
    )
    assert one == other
    keys = [
        parsed(f"range=7d&{query}", workspace).cache_key
        for query in ("model=a", "not_model=a", "model=a&model=b", "model=a%27, %27b", "label.model=a", "provider=a")
    ]
    assert len({*keys}) == len(keys)
