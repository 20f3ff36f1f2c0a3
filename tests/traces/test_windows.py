"""A window is split into segments that do not overlap and cover it, and no bucket lies in two buckets of a series."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traces import engines, windows
from traces.buckets import BUCKETS
from traces.engines.protocol import Aggregate, RollupState
from traces.filters import BUCKET_ORIGIN, LATEST, Filters
from traces.rollups.catalogue import (
    AGENTS,
    DAY,
    HOUR,
    ROLLUPS,
    TEN_MINUTES,
    USER_AGENTS,
    USER_SET_TABLES,
    USERS,
    UserSetTable,
    Width,
)

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
SECOND = timedelta(seconds=1)
steps = st.sampled_from([timedelta(microseconds=3), 7 * SECOND, 60 * SECOND, 3600 * SECOND, 86_400 * SECOND])
durations = st.builds(lambda step, times: step * times, steps, st.integers(1, 90))
MINUTES_SHOWN = timedelta(days=2)
series = st.tuples(
    st.sampled_from(list(BUCKETS)),
    # Their hours begin at :00, :30 and :45, and their clocks change within the 90 days after MONDAY, or do not.
    st.sampled_from(["UTC", "Asia/Kolkata", "Asia/Kathmandu", "America/Sao_Paulo", "Pacific/Fiji", "Europe/Berlin"]),
)


def tables_of_user_set(user_set: UserSetTable) -> dict[Width, str]:
    return {user_set.source.widths[0]: user_set.source.narrowest} | user_set.tables


tables = st.sampled_from(
    [*(rollup.tables for rollup in ROLLUPS), *(tables_of_user_set(user_set) for user_set in USER_SET_TABLES)]
)
hours = st.integers(0, 90 * 24)


def state_after(tables: Mapping[Width, str], hours: int, is_stable: bool, watermarks: list[int]) -> RollupState:
    """Returns a state with rollups filled for `hours`, or with aggregates materialized up to `watermarks`."""
    aggregates = {
        table: Aggregate(f"materialized_{table}", windows.floor(MONDAY + timedelta(hours=watermark), width))
        for (width, table), watermark in zip(tables.items(), watermarks, strict=False)
    }
    return (
        RollupState(LATEST, aggregates=aggregates)
        if aggregates
        else RollupState(MONDAY + timedelta(hours=hours), is_stable)
    )


states = st.tuples(hours, st.booleans(), st.just([]) | st.lists(hours, min_size=4, max_size=4))


def times_of(segment: windows.Segment) -> list[windows.TimeRange]:
    return list(segment.ranges) or [windows.TimeRange(segment.start, segment.end)]


@given(tables, durations, durations, st.none() | series, states)
def test_segments_make_up_the_window(tables, before, length, series, state_args) -> None:  # type: ignore[no-untyped-def]
    start, state = MONDAY + before, state_after(tables, *state_args)
    granularity, zone = series or ("daily", "UTC")
    if granularity == "minute":
        length = min(length, MINUTES_SHOWN)
    filters = Filters(UUID(int=0), start, start + length, granularity, zone=ZoneInfo(zone))
    segments = windows.split_window(filters, tables, bool(series), state)
    boundaries = filters.bucket_starts[1:] if series else ()
    widths = list(tables)
    for has_rows_behind in (True, False):
        read = [
            (times, segment)
            for segment in segments
            if not segment.condition or segment.condition.startswith("EXISTS") == has_rows_behind
            for times in times_of(segment)
        ]
        covered_until = start
        for (begins, ends), segment in sorted(read, key=lambda one: one[0]):
            assert segment.start <= begins == covered_until
            assert ends <= segment.end
            covered_until, width = ends, segment.width
            if not width:
                assert segment.table == "traces"
                continue
            assert segment.table == state.stored_table(tables[width])
            assert (begins - BUCKET_ORIGIN) % width.length == timedelta(0)
            filled_until = state.table_filled_until(tables[width], width == widths[0] and width.length <= HOUR.length)
            assert ends <= filled_until
            # A table that is filled as hours are closed ends with part of a bucket.
            may_be_open = state.is_stable and ends == state.filled_until == filled_until
            assert may_be_open or (ends - begins) % width.length == timedelta(0)
            inside = [boundary for boundary in boundaries if begins < boundary < ends]
            assert all((boundary - BUCKET_ORIGIN) % width.length == timedelta(0) for boundary in inside)
        # Without rows behind the window, its last narrow bucket is read to the end.
        assert covered_until == filters.end or (not has_rows_behind and covered_until - filters.end < widths[0].length)


def test_days_of_a_half_hour_zone_are_read_from_whole_hours_and_the_half_hours_between() -> None:
    kolkata = ZoneInfo("Asia/Kolkata")
    filters = Filters(UUID(int=0), MONDAY, MONDAY + timedelta(days=30), "daily", zone=kolkata)
    hours, tens = windows.split_window(filters, AGENTS.tables, True, RollupState(LATEST))
    assert (hours.width, len(hours.ranges)) == (HOUR, 31)
    assert (tens.width, len(tens.ranges)) == (TEN_MINUTES, 30)
    assert tens.ranges[0] == (MONDAY + timedelta(hours=18), MONDAY + timedelta(hours=19))


def test_days_of_a_whole_hour_zone_are_read_from_hours_and_months_from_days() -> None:
    new_york = ZoneInfo("America/New_York")
    daily = Filters(UUID(int=0), MONDAY, MONDAY + timedelta(days=60), "daily", zone=new_york)
    [hours] = windows.split_window(daily, AGENTS.tables, True, RollupState(LATEST))
    assert (hours.width, hours.end - hours.start, hours.ranges) == (HOUR, timedelta(days=60), ())
    monthly = replace(daily, granularity="monthly")
    by_month = windows.split_window(monthly, AGENTS.tables, True, RollupState(LATEST))
    read = sorted((segment.start - MONDAY, segment.width.name) for segment in by_month if segment.width)
    assert read == [
        (timedelta(0), "daily"),
        (timedelta(days=29), "hourly"),  # the day of UTC in which December begins
        (timedelta(days=30), "daily"),
    ]


@given(durations, durations, states)
def test_after_subtraction_each_moment_of_the_window_counts_once(before, length, state_args) -> None:  # type: ignore[no-untyped-def]
    start, state = MONDAY + before, state_after(USERS.tables, *state_args)
    filters = Filters(UUID(int=0), start, start + length, "daily")
    segments = windows.split_window(filters, USERS.tables, False, state, may_subtract=True)
    read = [segment for segment in segments if not segment.condition.startswith("NOT")]
    moments = sorted({moment for segment in read for moment in (segment.start, segment.end)} | {start, filters.end})
    for moment in moments:
        times = sum(-1 if segment.is_subtracted else 1 for segment in read if segment.start <= moment < segment.end)
        assert times == (start <= moment < filters.end)
    for segment in read:
        if segment.width:
            assert segment.end <= state.table_filled_until(USERS.table(segment.width), segment.width == USERS.widths[0])


def test_most_of_a_week_is_read_as_the_week_minus_its_beginning() -> None:
    start = MONDAY + timedelta(hours=30)
    filters = Filters(UUID(int=0), start, MONDAY + timedelta(days=14), "daily")
    segments = windows.split_window(
        filters, USERS.tables, False, RollupState(MONDAY + timedelta(days=30)), may_subtract=True
    )
    assert [
        (segment.width and segment.width.name, segment.end - segment.start, segment.is_subtracted)
        for segment in segments
    ] == [
        ("daily", timedelta(days=1), True),
        ("hourly", timedelta(hours=6), True),
        ("weekly", timedelta(days=14), False),
    ]


@given(st.lists(st.tuples(durations, durations), max_size=5))
def test_time_ranges_are_grouped_by_their_days(lengths: list[tuple[timedelta, timedelta]]) -> None:
    ranges = {
        place: windows.TimeRange(MONDAY + before, MONDAY + before + length)
        for place, (before, length) in enumerate(lengths)
    }
    grouped = windows.group_by_days(ranges)
    assert sorted(place for places in grouped.values() for place in places) == list(ranges)
    for days, places in grouped.items():
        first, last = (datetime.fromisoformat(moment) for moment in re.findall(r"'(.*?)'", days))
        for place in places:
            start, end = ranges[place]
            assert first <= start < first + DAY.length
            assert last - DAY.length < end <= last


def test_hours_that_are_materialized_later_than_their_day_are_read_from_their_view(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    aggregates = {"user_agents_hourly": Aggregate("materialized", MONDAY + timedelta(hours=4))}
    monkeypatch.setattr(
        engines, "rollup_states", lambda workspace: {workspace: RollupState(LATEST, aggregates=aggregates)}
    )
    filters = Filters(UUID(int=0), MONDAY, MONDAY + DAY.length, "daily")
    read = {
        hours: windows.table_for(filters, USER_AGENTS, HOUR, until=MONDAY + timedelta(hours=hours)) for hours in (4, 24)
    }
    assert read == {4: "materialized", 24: "user_agents_hourly"}
