"""The rollups of `traces`, and the statements that keep them equal to its rows on PostgreSQL and Citus.

Each rollup has a table for each of its widths. A row that arrives is counted in the narrowest at once, and in the
wider ones only once its hour is closed: the writer closes the hours that ended some time before the newest row it sees,
by summing their narrowest buckets. So a row that arrives in time costs one upsert a rollup, a late one is in all
tables at once, and the day and week that have begun hold all their hours that are closed.
"""

from datetime import timedelta
from typing import NamedTuple

from traces.row import CALL_OPERATIONS


class Width(NamedTuple):
    name: str
    interval: str
    """As SQL. Hours, for days are shorter or longer where a time zone changes its clocks."""
    length: timedelta


MINUTE = Width("minutely", "1 minute", timedelta(minutes=1))
TEN_MINUTES = Width("ten_minutely", "10 minutes", timedelta(minutes=10))
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
    def tables(self) -> dict[Width, str]:
        return {width: self.table(width) for width in self.widths}

    @property
    def narrowest(self) -> str:
        return self.table(self.widths[0])

    @property
    def is_counted_at_once(self) -> bool:
        """Without, its days are counted from rows, hour by hour as they are closed."""
        return self.widths[0].length <= HOUR.length

    @property
    def summed(self) -> dict[Width, str]:
        """The tables that are summed from the narrowest, as hours are closed."""
        return {width: self.table(width) for width in self.widths[1:]}

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
AGENTS = Rollup("agents", ("operation", "agent_id"), AMOUNTS, widths=(TEN_MINUTES, HOUR, DAY))
CALLS = Rollup("calls", ("operation", "agent_id", "provider", "model", "status", "error_type"), AMOUNTS)
LATENCY = Rollup(
    "latency",
    ("operation", "latency_bucket"),
    COUNT,
    "latency_ms IS NOT NULL",
    widths=(TEN_MINUTES, HOUR, DAY),
)
CALL_LATENCY = Rollup(
    "call_latency",
    ("operation", "agent_id", "provider", "model", "latency_bucket"),
    COUNT,
    "latency_ms IS NOT NULL",
    widths=(DAY,),
)
OF_USERS = {name: AMOUNTS[name] for name in ("calls", "priced_calls", "cost_usd")}
NAMED = "user_number IS NOT NULL"
UP_TO_WEEKS = (TEN_MINUTES, HOUR, DAY, WEEK)
USERS = Rollup("users", ("user_number",), OF_USERS, NAMED, calls_only=True, widths=UP_TO_WEEKS)
USER_AGENTS = Rollup("user_agents", ("user_number", "agent_id"), OF_USERS, NAMED, calls_only=True, widths=UP_TO_WEEKS)
FAILURES = Rollup(
    "failures",
    ("status", "error_type", "user_number"),
    COUNT,
    f"status <> 'success' AND {NAMED}",
    calls_only=True,
    widths=(TEN_MINUTES,),
)
ERRORS = Rollup(
    "errors",
    ("status", "error_type", "agent_id"),
    COUNT,
    "status <> 'success'",
    calls_only=True,
    widths=UP_TO_WEEKS,
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

SET_SIZE = 4096
MEMBER = f"set_bit(0::bit({SET_SIZE}), mod(user_number, {SET_SIZE}), 1)"
CHUNK = f"user_number / {SET_SIZE}"


class Sets(NamedTuple):
    """Which users a closed bucket has, a bit each: to tell apart the users of a month takes no more than an OR.

    Users have consecutive numbers in their workspace; a row holds those of one chunk of SET_SIZE numbers.
    """

    name: str
    of: Rollup
    """Whose narrowest buckets say which users there are."""
    keys: tuple[str, ...] = ()
    widths: tuple[Width, ...] = (HOUR, DAY, WEEK)

    def table(self, width: Width) -> str:
        return f"{self.name}_{width.name}"

    @property
    def tables(self) -> dict[Width, str]:
        return {width: self.table(width) for width in self.widths}


USER_SETS = Sets("user_sets", USERS)
FAILURE_SETS = Sets("failure_sets", FAILURES, ("status", "error_type"))
SETS = (USER_SETS, FAILURE_SETS)
KEPT: tuple[Rollup | Sets, ...] = (*ROLLUPS, *SETS)
"""What is made from others comes after them."""
TABLES = tuple(table for kept in KEPT for table in kept.tables.values())

COUNTED = (
    "workspace_id",
    "timestamp",
    "operation",
    "agent_id",
    "provider",
    "model",
    "status",
    "error_type",
    "user_number",
    "latency_ms",
    "cost_usd",
    "input_tokens",
    "output_tokens",
)
SOURCE = ", ".join((*COUNTED, "latency_bucket(latency_ms) AS latency_bucket"))
"""What a rollup is made from, beside `sign`: -1 takes a row away, 1 adds it."""


def upsert(rollup: Rollup, table: str, added: str) -> str:
    """`added` selects the key and the measures. Every writer takes its locks in the order of the key."""
    return merged(table, rollup.keys, {name: f"{table}.{name} + excluded.{name}" for name in rollup.measures}, added)


def merged(table: str, keys: tuple[str, ...], measures: dict[str, str], added: str) -> str:
    key, places = (
        ", ".join(("workspace_id", "bucket", *keys)),
        ", ".join(str(place + 1) for place in range(len(keys) + 2)),
    )
    changes = ", ".join(f"{name} = {value}" for name, value in measures.items())
    return f"""
    INSERT INTO {table} ({key}, {", ".join(measures)})
    {added}
    ORDER BY {places}
    ON CONFLICT ({key}) DO UPDATE SET {changes}"""


def grouped(keys: tuple[str, ...], bucket: str, measures: dict[str, str], source: str, where: str) -> str:
    columns = (
        "workspace_id",
        f"{bucket} AS bucket",
        *keys,
        *(f"{value} AS {name}" for name, value in measures.items()),
    )
    places = ", ".join(str(place + 1) for place in range(len(keys) + 2))
    return f"""SELECT {", ".join(columns)}
    FROM {source}
    WHERE {where}
    GROUP BY {places}"""  # noqa: S608 (built from the names above, never from input)


def of_rows(rollup: Rollup, width: Width, source: str, where: str = "") -> str:
    """`source` has SOURCE and `sign`."""
    sums = {name: f"sum(sign * {value})" for name, value in rollup.measures.items()}
    return grouped(rollup.keys, f"time_bucket('{width.interval}', timestamp)", sums, source, rollup.held + where)


def summed(rollup: Rollup, width: Width, source: str, where: str) -> str:
    """`source` has narrower buckets, of this rollup or of one that knows more."""
    sums = {name: f"sum({name})" for name in rollup.measures}
    bucket = f"time_bucket('{width.interval}', bucket)"
    return upsert(rollup, rollup.table(width), grouped(rollup.keys, bucket, sums, source, where))


def joined_sets(sets: Sets, width: Width, source: str, where: str) -> str:
    """`source` has narrower buckets that know the users' numbers."""
    table, bucket = sets.table(width), f"time_bucket('{width.interval}', bucket)"
    keys = (*sets.keys, f"{CHUNK} AS chunk")
    members = grouped(keys, bucket, {"users": f"bit_or({MEMBER})"}, source, f"{where} AND calls > 0")
    return merged(table, (*sets.keys, "chunk"), {"users": f"{table}.users | excluded.users"}, members)


def kept_by(source: str, may_be_late: bool = True) -> str:
    """As parts of a WITH: the narrowest buckets of all rows, the wider ones of those whose hour is closed.

    Where no row is late, leaving those out saves half of the statement. A set only ever gains users here: RECOUNTED
    is for the rows that are taken away.
    """
    parts: dict[str, str] = {}
    for finest, together in COUNTED_TOGETHER:
        groups = f"{finest.name}_of_rows"
        narrowest = min((rollup.widths[0] for rollup in together), key=lambda width: width.length)
        parts[groups] = of_rows(finest, narrowest, source)
        for rollup in together:
            is_done = (rollup, rollup.widths[0]) == (finest, narrowest)
            kept = upsert(rollup, rollup.narrowest, f"SELECT * FROM {groups}")  # noqa: S608 (a name from above)
            parts[f"{rollup.narrowest}_kept"] = kept if is_done else summed(rollup, rollup.widths[0], groups, "true")
            for width, table in rollup.summed.items() if may_be_late else ():
                parts[f"{table}_kept"] = summed(rollup, width, groups, LATE)
        for sets in SETS if may_be_late else ():
            for width, table in sets.tables.items() if sets.of in together else ():
                parts[f"{table}_kept"] = joined_sets(sets, width, groups, LATE)
    if may_be_late:
        days = of_rows(CALL_LATENCY, DAY, source, " AND timestamp < %(closed_before)s")
        parts[f"{CALL_LATENCY.narrowest}_kept"] = upsert(CALL_LATENCY, CALL_LATENCY.narrowest, days)
    return ",".join(f"\n{name} AS ({statement}\n)" for name, statement in parts.items())


LATE = "bucket < %(closed_before)s"


def closing(where: str, joined: str = "") -> dict[str, str]:
    """By table, the statement that adds what is in narrow buckets, or in rows, for whose {moment} `where` holds."""
    of_buckets = {
        table: summed(rollup, width, f"{rollup.narrowest}{joined}", where.format(moment="bucket"))
        for rollup in ROLLUPS
        for width, table in rollup.summed.items()
    }
    of_users = {
        table: joined_sets(sets, width, f"{sets.of.narrowest}{joined}", where.format(moment="bucket"))
        for sets in SETS
        for width, table in sets.tables.items()
    }
    days = of_rows(CALL_LATENCY, DAY, f"{STORED}{joined}", f" AND {where.format(moment='timestamp')}")
    return of_buckets | of_users | {CALL_LATENCY.narrowest: upsert(CALL_LATENCY, CALL_LATENCY.narrowest, days)}


STORED = f"(SELECT {SOURCE}, 1 AS sign FROM traces) AS stored"  # noqa: S608
CLOSED_BEFORE = "SELECT closed_before FROM closed_hours WHERE workspace_id = %(workspace_id)s"

OLDEST_OPEN = """
SELECT time_bucket('1 hour', min(bucket))
FROM totals_minutely
WHERE workspace_id = %(workspace_id)s AND bucket >= %(closed_before)s AND bucket < %(until)s
"""

NEWLY_CLOSED = "workspace_id = %(workspace_id)s AND {moment} >= %(closed_before)s AND {moment} < %(until)s"
CLOSE = f"""
WITH {",".join(f"{table}_kept AS ({statement})" for table, statement in closing(NEWLY_CLOSED).items())}
INSERT INTO closed_hours (workspace_id, closed_before)
VALUES (%(workspace_id)s, %(until)s)
ON CONFLICT (workspace_id) DO UPDATE SET closed_before = excluded.closed_before
"""  # noqa: S608 (built from the names above, never from input)
"""Closes the hours from `closed_before` up to `until`."""


def recounted(sets: Sets, width: Width) -> str:
    """The sets of the buckets that `hours` lie in, from what is narrower: also without users who have no call left."""
    table, place = sets.table(width), sets.widths.index(width)
    if place:
        source, chunk, members, held = sets.table(sets.widths[place - 1]), "chunk", "bit_or(users)", "true"
    else:
        source, chunk, members = sets.of.narrowest, CHUNK, f"bit_or({MEMBER})"
        held = "calls > 0 AND bucket < %(closed_before)s"
    keys = "".join(f"{key}, " for key in sets.keys)
    places = ", ".join(str(place + 1) for place in range(len(sets.keys) + 2))
    same = "".join(f" AND counted.{key} IS NOT DISTINCT FROM {table}.{key}" for key in sets.keys)
    touched = f"""SELECT DISTINCT time_bucket('{width.interval}', hour) AS begins
        FROM unnest(%(hours)s::timestamptz[]) AS hour"""  # noqa: S608 (as below)
    return f"""
    WITH counted AS MATERIALIZED (
        SELECT begins, {keys}{chunk} AS chunk, {members} AS users
        FROM ({touched}) AS touched
        JOIN {source} ON bucket >= begins AND bucket < begins + interval '{width.interval}'
        WHERE workspace_id = %(workspace_id)s AND {held}
        GROUP BY {places}
    )
    UPDATE {table}
    SET users = coalesce((
        SELECT counted.users
        FROM counted
        WHERE begins = {table}.bucket AND counted.chunk = {table}.chunk{same}
    ), 0::bit({SET_SIZE}))
    WHERE workspace_id = %(workspace_id)s
        AND bucket = ANY(ARRAY({touched}))"""  # noqa: S608 (built from the names above, never from input)


RECOUNTED = tuple(recounted(sets, width) for sets in SETS for width in sets.widths)
"""After rows were taken away from closed hours."""

CLOSING_LAG = timedelta(minutes=10)
"""A row is of the moment its span began and comes once it has ended: so long after an hour, few more of it do."""

FILL = (
    f"""
    INSERT INTO closed_hours (workspace_id, closed_before)
    SELECT workspace_id, time_bucket('1 hour', max(timestamp) - interval '{CLOSING_LAG.seconds} seconds')
    FROM traces
    GROUP BY workspace_id
    """,  # noqa: S608
    *(
        upsert(rollup, rollup.narrowest, of_rows(rollup, rollup.widths[0], STORED))
        for rollup in ROLLUPS
        if rollup.is_counted_at_once
    ),
    *closing("{moment} < closed_before", " JOIN closed_hours USING (workspace_id)").values(),
)
"""Every rollup, from all rows there are."""
