"""The rollups of `traces`, as data.

A rollup is a table of sums for each of its widths: one row for each bucket of time and each combination of its keys.
Metrics read rollups instead of rows, so the cost of an answer hardly depends on how many rows there are.

On PostgreSQL and Citus, a row that is stored is added to the narrowest buckets at once. The wider ones are filled
hour by hour: when a batch brings a row of ten minutes into the next hour, its hour is closed, which sums its narrowest
buckets into the wider ones. `rollup_state.filled_until` is where the open hours begin. A late row, which belongs to a
closed hour, is added to all its buckets at once. On TimescaleDB each table is a continuous aggregate, which the
database fills.

The rollups that answer filtered questions would cost the writer more than storing the row does. They are followers:
the worker fills them, some minutes after the rows were stored, from `rollup_state.followed_since` up to
`rollup_state.followed_until`. What comes later is read from rows. Whoever changes a row of that time changes them too.

`statements.py` makes the SQL from this catalogue, and `python -m traces.rollups` writes it to `sql/`.
"""

from datetime import timedelta
from typing import Any, NamedTuple

from traces.row import CALL_OPERATIONS, COST_COLUMNS, TOOL_OPERATION


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
    """It holds model calls only. Most such rollups have no key `operation`, so each user has one row."""
    is_follower: bool = False
    """The worker fills it behind the writers."""
    widths: tuple[Width, ...] = (HOUR, DAY)
    """From the narrowest to the widest."""
    packed: str | None = None
    """A key with many values, whose calls are the only measure. On PostgreSQL a row has an array with the calls of each
    value, instead of a row for each of them: a tenth of the size. Such a rollup is a follower."""

    def table(self, width: Width) -> str:
        return f"{self.name}_{width.name}"

    @property
    def tables(self) -> dict[Width, str]:
        return {width: self.table(width) for width in self.widths}

    @property
    def aggregates(self) -> dict[Width, str]:
        """Returns the tables that TimescaleDB has as continuous aggregates: each costs it a refresh every minute."""
        return {
            width: table for width, table in self.tables.items() if not self.is_follower or width.length >= HOUR.length
        }

    @property
    def row_keys(self) -> tuple[str, ...]:
        """Returns the keys but the packed one. On PostgreSQL each combination of them has one row."""
        return tuple(key for key in self.keys if key != self.packed)

    @property
    def narrowest(self) -> str:
        return self.table(self.widths[0])

    @property
    def wider_tables(self) -> dict[Width, str]:
        return {width: self.table(width) for width in self.widths[1:]}

    @property
    def is_filled_by_inserts(self) -> bool:
        """Returns whether inserts add to the narrowest buckets."""
        return not self.is_follower and self.widths[0].length <= HOUR.length

    @property
    def is_of_labels(self) -> bool:
        """Returns whether it has a row for each label of a row of `traces`."""
        return LABEL in self.keys

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
TOKEN_COLUMNS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
SQUARES = {
    "squared_latency": "coalesce(latency_ms * latency_ms, 0)",
    "squared_cost": "coalesce(cost_usd * cost_usd, 0)",
}
"""The sums of squares, from which the spread of latency and cost follows. Milliseconds and dollars, squared."""
FULL_MEASURES = ALL_MEASURES | {name: f"coalesce({name}, 0)" for name in TOKEN_COLUMNS} | SQUARES
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
# Written so that the index of users does not know it: the planner would read the rows of all users by that index, which
# takes five times as long as reading them in the order of time.
HAS_USER = "coalesce(user_number, -1) >= 0"
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

HISTOGRAM = "histogram"
"""The column of a packed rollup: first the values of its packed key, then the calls of each. See `unpacked_sql`."""
LABEL = "label_number"
"""The key of a label: the number of its name and value, see `traces/labels.py`. A row has many."""
IS_CALL = f"operation IN {CALL_OPERATIONS}"
HAS_LATENCY, HAS_FIRST_TOKEN = "latency_ms IS NOT NULL", "first_token_ms IS NOT NULL"


def follower(name: str, keys: tuple[str, ...], measures: dict[str, str], **options: Any) -> Rollup:
    return Rollup(name, keys, measures, is_follower=True, **options)


def packed_follower(name: str, *keys: str, packed: str, where: str, **options: Any) -> Rollup:
    return follower(name, (*keys, packed), CALL_COUNT, where=where, packed=packed, **options)


def latency_follower(name: str, *keys: str, **options: Any) -> Rollup:
    return packed_follower(name, *keys, "operation", packed="latency_bucket", where=HAS_LATENCY, **options)


def first_token_follower(name: str, *keys: str, **options: Any) -> Rollup:
    return packed_follower(name, *keys, "operation", packed="first_token_bucket", where=HAS_FIRST_TOKEN, **options)


def users_follower(name: str, *keys: str) -> Rollup:
    return follower(
        name,
        (*keys, "user_number"),
        CALLS_AND_COST,
        where=HAS_USER,
        calls_only=True,
        widths=(HOUR, DAY, WEEK),
    )


