"""The rollups of `traces`, and the statements that keep them equal to its rows on PostgreSQL and Citus.

Each rollup is a table by hour, one by day, and one by week where a bucket has many keys. A row that arrives is counted
in its hour at once, and in its day and week only once that day is closed: the writer closes the days before the newest
one it sees, by summing their hours. So a row that arrives in time costs one upsert a rollup, and a late one is in all
its tables, at once.
"""

from datetime import timedelta
from typing import NamedTuple

from ingest.rows import CALL_OPERATIONS


class Width(NamedTuple):
    name: str
    interval: str
    """As SQL. Hours, for days are shorter or longer where a time zone changes its clocks."""
    length: timedelta


HOUR = Width("hourly", "1 hour", timedelta(hours=1))
DAY = Width("daily", "24 hours", timedelta(days=1))
WEEK = Width("weekly", "168 hours", timedelta(days=7))


class Rollup(NamedTuple):
    name: str
    keys: tuple[str, ...]
    measures: dict[str, str]
    """What one row of `traces` counts for."""
    counted: str = "true"
    """Which rows it holds."""
    calls_only: bool = False
    """Holds model calls only and does not tell their operation: one upsert for each user, not for each operation."""
    widths: tuple[Width, ...] = (HOUR, DAY)
    """The narrowest first."""

    def table(self, width: Width) -> str:
        return f"{self.name}_{width.name}"

    @property
    def hourly(self) -> str:
        return self.table(HOUR)

    @property
    def tables(self) -> dict[Width, str]:
        return {width: self.table(width) for width in self.widths}

    @property
    def summed(self) -> dict[Width, str]:
        """The tables that are summed from hours."""
        return {width: self.table(width) for width in self.widths if width != HOUR}

    @property
    def held(self) -> str:
        return f"{self.counted} AND operation IN {CALL_OPERATIONS}" if self.calls_only else self.counted


AMOUNTS = {
    "calls": "1",
    "errors": "(status <> 'success')::integer",
    "timed_calls": "(latency_ms IS NOT NULL)::integer",
    "latency_ms": "coalesce(latency_ms, 0)",
    "priced_calls": "(cost_usd IS NOT NULL)::integer",
    "cost_usd": "coalesce(cost_usd, 0)",
    "input_tokens": "coalesce(input_tokens, 0)",
    "output_tokens": "coalesce(output_tokens, 0)",
}
COUNT = {"calls": "1"}
ZERO_LATENCY_BUCKET = -100_000
"""Of latency_bucket(0): below every other."""

TOTALS = Rollup("totals", ("operation", "status"), AMOUNTS)
MODELS = Rollup("models", ("operation", "provider", "model"), AMOUNTS)
AGENTS = Rollup("agents", ("operation", "agent_id"), AMOUNTS)
CALLS = Rollup("calls", ("operation", "agent_id", "provider", "model", "status", "error_type"), AMOUNTS)
LATENCY = Rollup("latency", ("operation", "latency_bucket"), COUNT, "latency_ms IS NOT NULL")
USERS = Rollup(
    "users",
    ("user_id",),
    {name: AMOUNTS[name] for name in ("calls", "priced_calls", "cost_usd")},
    "user_id IS NOT NULL",
    calls_only=True,
    widths=(HOUR, DAY, WEEK),
)
FAILURES = Rollup(
    "failures",
    ("status", "error_type", "user_id"),
    COUNT,
    "status <> 'success' AND user_id IS NOT NULL",
    calls_only=True,
    widths=(HOUR, DAY, WEEK),
)
ROLLUPS = (TOTALS, MODELS, AGENTS, CALLS, LATENCY, USERS, FAILURES)
TABLES = tuple(table for rollup in ROLLUPS for table in rollup.tables.values())

COUNTED = (
    "workspace_id",
    "timestamp",
    "operation",
    "agent_id",
    "provider",
    "model",
    "status",
    "error_type",
    "user_id",
    "latency_ms",
    "cost_usd",
    "input_tokens",
    "output_tokens",
)
SOURCE = ", ".join((*COUNTED, "latency_bucket(latency_ms) AS latency_bucket"))
"""What a rollup is made from, beside `sign`: -1 takes a row away, 1 adds it."""


