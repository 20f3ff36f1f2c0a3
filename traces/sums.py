"""Returns sums of calls over a window, as SQL for the FROM of a query.

This is the only module that decides which rollup a query reads. Budgets and metrics use it. A query reads the smallest
rollup that has every column it needs; if there is none, it reads the rows.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from django.conf import settings

from traces.bucket_series import bucket_sql
from traces.engines.protocol import RollupState
from traces.filters import Filters
from traces.rollups.catalogue import (
    AGENTS,
    ALL_MEASURES,
    BLOCK_SIZE,
    BLOCK_SQL,
    CALL_COUNT,
    CALL_LATENCY,
    CALLS,
    DAY,
    ERRORS,
    FAILURE_SETS,
    FAILURES,
    HOUR,
    LATENCY,
    MODELS,
    TOTALS,
    USER_AGENTS,
    USER_SETS,
    USERS,
    WEEK,
    Rollup,
    UserSetTable,
    Width,
    is_same_sql,
)
from traces.windows import (
    Segment,
    literal,
    rollup_state,
    segment_sql,
    set_segment_sql,
    split_window,
    table_for,
    union,
    window_sql,
)


def calls_sql(filters: Filters, *columns: str, by_bucket: bool = False, state: RollupState | None = None) -> str:
    """Returns calls by time and by `columns`, which are keys of rollups and names of ALL_MEASURES.

    Each row has the calls from `timestamp` to before `until`; with `by_bucket` all of them are in one bucket of the
    series. A caller that reads the state of many workspaces at once passes `state`.
    """
    measures = {name: ALL_MEASURES[name] for name in columns if name in ALL_MEASURES}
    keys = {*columns, *filters.active_filters} - measures.keys()
    return window_sql(filters, smallest_rollup(keys, measures)._replace(measures=measures), by_bucket, state)


def smallest_rollup(keys: set[str], measures: Mapping[str, str]) -> Rollup:
    """Returns the smallest rollup with these keys and measures.

    If there is none, returns one without tables: then rows are read.
    """
    for rollup in (TOTALS, MODELS, AGENTS, CALLS):
        if keys <= set(rollup.keys) and measures.keys() <= rollup.measures.keys():
            return rollup
    return Rollup("rows", tuple(sorted(keys)), ALL_MEASURES, widths=())


def latency_sql(filters: Filters, by_bucket: bool = False) -> str:
    """Returns calls by time and latency_bucket."""
    return window_sql(filters, LATENCY if set(filters.active_filters) <= set(LATENCY.keys) else CALL_LATENCY, by_bucket)


def users_sql(filters: Filters, *columns: str) -> str:
    """Returns calls and cost by time and user_number, and by agent_id if it is in `columns`.

    Calls without a user are left out.
    """
    return window_sql(filters, users_rollup(filters, *columns))


def user_totals_sql(filters: Filters) -> str:
    """Returns calls by user_number. Only the sum of a user's rows is right, because some rows are negative."""
    # A retention may have deleted a week while some of its days are still stored.
    stored_since = datetime.now(UTC) - timedelta(days=settings.RETENTION_DAYS)
    # There are many users, so a measure that is not needed would take a third of the time.
    rollup = users_rollup(filters)._replace(measures=CALL_COUNT)
    return window_sql(filters, rollup, may_subtract=filters.start - WEEK.length > stored_since)


def users_rollup(filters: Filters, *columns: str) -> Rollup:
    return USERS if {*columns, *filters.active_filters} <= set(USERS.keys) else USER_AGENTS


def errors_sql(filters: Filters) -> str:
    """Returns failed calls by time, status, error_type and agent_id."""
    return window_sql(filters, ERRORS if set(filters.active_filters) <= set(ERRORS.keys) else CALLS)


def distinct_users_sql(filters: Filters, by_bucket: bool = False) -> str:
    """Returns the number of users who called, as `users`; with `by_bucket` one for each bucket, by `timestamp`."""
    return distinct_sql(filters, users_rollup(filters), USER_SETS, by_bucket)


def affected_users_sql(filters: Filters, condition: str) -> str:
    """Returns the number of users who had failed calls, as `users`, by status and error_type.

    `condition` selects a few types of errors: each type has sets of users of its own.
    """
    return distinct_sql(filters, FAILURES, FAILURE_SETS, by_bucket=False, condition=condition)


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


def model_days_sql(filters: Filters) -> str:
    """Returns each model with the days of its calls, over all stored time."""
    return closed_and_open_sql(filters, MODELS, DAY, f"model, time_bucket('{DAY.interval}', bucket) AS day")


def closed_and_open_sql(filters: Filters, rollup: Rollup, width: Width, columns: str, condition: str = "") -> str:
    """Reads buckets of `width` up to the open hours, and from there the narrowest buckets."""
    return CLOSED_AND_OPEN_HOURS.format(
        columns=columns,
        closed=rollup.table(width),
        open=rollup.narrowest,
        filled_until=literal(rollup_state(filters).filled_until),
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


def distinct_sql(
    filters: Filters, rollup: Rollup, user_set: UserSetTable, by_bucket: bool, condition: str = "true"
) -> str:
    """Counts users from the sets of whole buckets, and from narrower buckets and rows at the edges.

    Sets have no columns to filter by. With a filter users are counted from `rollup`, or from rows if `rollup`
    does not have the column.
    """
    active = filters.active_filters
    tables = rollup.tables if active else {rollup.widths[0]: rollup.narrowest} | user_set.tables
    segments = split_window(filters, tables if set(active) <= set(rollup.keys) else {}, by_bucket)
    set_widths = () if active else user_set.widths
    empty = Segment(None, filters.start, filters.start)
    middle = [segment for segment in segments if segment.width in set_widths]
    edges = [segment for segment in segments if segment.width not in set_widths]
    no_sets = empty._replace(table=table_for(filters, user_set, HOUR, filters.start))
    timestamp = bucket_sql(filters) if by_bucket else "%(start)s::timestamptz"
    keys = ("timestamp", *user_set.keys)
    return DISTINCT.format(
        sets=union([set_segment_sql(filters, user_set, segment) for segment in middle or [no_sets]]),
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