PLACE = ("environment", "release")
PLACES = follower("places", ("operation", *PLACE, "status"), FULL_MEASURES, widths=UP_TO_DAYS)
PLACE_CALLS = follower(
    "place_calls", (*PLACE, "operation", "agent_id", "provider", "model", "status", "error_type"), FULL_MEASURES
)
PLACE_AGENTS = follower("place_agents", (*PLACE, "operation", "agent_id"), FULL_MEASURES, widths=UP_TO_DAYS)
PLACE_MODELS = follower("place_models", (*PLACE, "operation", "provider", "model"), FULL_MEASURES, widths=UP_TO_DAYS)
AGENT_LATENCY = latency_follower("agent_latency", "agent_id", widths=UP_TO_DAYS)
MODEL_LATENCY = latency_follower("model_latency", "model", "provider", widths=UP_TO_DAYS)
PLACE_LATENCY = latency_follower("place_latency", *PLACE, widths=UP_TO_DAYS)
STATUS_LATENCY = latency_follower("status_latency", "status", "error_type", widths=UP_TO_DAYS)
ALL_KEYS = (*PLACE, "agent_id", "provider", "model", "status", "error_type")
PLACE_CALL_LATENCY = latency_follower("place_call_latency", *ALL_KEYS)
FIRST_TOKEN = first_token_follower("first_token", widths=UP_TO_DAYS)
AGENT_FIRST_TOKEN = first_token_follower("agent_first_token", "agent_id", widths=UP_TO_DAYS)
MODEL_FIRST_TOKEN = first_token_follower("model_first_token", "model", "provider", widths=UP_TO_DAYS)
PLACE_FIRST_TOKEN = first_token_follower("place_first_token", *PLACE, widths=UP_TO_DAYS)
STATUS_FIRST_TOKEN = first_token_follower("status_first_token", "status", "error_type", widths=UP_TO_DAYS)
PLACE_CALL_FIRST_TOKEN = first_token_follower("place_call_first_token", *ALL_KEYS)
MODEL_USERS = users_follower("model_users", "model", "provider", "operation")
PLACE_USERS = users_follower("place_users", *PLACE)
STATUS_USERS = users_follower("status_users", "status", "error_type")
USER_MODELS = users_follower("user_models", "model", "provider", "operation", "agent_id")
PLACE_CALL_USERS = packed_follower(
    "place_call_users",
    *ALL_KEYS,
    "operation",
    "user_range",
    packed="user_number",
    where=HAS_USER,
    calls_only=True,
)
"""Under any filters but labels. It has no costs. Users are packed by ranges of a thousand or so: a late row writes its
range anew."""
USER_PLACES = users_follower("user_places", *PLACE, "status", "error_type", "agent_id")
LABEL_TOTALS = follower("label_totals", (LABEL, "operation", "status"), FULL_MEASURES)
LABEL_CALLS = follower(
    "label_calls",
    (LABEL, "operation", "agent_id", "provider", "model", *PLACE, "status", "error_type"),
    FULL_MEASURES,
)
LABEL_LATENCY = latency_follower("label_latency", LABEL)
LABEL_FIRST_TOKEN = first_token_follower("label_first_token", LABEL)
LABEL_USERS = users_follower("label_users", LABEL, "agent_id")
TOOL_MEASURES = {name: MEASURES[name] for name in ("calls", "errors", "timed_calls", "latency_ms")}
IS_TOOL_CALL = f"operation = '{TOOL_OPERATION}'"
SPAN_KEYS = ("operation", "provider", "model")
"""Hardly any tool call has a model: these keys cost nothing, and answer a filter that leaves nothing."""
TOOLS = follower(
    "tools", ("tool", "agent_id", *PLACE, "status", "error_type", *SPAN_KEYS), TOOL_MEASURES, where=IS_TOOL_CALL
)


def tool_latency_follower(name: str, *keys: str, **options: Any) -> Rollup:
    where = f"{IS_TOOL_CALL} AND {HAS_LATENCY}"
    return packed_follower(name, *keys, "tool", packed="latency_bucket", where=where, **options)


TOOL_LATENCY = tool_latency_follower("tool_latency", *SPAN_KEYS, widths=UP_TO_DAYS)
TOOL_AGENT_LATENCY = tool_latency_follower("tool_agent_latency", "agent_id", widths=UP_TO_DAYS)
TOOL_PLACE_LATENCY = tool_latency_follower("tool_place_latency", *PLACE, widths=UP_TO_DAYS)
TOOL_STATUS_LATENCY = tool_latency_follower("tool_status_latency", "status", "error_type", widths=UP_TO_DAYS)
LABEL_TOOLS = follower("label_tools", (LABEL, "tool"), TOOL_MEASURES, where=IS_TOOL_CALL)
LABEL_TOOL_LATENCY = tool_latency_follower("label_tool_latency", LABEL)


def user_errors_follower(name: str, *keys: str) -> Rollup:
    return follower(
        name,
        (*keys, "user_number"),
        CALL_COUNT,
        where=f"{HAS_FAILED} AND {HAS_USER}",
        calls_only=True,
        widths=(HOUR, DAY, WEEK),
    )


