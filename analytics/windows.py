"""What a window's rows amount to, as tables for the FROM of a metric.

A window is answered from whole days, whole hours and the raw rows of the two hours at its edges: exact to the
microsecond, at a cost that hardly depends on how many rows there are. Text and not SQL functions: Citus plans no
function that reads a distributed table. Moments are computed here and written as literals, so that TimescaleDB leaves
chunks out while planning.
"""

from datetime import datetime, timedelta

from analytics import engine
from analytics.filters import BUCKET_ORIGIN, Filters
from analytics.rollups import AGENTS, CALLS, FAILURES, LATENCY, MODELS, TOTALS, USERS, Rollup

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

NARROWING = ("operation", "agent_id", "model", "provider")
NARROWED = """workspace_id = %(workspace_id)s
      AND timestamp >= %(start)s AND timestamp < %(end)s
      AND operation = ANY(%(operations)s)
      AND (%(agent_id)s::text IS NULL OR agent_id = %(agent_id)s)
      AND (%(model)s::text IS NULL OR model = %(model)s)
      AND (%(provider)s::text IS NULL OR provider = %(provider)s)"""
"""The window's rows of `traces`, for what only they can tell."""


def calls(filters: Filters, *columns: str, bucket: timedelta = DAY) -> str:
    """AMOUNTS by `columns` and time, from the smallest rollup that knows all that is asked for.

    Rows are no finer than `bucket` needs: each stands for the calls from `timestamp` to before `until`.
    """
    needed = {*columns, *narrowed_by(filters)}
    return united(
        filters, next(rollup for rollup in (TOTALS, MODELS, AGENTS, CALLS) if needed <= set(rollup.keys)), bucket
    )


def latency(filters: Filters, bucket: timedelta = DAY) -> str:
    """Calls by latency_bucket and time."""
    return united(filters, LATENCY, bucket)


def users(filters: Filters) -> str:
    """Calls and cost by user_id, of the calls that name one."""
    return united(filters, USERS, DAY)


def failures(filters: Filters) -> str:
    """Failed calls by status, error_type and user_id, of those that name one."""
    return united(filters, FAILURES, DAY)


def narrowed_by(filters: Filters) -> list[str]:
    return [name for name in NARROWING if getattr(filters, name) is not None]


def united(filters: Filters, rollup: Rollup, bucket: timedelta) -> str:
    if not set(narrowed_by(filters)) <= set(rollup.keys):
        bucket = timedelta(0)  # the rollup cannot tell: only the rows can
    parts = [part(filters, rollup, table, start, end) for table, start, end in pieces(filters, rollup, bucket)]
    return "(\n    " + "\n    UNION ALL\n    ".join(parts) + "\n)"


def pieces(filters: Filters, rollup: Rollup, bucket: timedelta) -> list[tuple[str, datetime, datetime]]:
    """Table (empty: raw rows), start and end: no moment twice, none left out."""
    start, end = filters.start, filters.end
    first_hour, last_hour = ceiling(start, HOUR), floor(end, HOUR)
    if bucket < HOUR or first_hour >= last_hour:
        return [("", start, end)]
    first_day = last_day = last_hour
    if bucket >= DAY:
        first_day = min(ceiling(start, DAY), last_hour)
        last_day = max(first_day, min(floor(end, DAY), engine.days_until(filters.workspace_id)))
    found = [
        ("", start, first_hour),
        (rollup.hourly, first_hour, first_day),
        (rollup.daily, first_day, last_day),
        (rollup.hourly, last_day, last_hour),
        ("", last_hour, end),
    ]
    return [piece for piece in found if piece[1] < piece[2]]


def part(filters: Filters, rollup: Rollup, table: str, start: datetime, end: datetime) -> str:
    if table:
        moment, until, counted = "bucket", f"bucket + {WIDTHS[table == rollup.daily]}", "calls > 0"
        keys, measures = ", ".join(rollup.keys), ", ".join(rollup.measures)
    else:
        moment, until, counted = "timestamp", "timestamp + interval '1 microsecond'", rollup.counted
        keys = ", ".join(KEYS_OF_ROWS.get(key, key) for key in rollup.keys)
        measures = ", ".join(f"{value} AS {name}" for name, value in rollup.measures.items())
    narrowed = "".join(f"\n      AND {name} = %({name})s" for name in narrowed_by(filters) if name != "operation")
    if not (table and rollup.calls_only):
        narrowed += "\n      AND operation = ANY(%(operations)s)"
    return f"""SELECT {moment} AS timestamp, {until} AS until, {keys}, {measures}
    FROM {table or "traces"}
    WHERE workspace_id = '{filters.workspace_id}'::uuid
      AND {moment} >= {literal(start)} AND {moment} < {literal(end)}
      AND {counted}{narrowed}"""  # noqa: S608 (built from names, moments and a UUID)


WIDTHS = ("interval '1 hour'", "interval '24 hours'")
KEYS_OF_ROWS = {"latency_bucket": "latency_bucket(latency_ms) AS latency_bucket"}


def literal(moment: datetime) -> str:
    return f"timestamptz '{moment.isoformat()}'"


def floor(moment: datetime, width: timedelta) -> datetime:
    return moment - (moment - BUCKET_ORIGIN) % width


def ceiling(moment: datetime, width: timedelta) -> datetime:
    return moment + (BUCKET_ORIGIN - moment) % width
