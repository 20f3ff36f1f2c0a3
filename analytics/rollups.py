"""The rollups of `traces`, and the statements that keep them equal to its rows on PostgreSQL and Citus.

Each rollup is a table by hour, one by day, one by minute where a bucket has few keys, and one by week where it has
many. A row that arrives is counted in its minute and hour at once, and in its day and week only once that day is
closed: the writer closes the days before the newest one it sees, by summing their hours. So a row that arrives in time
costs an upsert or two a rollup, and a late one is in all its tables, at once.
"""

from datetime import timedelta
from operator import attrgetter
from typing import NamedTuple

from ingest.rows import CALL_OPERATIONS


class Width(NamedTuple):
    name: str
    interval: str
    """As SQL. Hours, for days are shorter or longer where a time zone changes its clocks."""
    length: timedelta


MINUTE = Width("minutely", "1 minute", timedelta(minutes=1))
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
    def daily(self) -> str:
        return self.table(DAY)

    @property
    def tables(self) -> dict[Width, str]:
        return {width: self.table(width) for width in self.widths}

    @property
    def counted_at_once(self) -> dict[Width, str]:
        return {width: self.table(width) for width in self.widths if width.length <= HOUR.length}

    @property
    def summed(self) -> dict[Width, str]:
        """The tables that are summed from hours, once their day is closed."""
        return {width: self.table(width) for width in self.widths if width.length > HOUR.length and self.has_hours}

    @property
    def has_hours(self) -> bool:
        """Without, its days are counted from rows, once they are closed."""
        return HOUR in self.widths

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

TOTALS = Rollup("totals", ("operation", "status"), AMOUNTS, widths=(MINUTE, HOUR, DAY))
MODELS = Rollup("models", ("operation", "provider", "model"), AMOUNTS, widths=(MINUTE, HOUR, DAY))
AGENTS = Rollup("agents", ("operation", "agent_id"), AMOUNTS)
CALLS = Rollup("calls", ("operation", "agent_id", "provider", "model", "status", "error_type"), AMOUNTS)
LATENCY = Rollup("latency", ("operation", "latency_bucket"), COUNT, "latency_ms IS NOT NULL")
CALL_LATENCY = Rollup(
    "call_latency",
    ("operation", "agent_id", "provider", "model", "latency_bucket"),
    COUNT,
    "latency_ms IS NOT NULL",
    widths=(DAY,),
)
OF_USERS = {name: AMOUNTS[name] for name in ("calls", "priced_calls", "cost_usd")}
NAMED = "user_id IS NOT NULL"
USERS = Rollup("users", ("user_id",), OF_USERS, NAMED, calls_only=True, widths=(HOUR, DAY, WEEK))
USER_AGENTS = Rollup("user_agents", ("user_id", "agent_id"), OF_USERS, NAMED, calls_only=True, widths=(HOUR, DAY, WEEK))
FAILURES = Rollup(
    "failures",
    ("status", "error_type", "user_id"),
    COUNT,
    f"status <> 'success' AND {NAMED}",
    calls_only=True,
    widths=(HOUR, DAY, WEEK),
)
ERRORS = Rollup(
    "errors",
    ("status", "error_type", "agent_id"),
    COUNT,
    "status <> 'success'",
    calls_only=True,
    widths=(HOUR, DAY, WEEK),
)
COUNTED_TOGETHER = (
    (CALLS, (TOTALS, MODELS, AGENTS, CALLS)),
    (LATENCY, (LATENCY,)),
    (USER_AGENTS, (USERS, USER_AGENTS)),
    (FAILURES, (FAILURES,)),
    (ERRORS, (ERRORS,)),
)
"""The rows of a batch are grouped by the keys of the first, and the others summed from those few groups."""
ROLLUPS = (*(rollup for _, together in COUNTED_TOGETHER for rollup in together), CALL_LATENCY)
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


def upsert(rollup: Rollup, table: str, added: str) -> str:
    """`added` selects the key and the measures. Every writer takes its locks in the order of the key."""
    keys = ("workspace_id", "bucket", *rollup.keys)
    key, places = ", ".join(keys), ", ".join(str(place) for place in range(1, len(keys) + 1))
    sums = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in rollup.measures)
    return f"""
    INSERT INTO {table} ({key}, {", ".join(rollup.measures)})
    {added}
    ORDER BY {places}
    ON CONFLICT ({key}) DO UPDATE SET {sums}"""


def grouped(rollup: Rollup, bucket: str, sums: dict[str, str], source: str, where: str) -> str:
    columns = ("workspace_id", f"{bucket} AS bucket", *rollup.keys, *(f"{sums[name]} AS {name}" for name in sums))
    places = ", ".join(str(place) for place in range(1, len(rollup.keys) + 3))
    return f"""SELECT {", ".join(columns)}
    FROM {source}
    WHERE {where}
    GROUP BY {places}"""  # noqa: S608 (built from the names above, never from input)


