"""What a window's rows amount to, as tables for the FROM of a metric.

A window is answered from whole weeks, days, hours and minutes, as far as its rollup has them, and from the rows at
its edges: exact to the microsecond, at a cost that hardly depends on how many rows there are. Text and not SQL
functions: Citus plans no function that reads a distributed table. Moments are computed here and written as literals,
so that TimescaleDB leaves chunks out while planning; there the tables are those in which it keeps its aggregates, up
to where each of them is filled, and rows from there on.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from traces import engine
from traces.engine import RollupState
from traces.filters import BUCKET_ORIGIN, LATEST, Filters
from traces.rollups import (
    DAY,
    HOUR,
    Rollup,
    Sets,
    Width,
)

ANY_WIDTH = timedelta.max
"""For what is no series: any width will do."""


def window_sql(
    filters: Filters,
    rollup: Rollup,
    bucket: timedelta,
    closed: RollupState | None = None,
    may_subtract: bool = False,
) -> str:
    if not set(filters.active_filters) <= set(rollup.keys):
        bucket = timedelta(0)  # the rollup cannot tell: only the rows can
    found = split_window(filters, rollup.tables, bucket, closed, may_subtract)
    return union([segment_sql(filters, rollup, segment, has_time=not may_subtract) for segment in found])


def union(parts: list[str]) -> str:
    return "(\n    " + "\n    UNION ALL\n    ".join(parts) + "\n)"


class Segment(NamedTuple):
    width: Width | None
    """None: the rows."""
    start: datetime
    end: datetime
    table: str = "traces"
    condition: str = "true"
    is_subtracted: bool = False


class Layer(NamedTuple):
    width: Width
    table: str
    before: datetime
    """It holds all rows before."""
    has_begun: bool
    """Its last bucket may hold part of its time, up to `before`."""


def split_window(
    filters: Filters,
    tables: Mapping[Width, str],
    bucket: timedelta,
    closed: RollupState | None = None,
    may_subtract: bool = False,
) -> list[Segment]:
    """No moment twice, none left out, none wider than `bucket`. `tables`: the narrowest first."""
    start, end = filters.start, filters.end
    layers = layers_of(filters, {width: table for width, table in tables.items() if width.length <= bucket}, closed)
    if not layers:
        return [Segment(None, start, end)]
    narrowest, table, before, _ = layers[0]
    begun = floor(end, narrowest)
    if begun < start or begun == end or before < LATEST:
        return cover(layers, start, end, may_subtract)
    # Most windows end now: with no row behind it, the bucket that has begun is read whole where rows are in it at once.
    behind = ROWS_BETWEEN.format(filters.workspace_id, literal(end), literal(begun + narrowest.length))
    return [
        *cover(layers, start, begun, may_subtract),
        Segment(narrowest, begun, begun + narrowest.length, table, f"NOT {behind}"),
        Segment(None, begun, end, condition=behind),
    ]


def layers_of(filters: Filters, tables: Mapping[Width, str], closed: RollupState | None) -> list[Layer]:
    if not tables:
        return []
    closed = closed or engine.rollup_states(filters.workspace_id)[filters.workspace_id]
    narrowest = next(iter(tables))
    layers = []
    for width, table in tables.items():
        before = closed.table_filled_until(table, width == narrowest and width.length <= HOUR.length)
        layers.append(Layer(width, closed.table(table), before, closed.is_steady and before == closed.filled_until))
    return layers


def cover(layers: Sequence[Layer], start: datetime, end: datetime, may_subtract: bool = False) -> list[Segment]:
    """Of the widest that fit, with narrower ones on both sides, and rows at the edges."""
    if start >= end:
        return []
    if not layers:
        return [Segment(None, start, end)]
    *narrower, (widest, table, before, has_begun) = layers
    first, last = ceiling(start, widest), floor(min(end, before), widest)
    if has_begun and before <= end:
        last = before
    if first >= last:
        return cover(narrower, start, end, may_subtract)
    begun = floor(start, widest)
    if may_subtract and start - begun < first - start:  # less to take away than to add
        first = begun
        beside = [segment._replace(is_subtracted=True) for segment in cover(narrower, begun, start)]
    else:
        beside = cover(narrower, start, first, may_subtract)
    return [*beside, Segment(widest, first, last, table), *cover(narrower, last, end)]


def table_for(filters: Filters, kept: Rollup | Sets, width: Width, until: datetime) -> str:
    """Where the buckets up to `until` are, which are closed."""
    closed, name = engine.rollup_states(filters.workspace_id)[filters.workspace_id], kept.table(width)
    # A day can be materialized while its hours are not: then their view sums them.
    return closed.table(name) if until <= closed.table_filled_until(name, is_counted_at_once=False) else name


class TimeRange(NamedTuple):
    start: datetime
    end: datetime


def group_by_days(ranges: Mapping[int, TimeRange]) -> dict[str, list[int]]:
    """The places of ranges in the same days, by a condition that leaves out all other chunks while planning."""
    found: dict[str, list[int]] = {}
    for place, (start, end) in ranges.items():
        days = f"timestamp >= {literal(floor(start, DAY))} AND timestamp < {literal(ceiling(end, DAY))}"
        found.setdefault(days, []).append(place)
    return found


ROWS_BETWEEN = """EXISTS (
        SELECT FROM traces WHERE workspace_id = '{}'::uuid AND timestamp >= {} AND timestamp < {}
    )"""


def segment_sql(filters: Filters, rollup: Rollup, segment: Segment, has_time: bool = True) -> str:
    width = segment.width
    if width:
        moment, counted = "bucket", "calls > 0"
        until = f"least(bucket + interval '{width.interval}', {literal(segment.end)})"
        keys, values = rollup.keys, {name: name for name in rollup.measures}
    else:
        moment, counted = "timestamp", rollup.counted
        until = "timestamp + interval '1 microsecond'"
        keys, values = tuple(KEYS_OF_ROWS.get(key, key) for key in rollup.keys), rollup.measures
    times = (f"{moment} AS timestamp", f"{until} AS until") if has_time else ()
    sign = "-" if segment.is_subtracted else ""
    columns = ", ".join((*times, *keys, *(f"{sign}{value} AS {name}" for name, value in values.items())))
    narrowed = "".join(f"\n      AND {name} = %({name})s" for name in filters.active_filters if name != "operation")
    if not (width and rollup.calls_only):
        narrowed += "\n      AND operation = ANY(%(operations)s)"
    return f"""SELECT {columns}
    FROM {segment.table}
    WHERE {within(filters, segment, moment)}
      AND {counted} AND {segment.condition}{narrowed}"""  # noqa: S608 (built from names, moments and a UUID)


def set_segment_sql(filters: Filters, kept: Sets, segment: Segment) -> str:
    return f"""SELECT bucket AS timestamp, {"".join(f"{key}, " for key in kept.keys)}chunk, users
    FROM {segment.table}
    WHERE {within(filters, segment, "bucket")}"""  # noqa: S608 (as above)


def within(filters: Filters, segment: Segment, moment: str) -> str:
    return f"""workspace_id = '{filters.workspace_id}'::uuid
      AND {moment} >= {literal(segment.start)} AND {moment} < {literal(segment.end)}"""


KEYS_OF_ROWS = {"latency_bucket": "latency_bucket(latency_ms) AS latency_bucket"}


def literal(moment: datetime) -> str:
    return f"timestamptz '{moment.isoformat()}'"


def floor(moment: datetime, width: Width) -> datetime:
    return moment - (moment - BUCKET_ORIGIN) % width.length


def ceiling(moment: datetime, width: Width) -> datetime:
    return moment + (BUCKET_ORIGIN - moment) % width.length
