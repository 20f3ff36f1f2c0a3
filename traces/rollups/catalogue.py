"""The rollups of `traces`, as data.

A rollup is a table of sums for each of its widths: one row for each bucket of time and each combination of its keys.
Metrics read rollups instead of rows, so the cost of an answer hardly depends on how many rows there are.

On PostgreSQL and Citus, a row that is stored is added to the narrowest buckets at once. The wider ones are filled
hour by hour: when a batch brings a row of ten minutes into the next hour, its hour is closed, which sums its narrowest
buckets into the wider ones. `rollup_state.filled_until` is where the open hours begin. A late row, which belongs to a
closed hour, is added to all its buckets at once. On TimescaleDB each table is a continuous aggregate, which the
database fills.

`statements.py` makes the SQL from this catalogue, and `python -m traces.rollups` writes it to `sql/`.
"""

from datetime import timedelta
from typing import NamedTuple

from traces.row import CALL_OPERATIONS, COST_COLUMNS


class Width(NamedTuple):
    name: str
    interval: str
    """As SQL. A day is 24 hours: in SQL, '1 day' is shorter or longer where a time zone changes its clocks."""
    length: timedelta


MINUTE = Width("minutely", "1 minute", timedelta(minutes=1))
TEN_MINUTES = Width("ten_minutely", "10 minutes", timedelta(minutes=10))
HOUR = Width("hourly", "1 hour", timedelta(hours=1))
DAY = Width("daily", "24 hours", timedelta(days=1))
WEEK = Width("weekly", "168 hours", timedelta(days=7))
UP_TO_DAYS = (TEN_MINUTES, HOUR, DAY)
UP_TO_WEEKS = (TEN_MINUTES, HOUR, DAY, WEEK)


class Rollup(NamedTuple):
    name: str
    keys: tuple[str, ...]
    measures: dict[str, str]
    """For each measure the SQL of the number that one row of `traces` adds."""
    where: str = "true"
    """SQL condition on rows, before the restriction to model calls."""
    calls_only: bool = False
    """It holds model calls only, without the key `operation`: one row for each user, not one for each operation."""
    widths: tuple[Width, ...] = (HOUR, DAY)
    """From the narrowest to the widest."""

    def table(self, width: Width) -> str:
        return f"{self.name}_{width.name}"

    @property
    def tables(self) -> dict[Width, str]:
        return {width: self.table(width) for width in self.widths}

    @property
    def narrowest(self) -> str:
        return self.table(self.widths[0])

    @property
    def wider_tables(self) -> dict[Width, str]:
        return {width: self.table(width) for width in self.widths[1:]}

    @property
    def is_filled_by_inserts(self) -> bool:
        """Returns whether inserts add to the narrowest buckets. Otherwise rows are summed when their hour is closed."""
        return self.widths[0].length <= HOUR.length

    @property
    def where_calls(self) -> str:
        """Returns `where`, restricted to model calls if `calls_only` is set."""
        return f"{self.where} AND operation IN {CALL_OPERATIONS}" if self.calls_only else self.where


MEASURES = {
    "calls": "1",
    "errors": "(status <> 'success')::integer",
    "timed_calls": "(latency_ms IS NOT NULL)::integer",
    "latency_ms": "coalesce(latency_ms, 0)",
    "priced_calls": "(cost_usd IS NOT NULL)::integer",
    "cost_usd": "coalesce(cost_usd, 0)",
    "input_tokens": "coalesce(input_tokens, 0)",
    "output_tokens": "coalesce(output_tokens, 0)",
}
ALL_MEASURES = MEASURES | {name: f"coalesce({name}, 0)" for name in COST_COLUMNS}
"""With the parts of the cost, for the rollups that tell models apart."""
CALL_COUNT = {"calls": MEASURES["calls"]}
CALLS_AND_COST = {name: MEASURES[name] for name in ("calls", "priced_calls", "cost_usd")}
ZERO_LATENCY_BUCKET = -100_000
"""The value of latency_bucket(0), below every other bucket."""

