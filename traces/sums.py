"""Returns sums of calls over a window, as SQL for the FROM of a query.

This is the only module that decides which rollup a query reads. Budgets and metrics use it. A query reads the smallest
rollup that has every column it needs; if there is none, it reads the rows.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from django.conf import settings

from traces import labels
from traces.bucket_series import bucket_sql
from traces.engines.protocol import RollupState
from traces.filters import LABEL_PREFIX, Filters, LabelScope
from traces.rollups.catalogue import (
    AGENT_FIRST_TOKEN,
    AGENT_LATENCY,
    AGENTS,
    BLOCK_SIZE,
    BLOCK_SQL,
    CALL_COUNT,
    CALL_LATENCY,
    CALLS,
    DAY,
    ERRORS,
    FAILURE_SETS,
    FAILURES,
    FIRST_TOKEN,
    FULL_MEASURES,
    HAS_FAILED,
    HAS_FIRST_TOKEN,
    HAS_LATENCY,
    HOUR,
    LABEL,
    LABEL_CALLS,
    LABEL_FIRST_TOKEN,
    LABEL_LATENCY,
    LABEL_TOOL_LATENCY,
    LABEL_TOOLS,
    LABEL_TOTALS,
    LABEL_USER_ERRORS,
    LABEL_USERS,
    LATENCY,
    MODEL_FIRST_TOKEN,
    MODEL_LATENCY,
    MODEL_USERS,
    MODELS,
    PLACE_AGENTS,
    PLACE_CALL_FIRST_TOKEN,
    PLACE_CALL_LATENCY,
    PLACE_CALL_USERS,
    PLACE_CALLS,
    PLACE_FIRST_TOKEN,
    PLACE_LATENCY,
    PLACE_MODELS,
    PLACE_USERS,
    PLACES,
    SESSION_TOTALS,
    SESSIONS,
    STATUS_FIRST_TOKEN,
    STATUS_LATENCY,
    STATUS_USERS,
    TOOL_AGENT_LATENCY,
    TOOL_LATENCY,
    TOOL_PLACE_LATENCY,
    TOOL_STATUS_LATENCY,
    TOOLS,
    TOTALS,
    USER_AGENTS,
    USER_ERRORS,
    USER_FAILURES,
    USER_MODELS,
    USER_PLACES,
    USER_SETS,
    USERS,
    WEEK,
    Rollup,
    UserSetTable,
    Width,
    is_same_sql,
)
from traces.row import CALL_OPERATIONS
from traces.windows import (
    Segment,
    literal,
    rollup_state,
    segment_sql,
    set_segment_sql,
    split_window,
    union,
    window_sql,
)


def calls_sql(filters: Filters, *columns: str, by_bucket: bool = False, state: RollupState | None = None) -> str:
    """Returns calls by time and by `columns`, which are keys of rollups and names of FULL_MEASURES.

    Each row has the calls from `timestamp` to before `until`; with `by_bucket` all of them are in one bucket of the
    series. A caller that reads the state of many workspaces at once passes `state`.
    """
    filters = with_label_sums(filters)
    measures = {name: FULL_MEASURES[name] for name in columns if name in FULL_MEASURES}
    keys = {*columns} - measures.keys()
    rollup = smallest(CALLS_BY_SIZE, filters, keys, measures) or Rollup("rows", tuple(sorted(keys)), {}, widths=())
    return window_sql(filters, rollup._replace(measures=measures), by_bucket, state)


def tools_sql(filters: Filters, *columns: str, by_bucket: bool = False) -> str:
    """Returns tool calls by time and by `columns`: keys of TOOLS and names of its measures.

    `filters` must have `counts_tools`, and the query needs its parameters.
    """
    measures = {name: TOOLS.measures[name] for name in columns if name in TOOLS.measures}
    filters = with_label_sums(filters)
    rollup = smallest((TOOLS, LABEL_TOOLS), filters, {*columns} - measures.keys()) or TOOLS._replace(widths=())
    return window_sql(filters, rollup._replace(measures=measures), by_bucket)


CALLS_BY_SIZE = (
    *(TOTALS, MODELS, AGENTS, PLACES, PLACE_MODELS, PLACE_AGENTS, CALLS, PLACE_CALLS),
    *(LABEL_TOTALS, LABEL_CALLS),
)
LATENCY_BY_SIZE = (
    *(LATENCY, AGENT_LATENCY, MODEL_LATENCY, PLACE_LATENCY, STATUS_LATENCY, LABEL_LATENCY),
    *(CALL_LATENCY, PLACE_CALL_LATENCY),
)
FIRST_TOKEN_BY_SIZE = (
    *(FIRST_TOKEN, AGENT_FIRST_TOKEN, MODEL_FIRST_TOKEN, PLACE_FIRST_TOKEN, STATUS_FIRST_TOKEN),
    *(LABEL_FIRST_TOKEN, PLACE_CALL_FIRST_TOKEN),
)
USERS_BY_SIZE = (
    *(USERS, USER_AGENTS, PLACE_USERS, STATUS_USERS, MODEL_USERS, USER_MODELS, USER_PLACES),
    LABEL_USERS,
)
ERRORS_BY_SIZE = (ERRORS, CALLS, PLACE_CALLS, LABEL_CALLS)


def smallest(
    rollups: Iterable[Rollup], filters: Filters, keys: Iterable[str] = (), measures: Iterable[str] = ()
) -> Rollup | None:
    """Returns the first rollup with these keys, those of the filters, and these measures. None: rows are read."""
    needed = {*keys, *filters.active_filters}
    are_calls = {*filters.operations} <= {*CALL_OPERATIONS}
    for rollup in rollups:
        if needed <= {*rollup.keys} and {*measures} <= rollup.measures.keys() and (are_calls or not rollup.calls_only):
            return rollup
    return None


def with_label_sums(filters: Filters) -> Filters:
    """Returns the filters with what they need of the rollups by label, if these can answer: for one label filter."""
    names = [name for name in filters.values if name.startswith(LABEL_PREFIX)]
    if filters.label_scope or len(names) != 1 or filters.values[names[0]].excluded:
        return filters
    name, values = names[0].removeprefix(LABEL_PREFIX), filters.values[names[0]].included
    numbers = labels.summed_numbers(filters.workspace_id, name, values, months_of(filters))
    if numbers is None:
        return filters
    condition = f"{LABEL} = ANY(ARRAY[{', '.join(map(str, numbers))}]::bigint[])"
    return replace(filters, label_scope=LabelScope(condition, is_grouped=False))


def grouped_by_label(filters: Filters, name: str) -> Filters | None:
    """Returns the filters for a question by the label with this name: its answers have the column `label_number`.

    Calls without the label are not in them. None: in these months not all labels with this name have numbers.
    """
    numbers = labels.name_range(filters.workspace_id, name, months_of(filters))
    if numbers is None:
        return None
    condition = f"{LABEL} >= {numbers.first} AND {LABEL} < {numbers.until}"
    return replace(filters, label_scope=LabelScope(condition, is_grouped=True))


def months_of(filters: Filters) -> list[date]:
    """Returns the first days of the months (UTC) that the window touches."""
    last = labels.month_of(filters.end - timedelta(microseconds=1))
    months = [labels.month_of(filters.start)]
    while months[-1] < last:
        months.append((months[-1] + timedelta(days=31)).replace(day=1))
    return months


class Histogram(NamedTuple):
    """A duration whose spread is kept as the number of calls in each bucket of an exponential histogram."""

    bucket: str
    """The key."""
    rollups: tuple[Rollup, ...]
    where: str

    def rollup(self, filters: Filters, *columns: str) -> Rollup | None:
        """Returns the rollup that has these keys and knows the filters. None: rows are read."""
        filters = with_label_sums(filters)
        state = rollup_state(filters)
        rollup = self.best_rollup(filters, columns, False, state)
        return rollup if rollup and is_filled(rollup, filters, state) else None

    def sql(self, filters: Filters, *columns: str, by_bucket: bool = False) -> str:
        """Returns calls by time and by this bucket, and by `columns`, which are keys of rollups."""
        rows = Rollup("rows", (*columns, self.bucket), CALL_COUNT, where=self.where, widths=())
        filters, state = with_label_sums(filters), rollup_state(filters)
        rollup = self.best_rollup(filters, columns, by_bucket, state)
        return window_sql(filters, rollup or rows, by_bucket, state)

    def best_rollup(
        self, filters: Filters, columns: Iterable[str], by_bucket: bool, state: RollupState
    ) -> Rollup | None:
        """Returns the rollup to read. Of a time that its follower is not filled for, an older one has the days."""
        fits = [rollup for rollup in self.rollups if not by_bucket or rollup.widths[0].length <= filters.bucket]
        rollup = smallest(fits, filters, columns)
        if rollup is None or is_filled(rollup, filters, state):
            return rollup
        return smallest((other for other in fits if not other.is_follower), filters, columns) or rollup


def is_filled(rollup: Rollup, filters: Filters, state: RollupState) -> bool:
    """Returns whether the rollup has the calls at the start of the window."""
    is_followed = state.followed_since <= filters.start < state.followed_until
    return is_followed or bool(state.aggregates) or not rollup.is_follower


LATENCIES = Histogram("latency_bucket", LATENCY_BY_SIZE, HAS_LATENCY)
FIRST_TOKENS = Histogram("first_token_bucket", FIRST_TOKEN_BY_SIZE, HAS_FIRST_TOKEN)
TOOL_LATENCIES = Histogram(
    "latency_bucket",
    (TOOL_LATENCY, TOOL_STATUS_LATENCY, TOOL_PLACE_LATENCY, TOOL_AGENT_LATENCY, LABEL_TOOL_LATENCY),
    TOOL_LATENCY.where,
)
"""Of tool calls: the filters must have `counts_tools`, and the query needs their parameters."""


def users_sql(filters: Filters, *columns: str, by_bucket: bool = False, state: RollupState | None = None) -> str:
    """Returns calls and cost by time and user_number, and by the keys in `columns`.

    Calls without a user are left out. A caller that reads the state of many workspaces at once passes `state`.
    """
    filters = with_label_sums(filters)
    return window_sql(filters, users_rollup(filters, *columns), by_bucket, state)


def user_totals_sql(filters: Filters) -> str:
    """Returns calls by user_number. Only the sum of a user's rows is right, because some rows are negative."""
    filters = with_label_sums(filters)
    # A retention may have deleted a week while some of its days are still stored.
    stored_since = datetime.now(UTC) - timedelta(days=settings.RETENTION_DAYS)
    # There are many users, so a measure that is not needed would take a third of the time.
    rollup = user_calls_rollup(filters)._replace(measures=CALL_COUNT)
    return window_sql(filters, rollup, may_subtract=filters.start - WEEK.length > stored_since)


