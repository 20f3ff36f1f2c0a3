"""A window is split into segments that do not overlap and cover it, and no bucket is wider than the query allows."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traces import engines, windows
from traces.engines.protocol import Aggregate, RollupState
from traces.filters import BUCKET_ORIGIN, LATEST, Filters
from traces.rollups.catalogue import DAY, HOUR, ROLLUPS, USER_AGENTS, USER_SET_TABLES, USERS, UserSetTable, Width

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
SECOND = timedelta(seconds=1)
steps = st.sampled_from([timedelta(microseconds=3), 7 * SECOND, 60 * SECOND, 3600 * SECOND, 86_400 * SECOND])
durations = st.builds(lambda step, times: step * times, steps, st.integers(1, 90))
buckets = st.sampled_from([timedelta(0), 60 * SECOND, 3600 * SECOND, 86_400 * SECOND, windows.ANY_WIDTH])


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


@given(tables, durations, durations, buckets, states)
def test_segments_make_up_the_window(tables, before, length, bucket, state_args) -> None:  # type: ignore[no-untyped-def]
    start, state = MONDAY + before, state_after(tables, *state_args)
    filters = Filters(UUID(int=0), start, start + length, "daily")
    segments = windows.split_window(filters, tables, bucket, state)
    widths = list(tables)
    for has_rows_behind in (True, False):
        read = [
            segment
            for segment in segments
            if not segment.condition or segment.condition.startswith("EXISTS") == has_rows_behind
        ]
        covered_until = start
        for width, begins, ends, table, *_ in read:
            assert begins == covered_until
            covered_until = ends
            if not width:
                assert table == "traces"
                continue
            assert table == state.stored_table(tables[width])
            assert width.length <= bucket
            assert (begins - BUCKET_ORIGIN) % width.length == timedelta(0)
            filled_until = state.table_filled_until(tables[width], width == widths[0] and width.length <= HOUR.length)
            assert ends <= filled_until
            # A table that is filled as hours are closed ends with part of a bucket.
            may_be_open = state.is_stable and ends == state.filled_until == filled_until
            assert may_be_open or (ends - begins) % width.length == timedelta(0)
        # Without rows behind the window, its last narrow bucket is read to the end.
        assert covered_until == filters.end or (not has_rows_behind and covered_until - filters.end < widths[0].length)


@given(durations, durations, states)
def test_after_subtraction_each_moment_of_the_window_counts_once(before, length, state_args) -> None:  # type: ignore[no-untyped-def]
    start, state = MONDAY + before, state_after(USERS.tables, *state_args)
    filters = Filters(UUID(int=0), start, start + length, "daily")
    segments = windows.split_window(filters, USERS.tables, windows.ANY_WIDTH, state, may_subtract=True)
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
        filters, USERS.tables, windows.ANY_WIDTH, RollupState(MONDAY + timedelta(days=30)), may_subtract=True
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
