"""What a window's rows amount to, as tables for the FROM of a metric.

A window is answered from whole weeks, days, hours and minutes, as far as its rollup has them, and from the rows at
its edges: exact to the microsecond, at a cost that hardly depends on how many rows there are. Text and not SQL
functions: Citus plans no function that reads a distributed table. Moments are computed here and written as literals,
so that TimescaleDB leaves chunks out while planning.
"""

from datetime import datetime, timedelta

from analytics import engine
from analytics.filters import BUCKET_ORIGIN, Filters
from analytics.rollups import (
    AGENTS,
    CALL_LATENCY,
    CALLS,
    ERRORS,
    FAILURES,
    HOUR,
    LATENCY,
    MODELS,
    TOTALS,
    USER_AGENTS,
    USERS,
    Rollup,
    Width,
)

ANY = timedelta.max
"""For what is no series: any width will do."""

NARROWING = ("operation", "agent_id", "model", "provider")
NARROWED = """workspace_id = %(workspace_id)s
      AND timestamp >= %(start)s AND timestamp < %(end)s
      AND operation = ANY(%(operations)s)
      AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s)
      AND (%(model)s::text IS NULL OR model = %(model)s)
      AND (%(provider)s::text IS NULL OR provider = %(provider)s)"""
"""The window's rows of `traces`, for what only they can tell."""


def calls(filters: Filters, *columns: str, bucket: timedelta = ANY, days_until: datetime | None = None) -> str:
    """AMOUNTS by `columns` and time, from the smallest rollup that knows all that is asked for.

    `days_until` is what the engine says of the workspace, for those who ask it of many at once.

    Rows are no finer than `bucket` needs: each stands for the calls from `timestamp` to before `until`.
    """
    needed = {*columns, *narrowed_by(filters)}
    rollup = next(rollup for rollup in (TOTALS, MODELS, AGENTS, CALLS) if needed <= set(rollup.keys))
    return united(filters, rollup, bucket, days_until)


def latency(filters: Filters, bucket: timedelta = ANY) -> str:
    """Calls by latency_bucket and time."""
    return united(filters, LATENCY if set(narrowed_by(filters)) <= set(LATENCY.keys) else CALL_LATENCY, bucket)


def users(filters: Filters, *columns: str) -> str:
    """Calls and cost by user_id, and by agent_id where `columns` ask for it, of the calls that name a user."""
    rollup = USERS if not {*columns, *narrowed_by(filters)} & {"agent_id"} else USER_AGENTS
    return united(filters, rollup, ANY)


def errors(filters: Filters) -> str:
    """Failed calls by status, error_type and agent_id."""
    return united(filters, ERRORS if set(narrowed_by(filters)) <= set(ERRORS.keys) else CALLS, ANY)


def failures(filters: Filters) -> str:
    """Failed calls by status, error_type and user_id, of those that name one."""
    return united(filters, FAILURES, ANY)


def narrowed_by(filters: Filters) -> list[str]:
    return [name for name in NARROWING if getattr(filters, name) is not None]


def united(filters: Filters, rollup: Rollup, bucket: timedelta, days_until: datetime | None = None) -> str:
    if not set(narrowed_by(filters)) <= set(rollup.keys):
        bucket = timedelta(0)  # the rollup cannot tell: only the rows can
    parts = [part(filters, rollup, *piece) for piece in pieces(filters, rollup, bucket, days_until)]
    return "(\n    " + "\n    UNION ALL\n    ".join(parts) + "\n)"


Piece = tuple[Width | None, datetime, datetime, str]
"""Width of the rollup (None: the rows), start, end, and a condition."""