def of_rows(rollup: Rollup, width: Width, source: str, where: str = "") -> str:
    """`source` has SOURCE and `sign`."""
    sums = {name: f"sum(sign * {value})" for name, value in rollup.measures.items()}
    return grouped(rollup, f"time_bucket('{width.interval}', timestamp)", sums, source, rollup.held + where)


def summed(rollup: Rollup, width: Width, source: str, where: str) -> str:
    """`source` has narrower buckets, of this rollup or of one that knows more."""
    sums = {name: f"sum({name})" for name in rollup.measures}
    bucket = f"time_bucket('{width.interval}', bucket)"
    return upsert(rollup, rollup.table(width), grouped(rollup, bucket, sums, source, where))


def kept_by(source: str, may_be_late: bool = True) -> str:
    """As parts of a WITH: the minutes and hours of all rows, the days and weeks of those whose day is closed.

    Where no row is late, leaving those out saves half of the statement.
    """
    parts: dict[str, str] = {}
    for finest, together in COUNTED_TOGETHER:
        groups = f"{finest.name}_of_rows"
        narrowest = min((width for rollup in together for width in rollup.widths), key=attrgetter("length"))
        parts[groups] = of_rows(finest, narrowest, source)
        for rollup in together:
            for width, table in rollup.counted_at_once.items():
                is_done = (rollup, width) == (finest, narrowest)
                kept = upsert(rollup, table, f"SELECT * FROM {groups}")  # noqa: S608 (a name from above)
                parts[f"{table}_kept"] = kept if is_done else summed(rollup, width, groups, "true")
            for width, table in rollup.summed.items() if may_be_late else ():
                parts[f"{table}_kept"] = summed(rollup, width, groups, "bucket < %(closed_before)s")
    if may_be_late:
        days = of_rows(CALL_LATENCY, DAY, source, " AND timestamp < %(closed_before)s")
        parts[f"{CALL_LATENCY.daily}_kept"] = upsert(CALL_LATENCY, CALL_LATENCY.daily, days)
    return ",".join(f"\n{name} AS ({statement}\n)" for name, statement in parts.items())


def closing(where: str, joined: str = "") -> dict[str, str]:
    """By table, the statement that adds what is in hours, or in rows, for whose {moment} `where` holds."""
    of_hours = {
        table: summed(rollup, width, f"{rollup.hourly}{joined}", where.format(moment="bucket"))
        for rollup in ROLLUPS
        for width, table in rollup.summed.items()
    }
    days = of_rows(CALL_LATENCY, DAY, f"{STORED}{joined}", f" AND {where.format(moment='timestamp')}")
    return of_hours | {CALL_LATENCY.daily: upsert(CALL_LATENCY, CALL_LATENCY.daily, days)}


STORED = f"(SELECT {SOURCE}, 1 AS sign FROM traces) AS stored"  # noqa: S608
CLOSED_BEFORE = "SELECT closed_before FROM closed_days WHERE workspace_id = %(workspace_id)s"

OLDEST_OPEN = """
SELECT min(bucket)
FROM totals_hourly
WHERE workspace_id = %(workspace_id)s AND bucket >= %(closed_before)s AND bucket < %(day)s
"""

NEWLY_CLOSED = "workspace_id = %(workspace_id)s AND {moment} >= %(closed_before)s AND {moment} < %(day)s"
CLOSE = f"""
WITH {",".join(f"{table}_kept AS ({statement})" for table, statement in closing(NEWLY_CLOSED).items())}
INSERT INTO closed_days (workspace_id, closed_before)
VALUES (%(workspace_id)s, %(day)s)
ON CONFLICT (workspace_id) DO UPDATE SET closed_before = excluded.closed_before
"""  # noqa: S608 (built from the names above, never from input)
"""Closes the hours from `closed_before` up to `day`, or to an hour before it."""


def fill(rollup: Rollup, width: Width) -> str:
    """A table that is empty, from all rows there are. Those of hours come before those of days."""
    if width in rollup.counted_at_once:
        return upsert(rollup, rollup.table(width), of_rows(rollup, width, STORED))
    return closing("{moment} < closed_before", " JOIN closed_days USING (workspace_id)")[rollup.table(width)]


FILL = (
    """
    INSERT INTO closed_days (workspace_id, closed_before)
    SELECT workspace_id, time_bucket('24 hours', max(timestamp))
    FROM traces
    GROUP BY workspace_id
    """,
    *(fill(rollup, width) for rollup in ROLLUPS for width in rollup.widths),
)
"""Every rollup."""