def users_rollup(filters: Filters, *columns: str) -> Rollup:
    """Returns the rollup of users that knows these filters; one without tables if there is none: then rows are read."""
    return smallest(USERS_BY_SIZE, filters, columns) or USER_AGENTS._replace(widths=())


def user_calls_rollup(filters: Filters) -> Rollup:
    """Returns the rollup for calls of users without their cost."""
    of_all = () if "user_number" in filters.active_filters else (PLACE_CALL_USERS,)
    return smallest((*USERS_BY_SIZE, *of_all), filters) or users_rollup(filters)


def user_errors_sql(filters: Filters) -> str:
    """Returns failed calls by time, status, error_type, agent_id and user_number. Those without a user are left out."""
    return window_sql(filters, smallest((USER_ERRORS, USER_FAILURES), filters) or USER_ERRORS._replace(widths=()))


def sessions_sql(filters: Filters) -> str:
    """Returns the measures of SESSIONS by time, session_id, user_number, agent_id, environment and release.

    `filters` must have `any_operation`: a session has spans of every operation.
    """
    return window_sql(filters, smallest((SESSIONS,), filters) or SESSIONS._replace(widths=()))


def session_totals_sql(filters: Filters) -> str:
    """Returns the same measures of all sessions together."""
    return window_sql(filters, smallest((SESSION_TOTALS, SESSIONS), filters) or SESSION_TOTALS._replace(widths=()))