TOTALS = Rollup("totals", ("operation", "status"), MEASURES, widths=(MINUTE, HOUR, DAY))
MODELS = Rollup("models", ("operation", "provider", "model"), ALL_MEASURES, widths=(MINUTE, HOUR, DAY))
AGENTS = Rollup("agents", ("operation", "agent_id"), MEASURES, widths=UP_TO_DAYS)
CALLS = Rollup("calls", ("operation", "agent_id", "provider", "model", "status", "error_type"), ALL_MEASURES)
LATENCY = Rollup(
    "latency", ("operation", "latency_bucket"), CALL_COUNT, where="latency_ms IS NOT NULL", widths=UP_TO_DAYS
)
CALL_LATENCY = Rollup(
    "call_latency",
    ("operation", "agent_id", "provider", "model", "latency_bucket"),
    CALL_COUNT,
    where="latency_ms IS NOT NULL",
    widths=(DAY,),
)
HAS_USER = "user_number IS NOT NULL"
HAS_FAILED = "status <> 'success'"
USERS = Rollup("users", ("user_number",), CALLS_AND_COST, where=HAS_USER, calls_only=True, widths=UP_TO_WEEKS)
USER_AGENTS = Rollup(
    "user_agents", ("user_number", "agent_id"), CALLS_AND_COST, where=HAS_USER, calls_only=True, widths=UP_TO_WEEKS
)
FAILURES = Rollup(
    "failures",
    ("status", "error_type", "user_number"),
    CALL_COUNT,
    where=f"{HAS_FAILED} AND {HAS_USER}",
    calls_only=True,
    widths=(TEN_MINUTES,),
)
ERRORS = Rollup(
    "errors", ("status", "error_type", "agent_id"), CALL_COUNT, where=HAS_FAILED, calls_only=True, widths=UP_TO_WEEKS
)

GROUPED_TOGETHER = (
    (CALLS, (TOTALS, MODELS, AGENTS, CALLS)),
    (LATENCY, (LATENCY,)),
    (USER_AGENTS, (USERS, USER_AGENTS)),
    (FAILURES, (FAILURES,)),
    (ERRORS, (ERRORS,)),
)
"""Groups of rollups whose keys are all among the keys of the first rollup.

An insert groups its rows once, by the keys of the first rollup, and sums the other rollups from these few groups.
"""
ROLLUPS = (*(rollup for _, together in GROUPED_TOGETHER for rollup in together), CALL_LATENCY)

BLOCK_SIZE = 4096
BLOCK_SQL = f"user_number / {BLOCK_SIZE}"
BIT_SQL = f"set_bit(0::bit({BLOCK_SIZE}), mod(user_number, {BLOCK_SIZE}), 1)"


class UserSetTable(NamedTuple):
    """A table of the users of each closed bucket, with one bit for each user.

    The users of a workspace have consecutive numbers. A row has the bits of one block of BLOCK_SIZE numbers. So the
    distinct users of a month are an OR of a few rows, whereas counting distinct names takes time for every user.
    """

    name: str
    source: Rollup
    """The rollup from whose narrowest buckets the users are read."""
    keys: tuple[str, ...] = ()
    widths: tuple[Width, ...] = (HOUR, DAY, WEEK)

    def table(self, width: Width) -> str:
        return f"{self.name}_{width.name}"

    @property
    def tables(self) -> dict[Width, str]:
        return {width: self.table(width) for width in self.widths}


USER_SETS = UserSetTable("user_sets", USERS)
FAILURE_SETS = UserSetTable("failure_sets", FAILURES, ("status", "error_type"))
USER_SET_TABLES = (USER_SETS, FAILURE_SETS)

LOST_CALL = ("hour", *USERS.keys, *FAILURE_SETS.keys)
"""Describes a call that is taken away from a user: everything that the sets of users depend on."""

CATALOGUE: tuple[Rollup | UserSetTable, ...] = (*ROLLUPS, *USER_SET_TABLES)
"""All rollups and sets of users. An entry comes after the entry that it is made from."""
ALL_TABLES = tuple(table for entry in CATALOGUE for table in entry.tables.values())


def is_same_sql(left: str, right: str) -> str:
    """Returns a condition that two texts are equal or both NULL.

    PostgreSQL can hash it. A join by IS NOT DISTINCT FROM compares each row with each other row.
    """
    return f"coalesce({left}, '') = coalesce({right}, '') AND ({left} IS NULL) = ({right} IS NULL)"


ROW_KEYS = {"latency_bucket": "latency_bucket(latency_ms) AS latency_bucket"}
"""For each key that is no column of `traces` the SQL that makes it from a row."""

CLOSING_LAG = timedelta(minutes=10)
"""How long after its end an hour is closed.

A span arrives after its end but is timed by its start, so few rows come later.
"""
