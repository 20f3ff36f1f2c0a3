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

NARROWING = ("agent_id", "model", "provider")


def calls(filters: Filters, *columns: str, bucket: timedelta = DAY) -> str:
    """The amounts of AMOUNTS by `columns` and time, from the smallest rollup that knows what is asked for.

    `bucket` is the narrowest series made of it: no wider rollup is read.
    """
    needed = {*columns, *narrowed_by(filters)}
    rollup = next(rollup for rollup in (TOTALS, MODELS, AGENTS, CALLS) if needed <= set(rollup.keys))
    return united(filters, rollup, bucket)


def latency(filters: Filters, bucket: timedelta = DAY) -> str:
    """Calls by latency_bucket and time."""
    return united(filters, LATENCY, bucket)


def users(filters: Filters) -> str:
    """Calls and cost by user_id; only of calls that name one."""
    return united(filters, USERS, DAY)


def failures(filters: Filters) -> str:
    """Failed calls by status, error_type and user_id; only of calls that name a user."""
    return united(filters, FAILURES, DAY)


def narrowed_by(filters: Filters) -> list[str]:
    return [name for name in NARROWING if getattr(filters, name) is not None]


def united(filters: Filters, rollup: Rollup, bucket: timedelta) -> str:
    if not set(narrowed_by(filters)) <= set(rollup.keys):
        bucket = timedelta(0)  # the rollup cannot tell: only the rows can
    parts = [
        part(rollup, table, start, end) + narrowing(filters) for table, start, end in pieces(filters, rollup, bucket)
    ]
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


def part(rollup: Rollup, table: str, start: datetime, end: datetime) -> str:
    if table:
        moment, measures, counted = "bucket", ", ".join(rollup.measures), "calls > 0"
    else:
        moment, counted = "timestamp", rollup.counted
        measures = ", ".join(f"{value} AS {name}" for name, value in rollup.measures.items())
    keys = ", ".join(KEYS_OF_ROWS.get(key, key) if not table else key for key in rollup.keys)
    return f"""SELECT {moment} AS timestamp, {keys}, {measures}
    FROM {table or "traces"}
    WHERE workspace_id = %(workspace_id)s
      AND {moment} >= {literal(start)} AND {moment} < {literal(end)}
      AND {counted}
      AND operation = ANY(%(operations)s)"""  # noqa: S608 (built from names and moments, never from input)


KEYS_OF_ROWS = {"latency_bucket": "latency_bucket(latency_ms) AS latency_bucket"}


def narrowing(filters: Filters) -> str:
    return "".join(f"\n      AND {name} = %({name})s" for name in narrowed_by(filters))


def literal(moment: datetime) -> str:
    return f"timestamptz '{moment.isoformat()}'"


def floor(moment: datetime, width: timedelta) -> datetime:
    return moment - (moment - BUCKET_ORIGIN) % width


def ceiling(moment: datetime, width: timedelta) -> datetime:
    return moment + (BUCKET_ORIGIN - moment) % width