def errors_sql(filters: Filters) -> str:
    """Returns failed calls by time, status, error_type and agent_id."""
    filters = with_label_sums(filters)
    return window_sql(filters, smallest(ERRORS_BY_SIZE, filters) or ERRORS._replace(widths=()))


def distinct_users_sql(filters: Filters, by_bucket: bool = False) -> str:
    """Returns the number of users who called, as `users`; with `by_bucket` one for each bucket, by `timestamp`."""
    filters = with_label_sums(filters)
    return distinct_sql(filters, user_calls_rollup(filters), USER_SETS, by_bucket)


def affected_users_sql(filters: Filters, condition: str) -> str:
    """Returns the number of users who had failed calls, as `users`, by status and error_type.

    `condition` selects a few types of errors: each type has sets of users of its own.
    """
    filters = with_label_sums(filters)
    rollup = smallest((FAILURES, USER_ERRORS, USER_FAILURES, LABEL_USER_ERRORS), filters) or FAILURES._replace(
        widths=()
    )
    return distinct_sql(filters, rollup, FAILURE_SETS, by_bucket=False, condition=f"{condition} AND {HAS_FAILED}")


CLOSED_AND_OPEN_HOURS = """(
    SELECT {columns}
    FROM {closed}
    WHERE workspace_id = %(workspace_id)s AND bucket < {filled_until} AND calls > 0{condition}
    UNION ALL
    SELECT {columns}
    FROM {open}
    WHERE workspace_id = %(workspace_id)s AND bucket >= {filled_until} AND calls > 0{condition}
)"""