USER_ERRORS = user_errors_follower("user_errors", "status", "error_type", "agent_id")
USER_FAILURES = user_errors_follower(
    "user_failures", "status", "error_type", "agent_id", *PLACE, "operation", "provider", "model"
)
LABEL_USER_ERRORS = user_errors_follower("label_user_errors", LABEL, "status", "error_type")
SESSION_MEASURES = {
    "calls": "1",  # spans of any operation
    "model_calls": f"({IS_CALL})::integer",
    "errors": f"({IS_CALL} AND {HAS_FAILED})::integer",
    "priced_calls": MEASURES["priced_calls"],
    "cost_usd": MEASURES["cost_usd"],
    "input_tokens": MEASURES["input_tokens"],
    "output_tokens": MEASURES["output_tokens"],
    "traces": "(parent_span_id IS NULL)::integer",
    "duration_ms": "CASE WHEN parent_span_id IS NULL THEN coalesce(latency_ms, 0) ELSE 0 END",
}
SESSIONS = follower(
    "sessions", ("session_id", "user_number", "agent_id", *PLACE), SESSION_MEASURES, where="session_id IS NOT NULL"
)
SESSION_TOTALS = follower("session_totals", ("agent_id", *PLACE), SESSION_MEASURES, where="session_id IS NOT NULL")
FOLLOWERS = (
    *(PLACES, PLACE_AGENTS, PLACE_MODELS, PLACE_CALLS),
    *(AGENT_LATENCY, MODEL_LATENCY, PLACE_LATENCY, STATUS_LATENCY, PLACE_CALL_LATENCY),
    *(FIRST_TOKEN, AGENT_FIRST_TOKEN, MODEL_FIRST_TOKEN, PLACE_FIRST_TOKEN, STATUS_FIRST_TOKEN),
    *(PLACE_CALL_FIRST_TOKEN, PLACE_CALL_USERS),
    *(MODEL_USERS, PLACE_USERS, STATUS_USERS, USER_MODELS, USER_PLACES),
    *(LABEL_TOTALS, LABEL_CALLS, LABEL_LATENCY, LABEL_FIRST_TOKEN, LABEL_USERS, LABEL_USER_ERRORS),
    *(TOOLS, TOOL_LATENCY, TOOL_AGENT_LATENCY, TOOL_PLACE_LATENCY, TOOL_STATUS_LATENCY),
    *(LABEL_TOOLS, LABEL_TOOL_LATENCY),
    *(USER_ERRORS, USER_FAILURES),
    *(SESSIONS, SESSION_TOTALS),
)
CLOSED_ROLLUPS = (*(rollup for _, together in GROUPED_TOGETHER for rollup in together), CALL_LATENCY)
"""The rollups whose wider buckets are filled when an hour is closed."""
ROLLUPS = (*CLOSED_ROLLUPS, *FOLLOWERS)

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

    @property
    def aggregates(self) -> dict[Width, str]:
        return self.tables


USER_SETS = UserSetTable("user_sets", USERS)
FAILURE_SETS = UserSetTable("failure_sets", FAILURES, ("status", "error_type"))
USER_SET_TABLES = (USER_SETS, FAILURE_SETS)

LOST_CALL = ("hour", *USERS.keys, *FAILURE_SETS.keys)
"""Describes a call that is taken away from a user: everything that the sets of users depend on."""

CATALOGUE: tuple[Rollup | UserSetTable, ...] = (*ROLLUPS, *USER_SET_TABLES)
"""All rollups and sets of users. An entry comes after the entry that it is made from."""
ALL_TABLES = tuple(table for entry in CATALOGUE for table in entry.tables.values())
AGGREGATE_TABLES = tuple(table for entry in CATALOGUE for table in entry.aggregates.values())
"""Those of ALL_TABLES that TimescaleDB has."""


def unpacked_sql(rollup: Rollup, source: str) -> str:
    """Returns the rows of a packed rollup for a FROM: each with its packed key, and its calls as `packed_calls`."""
    half = f"cardinality({HISTOGRAM}) / 2"
    parts = f"unnest({HISTOGRAM}[:{half}], {HISTOGRAM}[{half} + 1:])"
    return f"{source}\nCROSS JOIN LATERAL {parts} AS packed ({rollup.packed}, packed_calls)"


def is_same_sql(left: str, right: str) -> str:
    """Returns a condition that two texts are equal or both NULL.

    PostgreSQL can hash it. A join by IS NOT DISTINCT FROM compares each row with each other row.
    """
    return f"coalesce({left}, '') = coalesce({right}, '') AND ({left} IS NULL) = ({right} IS NULL)"


ROW_KEYS = {
    "latency_bucket": "latency_bucket(latency_ms) AS latency_bucket",
    "first_token_bucket": "latency_bucket(first_token_ms) AS first_token_bucket",
    "user_range": "user_number / 1024 AS user_range",
}
"""For each key that is no column of `traces` the SQL that makes it from a row."""

CLOSING_LAG = timedelta(minutes=10)
"""How long after its end an hour is closed.

A span arrives after its end but is timed by its start, so few rows come later.
"""
