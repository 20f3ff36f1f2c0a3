"""What a window's rows amount to, as tables for the FROM of a metric.

A window is answered from whole weeks, days, hours and minutes, as far as its rollup has them, and from the rows at
its edges: exact to the microsecond, at a cost that hardly depends on how many rows there are. Text and not SQL
functions: Citus plans no function that reads a distributed table. Moments are computed here and written as literals,
so that TimescaleDB leaves chunks out while planning; there the tables are those in which it keeps its aggregates, up
to where each of them is filled, and rows from there on.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.conf import settings

from traces import engine
from traces.engine import Closed
from traces.filters import BUCKET_ORIGIN, LATEST, Filters
from traces.rollups import (
    AGENTS,
    AMOUNTS,
    CALL_LATENCY,
    CALLS,
    CHUNK,
    COUNT,
    DAY,
    ERRORS,
    FAILURE_SETS,
    FAILURES,
    HOUR,
    LATENCY,
    MODELS,
    SET_SIZE,
    TOTALS,
    USER_AGENTS,
    USER_SETS,
    USERS,
    WEEK,
    Rollup,
    Sets,
    Width,
)

ANY = timedelta.max
"""For what is no series: any width will do."""


def calls(filters: Filters, *columns: str, bucket: timedelta = ANY, closed: Closed | None = None) -> str:
    """`columns`, which are AMOUNTS and what they are told apart by, and time, from the smallest rollup that knows all.

    `closed` is what the engine says of the workspace, for those who ask it of many at once.

    Rows are no finer than `bucket` needs: each stands for the calls from `timestamp` to before `until`.
    """
    needed = {*columns, *filters.active_filters} - AMOUNTS.keys()
    rollup = next(rollup for rollup in (TOTALS, MODELS, AGENTS, CALLS) if needed <= set(rollup.keys))
    amounts = {name: AMOUNTS[name] for name in columns if name in AMOUNTS}
    return united(filters, rollup._replace(measures=amounts), bucket, closed)


def latency(filters: Filters, bucket: timedelta = ANY) -> str:
    """Calls by latency_bucket and time."""
    return united(filters, LATENCY if set(filters.active_filters) <= set(LATENCY.keys) else CALL_LATENCY, bucket)


def users(filters: Filters, *columns: str) -> str:
    """Calls and cost by user_number, and by agent_id where `columns` ask for it, of the calls that name a user."""
    return united(filters, by_user(filters, *columns), ANY)


def user_sums(filters: Filters) -> str:
    """Calls by user_number, of which only the sums count: some are taken away again, down to 0 calls."""
    # Where retention has been, a week may be gone of which there still are days.
    kept_since = datetime.now(UTC) - timedelta(days=settings.RETENTION_DAYS)
    rollup = by_user(filters)._replace(measures=COUNT)  # they are many: what is not asked for costs a third
    return united(filters, rollup, ANY, may_subtract=filters.start - WEEK.length > kept_since)


def by_user(filters: Filters, *columns: str) -> Rollup:
    return USERS if not {*columns, *filters.active_filters} & {"agent_id"} else USER_AGENTS


def errors(filters: Filters) -> str:
    """Failed calls by status, error_type and agent_id."""
    return united(filters, ERRORS if set(filters.active_filters) <= set(ERRORS.keys) else CALLS, ANY)


def unique_users(filters: Filters, bucket: timedelta = ANY) -> str:
    """How many called, as `users`, and by time where they are a series."""
    return unique(filters, by_user(filters), USER_SETS, bucket)


def affected_users(filters: Filters) -> str:
    """How many had failed calls, as `users`, by status and error_type."""
    return unique(filters, FAILURES, FAILURE_SETS, ANY)


def united(
    filters: Filters,
    rollup: Rollup,
    bucket: timedelta,
    closed: Closed | None = None,
    may_subtract: bool = False,
) -> str:
    if not set(filters.active_filters) <= set(rollup.keys):
        bucket = timedelta(0)  # the rollup cannot tell: only the rows can
    found = pieces(filters, rollup.tables, bucket, closed, may_subtract)
    return union([part(filters, rollup, piece, has_time=not may_subtract) for piece in found])


def unique(filters: Filters, rollup: Rollup, kept: Sets, bucket: timedelta) -> str:
    """Those in the sets that are kept, and of those whom narrower buckets and rows tell, who is in none of the sets."""
    narrowed = filters.active_filters
    widths = () if narrowed else kept.widths
    tables = rollup.tables if narrowed else {rollup.widths[0]: rollup.narrowest} | kept.tables
    found = pieces(filters, tables if set(narrowed) <= set(rollup.keys) else {}, bucket)
    sets = [piece for piece in found if piece.width in widths]
    told = [piece for piece in found if piece.width not in widths]
    nothing = Piece(None, filters.start, filters.start)
    moment = "%(start)s::timestamptz" if bucket == ANY else "time_bucket(%(bucket)s, timestamp)"
    keys = ("timestamp", *kept.keys)
    return UNIQUE.format(
        sets=union(
            [
                set_part(filters, kept, piece)
                for piece in sets or [nothing._replace(table=table_of(filters, kept, HOUR, filters.start))]
            ]
        ),
        told=union([part(filters, rollup, piece, bucket != ANY) for piece in told or [nothing]]),
        by=", ".join(keys),
        of_each=", ".join((f"{moment} AS timestamp", *kept.keys)),
        of_told=", ".join(f"told.{key}" for key in keys),
        same="".join(f" AND sets.{key} IS NOT DISTINCT FROM told.{key}" for key in kept.keys),
        places=", ".join(str(place + 1) for place in range(len(keys))),
    )


UNIQUE = """(
    WITH sets AS (
        SELECT {of_each}, chunk, bit_or(users) AS users
        FROM {sets} AS kept
        GROUP BY {places}, chunk
    ), told AS (
        SELECT DISTINCT {of_each}, user_number
        FROM {told} AS calls
    ), counts AS (
        SELECT {by}, bit_count(users) AS users
        FROM sets
        UNION ALL
        SELECT {of_told}, count(*) AS users
        FROM told
        LEFT JOIN sets ON chunk = CHUNK AND sets.timestamp = told.timestamp{same}
        WHERE users IS NULL OR get_bit(users, mod(user_number, SET_SIZE)) = 0
        GROUP BY {places}
    )
    SELECT {by}, sum(users)::bigint AS users
    FROM counts
    GROUP BY {places}
)""".replace("CHUNK", CHUNK).replace("SET_SIZE", str(SET_SIZE))


def union(parts: list[str]) -> str:
    return "(\n    " + "\n    UNION ALL\n    ".join(parts) + "\n)"


class Piece(NamedTuple):
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


def pieces(
    filters: Filters,
    tables: Mapping[Width, str],
    bucket: timedelta,
    closed: Closed | None = None,
    may_subtract: bool = False,
) -> list[Piece]:
    """No moment twice, none left out, none wider than `bucket`. `tables`: the narrowest first."""
    start, end = filters.start, filters.end
    layers = layers_of(filters, {width: table for width, table in tables.items() if width.length <= bucket}, closed)
    if not layers:
        return [Piece(None, start, end)]
    narrowest, table, before, _ = layers[0]
    begun = floor(end, narrowest)
    if begun < start or begun == end or before < LATEST:
        return whole(layers, start, end, may_subtract)
    # Most windows end now: with no row behind it, the bucket that has begun is read whole where rows are in it at once.
    behind = ROWS_BETWEEN.format(filters.workspace_id, literal(end), literal(begun + narrowest.length))
    return [
        *whole(layers, start, begun, may_subtract),
        Piece(narrowest, begun, begun + narrowest.length, table, f"NOT {behind}"),
        Piece(None, begun, end, condition=behind),
    ]


def layers_of(filters: Filters, tables: Mapping[Width, str], closed: Closed | None) -> list[Layer]:
    if not tables:
        return []
    closed = closed or engine.closed(filters.workspace_id)[filters.workspace_id]
    narrowest = next(iter(tables))
    layers = []
    for width, table in tables.items():
        before = closed.held_before(table, width == narrowest and width.length <= HOUR.length)
        layers.append(Layer(width, closed.table(table), before, closed.is_steady and before == closed.before))
    return layers


def whole(layers: Sequence[Layer], start: datetime, end: datetime, may_subtract: bool = False) -> list[Piece]:
    """Of the widest that fit, with narrower ones on both sides, and rows at the edges."""
    if start >= end:
        return []
    if not layers:
        return [Piece(None, start, end)]
    *narrower, (widest, table, before, has_begun) = layers
    first, last = ceiling(start, widest), floor(min(end, before), widest)
    if has_begun and before <= end:
        last = before
    if first >= last:
        return whole(narrower, start, end, may_subtract)
    begun = floor(start, widest)
    if may_subtract and start - begun < first - start:  # less to take away than to add
        first = begun
        beside = [piece._replace(is_subtracted=True) for piece in whole(narrower, begun, start)]
    else:
        beside = whole(narrower, start, first, may_subtract)
    return [*beside, Piece(widest, first, last, table), *whole(narrower, last, end)]


def table_of(filters: Filters, kept: Rollup | Sets, width: Width, until: datetime) -> str:
    """Where the buckets up to `until` are, which are closed."""
    closed, name = engine.closed(filters.workspace_id)[filters.workspace_id], kept.table(width)
    # A day can be materialized while its hours are not: then their view sums them.
    return closed.table(name) if until <= closed.held_before(name, is_counted_at_once=False) else name


class Stretch(NamedTuple):
    start: datetime
    end: datetime


def by_days(stretches: Mapping[int, Stretch]) -> dict[str, list[int]]:
    """The places of stretches in the same days, by a condition that leaves out all other chunks while planning."""
    found: dict[str, list[int]] = {}
    for place, (start, end) in stretches.items():
        days = f"timestamp >= {literal(floor(start, DAY))} AND timestamp < {literal(ceiling(end, DAY))}"
        found.setdefault(days, []).append(place)
    return found


ROWS_BETWEEN = """EXISTS (
        SELECT FROM traces WHERE workspace_id = '{}'::uuid AND timestamp >= {} AND timestamp < {}
    )"""


def part(filters: Filters, rollup: Rollup, piece: Piece, has_time: bool = True) -> str:
    width = piece.width
    if width:
        moment, counted = "bucket", "calls > 0"
        until = f"least(bucket + interval '{width.interval}', {literal(piece.end)})"
        keys, values = rollup.keys, {name: name for name in rollup.measures}
    else:
        moment, counted = "timestamp", rollup.counted
        until = "timestamp + interval '1 microsecond'"
        keys, values = tuple(KEYS_OF_ROWS.get(key, key) for key in rollup.keys), rollup.measures
    times = (f"{moment} AS timestamp", f"{until} AS until") if has_time else ()
    sign = "-" if piece.is_subtracted else ""
    columns = ", ".join((*times, *keys, *(f"{sign}{value} AS {name}" for name, value in values.items())))
    narrowed = "".join(f"\n      AND {name} = %({name})s" for name in filters.active_filters if name != "operation")
    if not (width and rollup.calls_only):
        narrowed += "\n      AND operation = ANY(%(operations)s)"
    return f"""SELECT {columns}
    FROM {piece.table}
    WHERE {within(filters, piece, moment)}
      AND {counted} AND {piece.condition}{narrowed}"""  # noqa: S608 (built from names, moments and a UUID)


def set_part(filters: Filters, kept: Sets, piece: Piece) -> str:
    return f"""SELECT bucket AS timestamp, {"".join(f"{key}, " for key in kept.keys)}chunk, users
    FROM {piece.table}
    WHERE {within(filters, piece, "bucket")}"""  # noqa: S608 (as above)


def within(filters: Filters, piece: Piece, moment: str) -> str:
    return f"""workspace_id = '{filters.workspace_id}'::uuid
      AND {moment} >= {literal(piece.start)} AND {moment} < {literal(piece.end)}"""


KEYS_OF_ROWS = {"latency_bucket": "latency_bucket(latency_ms) AS latency_bucket"}


def literal(moment: datetime) -> str:
    return f"timestamptz '{moment.isoformat()}'"


def floor(moment: datetime, width: Width) -> datetime:
    return moment - (moment - BUCKET_ORIGIN) % width.length


def ceiling(moment: datetime, width: Width) -> datetime:
    return moment + (BUCKET_ORIGIN - moment) % width.length