def pieces(filters: Filters, rollup: Rollup, bucket: timedelta, days_until: datetime | None) -> list[Piece]:
    """No moment twice, none left out."""
    start, end = filters.start, filters.end
    widths = [width for width in rollup.widths if width.length <= bucket]
    if not widths or ceiling(start, widths[0]) > floor(end, widths[0]):
        return [(None, start, end, "true")]
    workspace = filters.workspace_id
    first, last = ceiling(start, widths[0]), floor(end, widths[0])
    until = last if widths[-1].length <= HOUR.length else days_until or engine.days_until(workspace)[workspace]
    if not rollup.has_hours:
        last = max(first, floor(min(end, until), widths[0]))
        days: list[Piece] = [(None, start, first, "true"), (widths[0], first, last, "true"), (None, last, end, "true")]
        return [piece for piece in days if piece[1] < piece[2]]
    begun = floor(end, HOUR) if HOUR in widths else last
    found: list[Piece] = [(None, start, first, "true")]
    if begun < first:
        found += [*whole(widths, first, last, until), (None, last, end, "true")]
    else:
        found += whole(widths, first, begun, until)
        # Most windows end now: with no row behind it, the hour (or minute) that has begun is read whole.
        width = HOUR if HOUR in widths else widths[0]
        rows_behind = ROWS_BETWEEN.format(workspace, literal(end), literal(begun + width.length))
        narrower = [one for one in widths if one.length < width.length]
        found += [
            (width, begun, begun + width.length, f"NOT {rows_behind}"),
            *((*piece[:3], rows_behind) for piece in whole(narrower, begun, last, until)),
            (None, last, end, rows_behind),
        ]
        if begun == end:
            found = [piece for piece in found if piece[1] < end]
    return [piece for piece in found if piece[1] < piece[2]]


def whole(widths: list[Width], start: datetime, end: datetime, until: datetime) -> list[Piece]:
    """Of the widest that fit, with narrower ones on both sides. Those summed from hours end at `until`."""
    if not widths:
        return []
    *narrower, widest = widths
    if not narrower:
        return [(widest, start, end, "true")]
    first = ceiling(start, widest)
    last = floor(end if widest.length <= HOUR.length else min(end, until), widest)
    if first >= last:
        return whole(narrower, start, end, until)
    return [
        *whole(narrower, start, first, until),
        (widest, first, last, "true"),
        *whole(narrower, last, end, until),
    ]


ROWS_BETWEEN = """EXISTS (
        SELECT FROM traces WHERE workspace_id = '{}'::uuid AND timestamp >= {} AND timestamp < {}
    )"""


def part(filters: Filters, rollup: Rollup, width: Width | None, start: datetime, end: datetime, condition: str) -> str:
    if width:
        table, moment, until, counted = rollup.table(width), "bucket", f"interval '{width.interval}'", "calls > 0"
        keys, measures = ", ".join(rollup.keys), ", ".join(rollup.measures)
    else:
        table, moment, until, counted = "traces", "timestamp", "interval '1 microsecond'", rollup.counted
        keys = ", ".join(KEYS_OF_ROWS.get(key, key) for key in rollup.keys)
        measures = ", ".join(f"{value} AS {name}" for name, value in rollup.measures.items())
    narrowed = "".join(f"\n      AND {name} = %({name})s" for name in narrowed_by(filters) if name != "operation")
    if not (width and rollup.calls_only):
        narrowed += "\n      AND operation = ANY(%(operations)s)"
    return f"""SELECT {moment} AS timestamp, {moment} + {until} AS until, {keys}, {measures}
    FROM {table}
    WHERE workspace_id = '{filters.workspace_id}'::uuid
      AND {moment} >= {literal(start)} AND {moment} < {literal(end)}
      AND {counted} AND {condition}{narrowed}"""  # noqa: S608 (built from names, moments and a UUID)


KEYS_OF_ROWS = {"latency_bucket": "latency_bucket(latency_ms) AS latency_bucket"}


def literal(moment: datetime) -> str:
    return f"timestamptz '{moment.isoformat()}'"


def floor(moment: datetime, width: Width) -> datetime:
    return moment - (moment - BUCKET_ORIGIN) % width.length


def ceiling(moment: datetime, width: Width) -> datetime:
    return moment + (BUCKET_ORIGIN - moment) % width.length