def upsert(rollup: Rollup, table: str, source: str, bucket: str, sums: dict[str, str], where: str) -> str:
    """Every writer takes its locks in the order of the key."""
    keys = ("workspace_id", "bucket", *rollup.keys)
    key, places = ", ".join(keys), ", ".join(str(place) for place in range(1, len(keys) + 1))
    added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in sums)
    return f"""
    INSERT INTO {table} ({key}, {", ".join(sums)})
    SELECT workspace_id, {bucket} AS bucket, {", ".join(rollup.keys)}, {", ".join(sums.values())}
    FROM {source}
    WHERE {where}
    GROUP BY {places}
    ORDER BY {places}
    ON CONFLICT ({key}) DO UPDATE SET {added}"""  # noqa: S608 (built from the names above, never from input)


def counted(rollup: Rollup, width: Width, source: str, closed: str = "") -> str:
    """Counts rows of `source`, which has SOURCE and `sign`."""
    sums = {name: f"sum(sign * {value})" for name, value in rollup.measures.items()}
    bucket = f"time_bucket('{width.interval}', timestamp)"
    return upsert(rollup, rollup.table(width), source, bucket, sums, rollup.held + closed)


def kept_by(source: str, may_be_late: bool = True) -> str:
    """As parts of a WITH: the hours of all rows, the days and weeks of those whose day is closed.

    Where no row is late, leaving those out saves the planner half of its work, which small batches feel.
    """
    closed = " AND timestamp < %(closed_before)s"
    parts = {rollup.hourly: counted(rollup, HOUR, source) for rollup in ROLLUPS}
    if may_be_late:
        parts |= {
            table: counted(rollup, width, source, closed)
            for rollup in ROLLUPS
            for width, table in rollup.summed.items()
        }
    return ",".join(f"\n{table}_kept AS ({statement}\n)" for table, statement in parts.items())


def sums_of_hours(source: str, where: str) -> dict[str, str]:
    """By table, the statement that adds the hours where `where` holds; `source` is what comes after their table."""
    return {
        table: upsert(
            rollup,
            table,
            f"{rollup.hourly}{source}",
            f"time_bucket('{width.interval}', bucket)",
            {name: f"sum({name})" for name in rollup.measures},
            where,
        )
        for rollup in ROLLUPS
        for width, table in rollup.summed.items()
    }


CLOSED_BEFORE = "SELECT closed_before FROM closed_days WHERE workspace_id = %(workspace_id)s"

OLDEST_OPEN = """
SELECT min(bucket)
FROM totals_hourly
WHERE workspace_id = %(workspace_id)s AND bucket >= %(closed_before)s AND bucket < %(day)s
"""

NEWLY_CLOSED = "workspace_id = %(workspace_id)s AND bucket >= %(closed_before)s AND bucket < %(day)s"
CLOSE = f"""
WITH {",".join(f"{table}_kept AS ({statement})" for table, statement in sums_of_hours("", NEWLY_CLOSED).items())}
INSERT INTO closed_days (workspace_id, closed_before)
VALUES (%(workspace_id)s, %(day)s)
ON CONFLICT (workspace_id) DO UPDATE SET closed_before = excluded.closed_before
"""  # noqa: S608 (built from the names above, never from input)
"""Closes the hours from `closed_before` up to `day`, or to an hour before it."""


STORED = f"(SELECT {SOURCE}, 1 AS sign FROM traces) AS stored"  # noqa: S608
FILL = (
    """
    INSERT INTO closed_days (workspace_id, closed_before)
    SELECT workspace_id, time_bucket('24 hours', max(timestamp))
    FROM traces
    GROUP BY workspace_id
    """,
    *(counted(rollup, HOUR, STORED) for rollup in ROLLUPS),
    *sums_of_hours(" JOIN closed_days USING (workspace_id)", "bucket < closed_before").values(),
)
"""Every rollup from all rows there are, into empty tables."""
