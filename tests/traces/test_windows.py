"""A window is read in pieces: no moment twice, none left out, and no bucket wider than asked for."""

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
from traces.rollups.catalogue import DAY, HOUR, ROLLUPS, SETS, USER_AGENTS, USERS, UserSets, Width

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
SECOND = timedelta(seconds=1)
steps = st.sampled_from([timedelta(microseconds=3), 7 * SECOND, 60 * SECOND, 3600 * SECOND, 86_400 * SECOND])
spans = st.builds(lambda step, times: step * times, steps, st.integers(1, 90))
buckets = st.sampled_from([timedelta(0), 60 * SECOND, 3600 * SECOND, 86_400 * SECOND, windows.ANY_WIDTH])


def of_sets(sets: UserSets) -> dict[Width, str]:
    return {sets.source.widths[0]: sets.source.narrowest} | sets.tables


tables = st.sampled_from([*(rollup.tables for rollup in ROLLUPS), *(of_sets(sets) for sets in SETS)])
hours = st.integers(0, 90 * 24)


def by_hours(tables: Mapping[Width, str], hours: int, is_steady: bool, watermarks: list[int]) -> RollupState:
    """What is closed, or, where there are watermarks, materialized of each table."""
    aggregates = {
        table: Aggregate(f"materialized_{table}", windows.floor(MONDAY + timedelta(hours=watermark), width))
        for (width, table), watermark in zip(tables.items(), watermarks, strict=False)
    }
    return (
        RollupState(LATEST, aggregates=aggregates)
        if aggregates
        else RollupState(MONDAY + timedelta(hours=hours), is_steady)
    )


closings = st.tuples(hours, st.booleans(), st.just([]) | st.lists(hours, min_size=4, max_size=4))


@given(tables, spans, spans, buckets, closings)
def test_pieces_make_up_the_window(tables, before, length, bucket, closing) -> None:  # type: ignore[no-untyped-def]
    start, closed = MONDAY + before, by_hours(tables, *closing)
    filters = Filters(UUID(int=0), start, start + length, "daily")
    pieces = windows.split_window(filters, tables, bucket, closed)
    widths = list(tables)
    for rows_behind in (True, False):
        read = [
            piece
            for piece in pieces
            if piece.condition == "true" or piece.condition.startswith("EXISTS") == rows_behind
        ]
        reached = start
        for width, begins, ends, table, *_ in read:
            assert begins == reached
            reached = ends
            if not width:
                assert table == "traces"
                continue
            assert table == closed.stored_table(tables[width])
            assert width.length <= bucket
            assert (begins - BUCKET_ORIGIN) % width.length == timedelta(0)
            held_before = closed.table_filled_until(tables[width], width == widths[0] and width.length <= HOUR.length)
            assert ends <= held_before
            # Summed as hours are closed: the bucket that has begun ends there.
            may_have_begun = closed.is_stable and ends == closed.filled_until == held_before
            assert may_have_begun or (ends - begins) % width.length == timedelta(0)
        # Without rows behind the window, its last narrow bucket is read to the end.
        assert reached == filters.end or (not rows_behind and reached - filters.end < widths[0].length)


@given(spans, spans, closings)
def test_what_is_subtracted_leaves_each_moment_of_the_window_once(before, length, closing) -> None:  # type: ignore[no-untyped-def]
    start, closed = MONDAY + before, by_hours(USERS.tables, *closing)
    filters = Filters(UUID(int=0), start, start + length, "daily")
    found = windows.split_window(filters, USERS.tables, windows.ANY_WIDTH, closed, may_subtract=True)
    read = [piece for piece in found if not piece.condition.startswith("NOT")]
    moments = sorted({moment for piece in read for moment in (piece.start, piece.end)} | {start, filters.end})
    for moment in moments:
        times = sum(-1 if piece.is_subtracted else 1 for piece in read if piece.start <= moment < piece.end)
        assert times == (start <= moment < filters.end)
    for piece in read:
        if piece.width:
            assert piece.end <= closed.table_filled_until(USERS.table(piece.width), piece.width == USERS.widths[0])


def test_most_of_a_week_is_the_week_without_its_beginning() -> None:
    start = MONDAY + timedelta(hours=30)
    filters = Filters(UUID(int=0), start, MONDAY + timedelta(days=14), "daily")
    found = windows.split_window(
        filters, USERS.tables, windows.ANY_WIDTH, RollupState(MONDAY + timedelta(days=30)), may_subtract=True
    )
    assert [(piece.width and piece.width.name, piece.end - piece.start, piece.is_subtracted) for piece in found] == [
        ("daily", timedelta(days=1), True),
        ("hourly", timedelta(hours=6), True),
        ("weekly", timedelta(days=14), False),
    ]


@given(st.lists(st.tuples(spans, spans), max_size=5))
def test_stretches_are_looked_for_in_their_days(lengths: list[tuple[timedelta, timedelta]]) -> None:
    given = {
        place: windows.TimeRange(MONDAY + before, MONDAY + before + length)
        for place, (before, length) in enumerate(lengths)
    }
    found = windows.group_by_days(given)
    assert sorted(place for places in found.values() for place in places) == list(given)
    for days, places in found.items():
        first, last = (datetime.fromisoformat(moment) for moment in re.findall(r"'(.*?)'", days))
        for place in places:
            start, end = given[place]
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
