"""What a window's rows amount to, as tables for the FROM of a metric.

A window is answered from whole days, whole hours and the raw rows of the two hours at its edges: exact to the
microsecond, at a cost that hardly depends on how many rows there are. Text and not SQL functions: Citus plans no
function that reads a distributed table. Moments are computed here and written as literals, so that TimescaleDB leaves
chunks out while planning.
"""

from datetime import datetime, timedelta

from analytics import engine
from analytics.filters import BUCKET_ORIGIN, Filters
from analytics.rollups import (
    AGENTS,
    CALLS,
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
    return united(filters, LATENCY, bucket)


def users(filters: Filters, *columns: str) -> str:
    """Calls and cost by user_id, and by agent_id where `columns` ask for it, of the calls that name a user."""
    rollup = USERS if not {*columns, *narrowed_by(filters)} & {"agent_id"} else USER_AGENTS
    return united(filters, rollup, ANY)


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
    first_hour, last_hour = ceiling(start, HOUR), floor(end, HOUR)
    if not widths or first_hour > last_hour:
        return [(None, start, end, "true")]
    workspace = filters.workspace_id
    until = last_hour if widths == [HOUR] else days_until or engine.days_until(workspace)[workspace]
    found: list[Piece] = [(None, start, first_hour, "true"), *whole(widths, first_hour, last_hour, until)]
    if last_hour < end:
        # Most windows end now: with no row behind it, the hour that has begun is read whole.
        next_hour = last_hour + HOUR.length
        rows_behind = ROWS_BETWEEN.format(workspace, literal(end), literal(next_hour))
        found += [(HOUR, last_hour, next_hour, f"NOT {rows_behind}"), (None, last_hour, end, rows_behind)]
    return [piece for piece in found if piece[1] < piece[2]]


def whole(widths: list[Width], start: datetime, end: datetime, until: datetime) -> list[Piece]:
    """Of the widest that fit, with narrower ones on both sides. Those summed from hours end at `until`."""
    *narrower, widest = widths
    if not narrower:
        return [(widest, start, end, "true")]
    first, last = ceiling(start, widest), floor(min(end, until), widest)
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