def operations_sql(filters: Filters) -> str:
    """Returns calls by operation, also those that are no model calls, for the hours that the window touches."""
    hours = " AND bucket >= time_bucket('1 hour', %(start)s) AND bucket < %(end)s"
    return closed_and_open_sql(filters, TOTALS, HOUR, "operation, calls", hours)


NAMED_BY_DAYS = {
    **{"model": MODELS, "provider": MODELS, "agent_id": AGENTS, "operation": TOTALS, "error_type": ERRORS},
    **{"environment": PLACES, "release": PLACES},
}
"""The smallest rollups by day that have these keys."""


def days_of_names_sql(filters: Filters, key: str) -> str:
    """Returns each name of a key in NAMED_BY_DAYS with the days of its calls, over all stored time."""
    return closed_and_open_sql(filters, NAMED_BY_DAYS[key], DAY, f"{key}, time_bucket('{DAY.interval}', bucket) AS day")


def closed_and_open_sql(filters: Filters, rollup: Rollup, width: Width, columns: str, condition: str = "") -> str:
    """Reads buckets of `width` up to the open hours, and from there the narrowest buckets."""
    state = rollup_state(filters)
    return CLOSED_AND_OPEN_HOURS.format(
        columns=columns,
        closed=rollup.table(width),
        open=next(table for table in rollup.tables.values() if state.has_table(table)),
        filled_until=literal(state.filled_until),
        condition=condition,
    )


# A user at the edges of the window is counted only if the sets of its middle do not have the user.
DISTINCT = """(
    WITH middle AS (
        SELECT {bucket_and_keys}, user_block, bit_or(user_bits) AS user_bits
        FROM {sets} AS sets
        WHERE {condition}
        GROUP BY {column_numbers}, user_block
    ), edges AS (
        SELECT DISTINCT {bucket_and_keys}, user_number
        FROM {calls} AS calls
        WHERE {condition}
    ), counts AS (
        SELECT {keys}, bit_count(user_bits) AS users
        FROM middle
        UNION ALL
        SELECT {edge_keys}, count(*) AS users
        FROM edges
        LEFT JOIN middle ON user_block = {block} AND middle.timestamp = edges.timestamp{same_keys}
        WHERE user_bits IS NULL OR get_bit(user_bits, mod(user_number, {block_size})) = 0
        GROUP BY {column_numbers}
    )
    SELECT {keys}, sum(users)::bigint AS users
    FROM counts
    GROUP BY {column_numbers}
)"""

DISTINCT_WITHOUT_SETS = """(
    SELECT {keys}, count(*) AS users
    FROM (
        SELECT DISTINCT {bucket_and_keys}, user_number
        FROM {calls} AS calls
        WHERE {condition}
    ) AS users
    GROUP BY {column_numbers}
)"""


def distinct_sql(
    filters: Filters, rollup: Rollup, user_set: UserSetTable, by_bucket: bool, condition: str = "true"
) -> str:
    """Counts users from the sets of whole buckets, and from narrower buckets and rows at the edges.

    Sets have no columns to filter by. With a filter users are counted from `rollup`, or from rows if `rollup`
    does not have the column.
    """
    active = filters.active_filters
    tables = rollup.tables if active else {rollup.widths[0]: rollup.narrowest} | user_set.tables
    is_known = set(active) <= set(rollup.keys)
    segments = split_window(filters, tables if is_known else {}, by_bucket, is_follower=rollup.is_follower)
    set_widths = () if active else user_set.widths
    middle = [segment for segment in segments if segment.width in set_widths]
    edges = [segment for segment in segments if segment.width not in set_widths]
    timestamp = bucket_sql(filters) if by_bucket else "%(start)s::timestamptz"
    keys = ("timestamp", *user_set.keys)
    empty = Segment(None, filters.start, filters.start)
    return (DISTINCT if middle else DISTINCT_WITHOUT_SETS).format(
        sets=union(set_segment_sql(filters, user_set, segment) for segment in middle),
        calls=union([segment_sql(filters, rollup, segment, has_time=by_bucket) for segment in edges or [empty]]),
        keys=", ".join(keys),
        bucket_and_keys=", ".join((f"{timestamp} AS timestamp", *user_set.keys)),
        edge_keys=", ".join(f"edges.{key}" for key in keys),
        condition=condition,
        same_keys="".join(f" AND {is_same_sql(f'middle.{key}', f'edges.{key}')}" for key in user_set.keys),
        column_numbers=", ".join(str(number) for number in range(1, len(keys) + 1)),
        block=BLOCK_SQL,
        block_size=BLOCK_SIZE,
    )
