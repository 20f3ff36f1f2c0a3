"""Splits a window into segments, and writes the SQL that reads them.

A window is read from whole weeks, days, hours and minutes, as far as its rollup has them, and from the rows at its
edges. So an answer is exact to the microsecond, and its cost hardly depends on how many rows there are:

    start                                                                          end
      |....|------|======|#####################################|======|------|....|
      rows  10 min  hours               days, weeks               hours  10 min  rows

The SQL is text and not a function of the database: Citus cannot plan a function that reads a distributed table. Times
are literals in it, so that TimescaleDB leaves chunks out while planning. On TimescaleDB a segment reads the table in
which an aggregate is stored. Rows that the aggregate does not contain yet are read from `traces`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from traces import engines
from traces.engines.protocol import RollupState
from traces.filters import BUCKET_ORIGIN, EARLIEST, LATEST, Filters
from traces.rollups.catalogue import DAY, HOUR, LABEL, ROW_KEYS, Rollup, UserSetTable, Width, unpacked_sql

MANY_RANGES = 4
"""From here on, segments of the same table are read by one SELECT. Fewer are planned faster as a SELECT each."""


class TimeRange(NamedTuple):
    start: datetime
    end: datetime


class Segment(NamedTuple):
    """A part of a window that is read from one table."""

    width: Width | None
    """None: rows of `traces`."""
    start: datetime
    end: datetime
    table: str = "traces"
    condition: str = ""
    """A SQL condition. Where it is false, the segment has no rows. An empty text is no condition."""
    is_subtracted: bool = False
    ranges: tuple[TimeRange, ...] = ()
    """The parts of the time from `start` to `end` that it has. Empty: it has all of it."""


class FilledTable(NamedTuple):
    """A rollup table, and the time for which it is filled."""

    width: Width
    table: str
    filled_since: datetime
    filled_until: datetime
    has_open_bucket: bool
    """Its last bucket may be filled in part, up to `filled_until`."""


# --- Splitting ---


ROWS_BETWEEN = """EXISTS (
        SELECT FROM traces WHERE workspace_id = '{workspace_id}'::uuid AND timestamp >= {start} AND timestamp < {end}
    )"""


def split_window(
    filters: Filters,
    tables: Mapping[Width, str],
    by_bucket: bool,
    state: RollupState | None = None,
    may_subtract: bool = False,
    is_follower: bool = False,
) -> list[Segment]:
    """Splits the window into segments that do not overlap and cover it exactly.

    `tables` begins with the narrowest width; with `is_follower` they are those of a follower. With `by_bucket` no
    bucket of a segment lies in two buckets of the series. If `state` is None it is read. With `may_subtract` a segment
    may begin before the window, and other segments subtract the part before the window.
    """
    start, end = filters.start, filters.end
    boundaries = filters.bucket_starts[1:] if by_bucket else ()
    filled_tables = filled_tables_of(
        filters,
        {width: table for width, table in tables.items() if not by_bucket or width.length <= filters.bucket},
        state,
        is_follower,
    )
    if not filled_tables:
        return [Segment(None, start, end)]
    narrowest, table, _, filled_until, _ = filled_tables[0]
    open_bucket = floor(end, narrowest)
    is_cut = bool(boundaries) and boundaries[-1] > open_bucket
    if is_cut or open_bucket < start or open_bucket == end or filled_until < LATEST:
        return joined(cover(filled_tables, start, end, boundaries, may_subtract))
    # Most windows end now, inside a bucket that inserts fill at once. If no row lies between the end of the window and
    # the end of this bucket, the whole bucket is read. Otherwise the rows are read.
    has_later_rows = ROWS_BETWEEN.format(
        workspace_id=filters.workspace_id, start=literal(end), end=literal(open_bucket + narrowest.length)
    )
    return [
        *joined(cover(filled_tables, start, open_bucket, boundaries, may_subtract)),
        Segment(narrowest, open_bucket, open_bucket + narrowest.length, table, f"NOT {has_later_rows}"),
        Segment(None, open_bucket, end, condition=has_later_rows),
    ]


def filled_tables_of(
    filters: Filters, tables: Mapping[Width, str], state: RollupState | None, is_follower: bool
) -> list[FilledTable]:
    if not tables:
        return []
    state = state or rollup_state(filters)
    tables = {width: table for width, table in tables.items() if state.has_table(table)}
    narrowest = next(iter(tables), HOUR)
    filled_tables = []
    for width, table in tables.items():
        if is_follower and not state.aggregates:
            since, until = state.followed_since, state.followed_until
            filled_until = until if width == narrowest else floor(until, HOUR)
            has_open_bucket = state.is_stable
        else:
            since = EARLIEST
            filled_until = state.table_filled_until(table, width == narrowest and width.length <= HOUR.length)
            has_open_bucket = state.is_stable and filled_until == state.filled_until
        filled_tables.append(FilledTable(width, state.stored_table(table), since, filled_until, has_open_bucket))
    return filled_tables


def rollup_state(filters: Filters) -> RollupState:
    return engines.rollup_states(filters.workspace_id)[filters.workspace_id]


def cover(
    filled_tables: Sequence[FilledTable],
    start: datetime,
    end: datetime,
    boundaries: Sequence[datetime] = (),
    may_subtract: bool = False,
) -> list[Segment]:
    """Covers the time with the widest buckets that fit, narrower buckets on both sides, and rows at the edges.

    A bucket in which one of the `boundaries` lies does not fit.
    """
    if start >= end:
        return []
    if not filled_tables:
        return [Segment(None, start, end)]
    *narrower, (widest, _, filled_since, filled_until, has_open_bucket) = filled_tables
    first, last = ceiling(max(start, filled_since), widest), floor(min(end, filled_until), widest)
    if has_open_bucket and filled_until <= end:
        last = filled_until
    if first >= last:
        return cover(narrower, start, end, boundaries, may_subtract)
    bucket_before = floor(start, widest)
    # Less to subtract than to add.
    if may_subtract and bucket_before >= filled_since and start - bucket_before < first - start:
        first = bucket_before
        edge = [segment._replace(is_subtracted=True) for segment in cover(narrower, bucket_before, start)]
    else:
        edge = cover(narrower, start, first, boundaries, may_subtract)
    return [*edge, *cover_middle(filled_tables, first, last, boundaries), *cover(narrower, last, end, boundaries)]


def cover_middle(
    filled_tables: Sequence[FilledTable], first: datetime, last: datetime, boundaries: Sequence[datetime]
) -> list[Segment]:
    """Covers the time with the widest buckets, and with narrower ones where a boundary lies inside a bucket."""
    *narrower, (widest, table, *_) = filled_tables
    segments = []
    for split in split_buckets(widest, first, last, boundaries):
        if first < split.start:
            segments.append(Segment(widest, first, split.start, table))
        segments += cover(narrower, *split, boundaries)
        first = split.end
    return [*segments, Segment(widest, first, last, table)] if first < last else segments


def split_buckets(width: Width, first: datetime, last: datetime, boundaries: Sequence[datetime]) -> Iterator[TimeRange]:
    """Returns the times of the buckets in which a boundary lies. Adjacent buckets are one time."""
    inside = boundaries[bisect_right(boundaries, first) : bisect_left(boundaries, last)]
    starts = sorted({floor(boundary, width) for boundary in inside} - {*inside})
    for _, adjacent in groupby(enumerate(starts), lambda item: item[1] - item[0] * width.length):
        buckets = [bucket for _, bucket in adjacent]
        yield TimeRange(buckets[0], min(buckets[-1] + width.length, last))


def joined(segments: Sequence[Segment]) -> list[Segment]:
    """Joins the segments of each table to one that has many ranges, if they are many."""
    by_table: dict[tuple[str, bool], list[Segment]] = {}
    for segment in segments:
        by_table.setdefault((segment.table, segment.is_subtracted), []).append(segment)
    return [
        segment
        for together in by_table.values()
        for segment in ([with_ranges(together)] if len(together) >= MANY_RANGES else together)
    ]


def with_ranges(segments: Sequence[Segment]) -> Segment:
    ranges = tuple(TimeRange(segment.start, segment.end) for segment in segments)
    return segments[0]._replace(end=segments[-1].end, ranges=ranges)


def floor(moment: datetime, width: Width) -> datetime:
    return moment - (moment - BUCKET_ORIGIN) % width.length


def ceiling(moment: datetime, width: Width) -> datetime:
    return moment + (BUCKET_ORIGIN - moment) % width.length


# --- SQL ---


def window_sql(
    filters: Filters,
    rollup: Rollup,
    by_bucket: bool = False,
    state: RollupState | None = None,
    may_subtract: bool = False,
) -> str:
    """Returns SQL for a FROM with the rollup's keys and measures over the window.

    It has one row for each bucket or row that is read, with the calls from `timestamp` to before `until`. With
    `may_subtract` it has no times, and some rows are negative.
    """
    is_known = set(filters.active_filters) <= set(rollup.keys)
    segments = split_window(
        filters, rollup.tables if is_known else {}, by_bucket, state, may_subtract, rollup.is_follower
    )
    return union(segment_sql(filters, rollup, segment, has_time=not may_subtract) for segment in segments)


SEGMENT = """SELECT {columns}
    FROM {table}
    WHERE {conditions}"""


def segment_sql(filters: Filters, rollup: Rollup, segment: Segment, has_time: bool = True) -> str:
    """Returns SQL that reads one segment: buckets of the rollup, or the rows of `traces` that they sum."""
    width = segment.width
    # A filter by label chooses rows of the rollup. Only a question that groups by label tells them apart.
    is_by_label = bool(filters.grouped_labels)
    keys = (*(key for key in rollup.keys if key != LABEL), *([LABEL] if is_by_label else []))
    table = segment.table
    if width:
        time_column, row_filter = "bucket", "calls > 0"
        until = f"least(bucket + interval '{width.interval}', {literal(segment.end)})"
        values = {name: name for name in rollup.measures}
        if rollup.packed and engines.current().has_followers:
            table, values = unpacked_sql(rollup, table), {"calls": "packed_calls"}
    else:
        time_column, row_filter = "timestamp", rollup.where
        until = "timestamp + interval '1 microsecond'"
        keys, values = tuple(ROW_KEYS.get(key, key) for key in keys), rollup.measures
        table = found_rows(filters, segment)
        table += f"\n    CROSS JOIN LATERAL unnest(label_numbers) AS labels ({LABEL})" if is_by_label else ""
    times = (f"{time_column} AS timestamp", f"{until} AS until") if has_time else ()
    sign = "-" if segment.is_subtracted else ""
    conditions = [
        time_condition(filters, segment, time_column),
        "" if row_filter == "true" else row_filter,
        segment.condition,
        *filters.conditions(rollup.keys if width else None),
    ]
    query = SEGMENT.format(
        columns=", ".join((*times, *keys, *(f"{sign}{value} AS {name}" for name, value in values.items()))),
        table=table,
        conditions="\n      AND ".join(condition for condition in conditions if condition),
    )
    return in_ranges(segment, query)


# The planner would often take the index of failed calls, read them all, and throw away those of other sessions.
ROWS_OF_SESSION = """(
    SELECT *
    FROM traces
    WHERE {conditions}
    OFFSET 0
) AS traces"""


def found_rows(filters: Filters, segment: Segment) -> str:
    """Returns the table that has the rows of a segment: those of a session are found first, and then narrowed."""
    session = filters.values.get("session_id")
    if segment.ranges or not session or not session.included:
        return segment.table
    only_session = replace(filters, values={"session_id": session}, label_scope=None, any_operation=True)
    conditions = (time_condition(filters, segment, "timestamp"), *only_session.conditions())
    return ROWS_OF_SESSION.format(conditions="\n      AND ".join(conditions))


SET_SEGMENT = """SELECT bucket AS timestamp, {columns}
    FROM {table}
    WHERE {time}"""


def set_segment_sql(filters: Filters, user_set: UserSetTable, segment: Segment) -> str:
    """Returns SQL that reads the sets of users of one segment."""
    query = SET_SEGMENT.format(
        columns=", ".join((*user_set.keys, "user_block", "user_bits")),
        table=segment.table,
        time=time_condition(filters, segment, "bucket"),
    )
    return in_ranges(segment, query)


# OFFSET 0 makes the planner read the index once for each range. A join would compare each row with each range.
IN_RANGES = """SELECT segment.*
    FROM unnest({starts}, {ends}) AS ranges (range_start, range_end)
    CROSS JOIN LATERAL (
    {query}
    OFFSET 0
    ) AS segment"""


def in_ranges(segment: Segment, query: str) -> str:
    """Returns the query of a segment, for each of its ranges if it has any."""
    if not segment.ranges:
        return query
    starts, ends = zip(*segment.ranges, strict=True)
    return IN_RANGES.format(starts=literals(starts), ends=literals(ends), query=query)


def time_condition(filters: Filters, segment: Segment, time_column: str) -> str:
    times = [f"{time_column} >= {literal(segment.start)} AND {time_column} < {literal(segment.end)}"]
    if segment.ranges:
        times.append(f"{time_column} >= range_start AND {time_column} < range_end")
    return "\n      AND ".join((f"workspace_id = '{filters.workspace_id}'::uuid", *times))


def union(queries: Iterable[str]) -> str:
    return "(\n    " + "\n    UNION ALL\n    ".join(queries) + "\n)"


def literal(moment: datetime) -> str:
    return f"timestamptz '{moment.isoformat()}'"


def literals(moments: Iterable[datetime]) -> str:
    return "'{" + ", ".join(moment.isoformat() for moment in moments) + "}'::timestamptz[]"


# --- For queries that look for single rows ---


def table_for(filters: Filters, entry: Rollup | UserSetTable, width: Width, until: datetime) -> str:
    """Returns the table or view from which closed buckets up to `until` are read."""
    state, name = rollup_state(filters), entry.table(width)
    # A day can be materialized before its hours are. Then the view of the hours sums them.
    is_filled = until <= state.table_filled_until(name, is_filled_by_inserts=False)
    return state.stored_table(name) if is_filled else name


def group_by_days(ranges: Mapping[int, TimeRange]) -> dict[str, list[int]]:
    """Groups the keys of the time ranges by a SQL condition for their days.

    The condition leaves out the chunks of all other days while planning.
    """
    grouped: dict[str, list[int]] = {}
    for index, (start, end) in ranges.items():
        days = f"timestamp >= {literal(floor(start, DAY))} AND timestamp < {literal(ceiling(end, DAY))}"
        grouped.setdefault(days, []).append(index)
    return grouped
