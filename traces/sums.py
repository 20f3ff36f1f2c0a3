"""Sums of calls over a window, as SQL for the FROM of a question.

This is the one place that knows which rollup answers what. Budgets, metrics and alerts ask here. Each question reads
the smallest rollup that has every column it needs. Where none has, it reads the rows.
"""

from datetime import UTC, datetime, timedelta

from django.conf import settings

from traces.engines.protocol import RollupState
from traces.filters import Filters
from traces.rollups.catalogue import (
    AGENTS,
    BLOCK_SIZE,
    BLOCK_SQL,
    CALL_LATENCY,
    CALLS,
    CALLS_ONLY,
    ERRORS,
    FAILURE_SETS,
    FAILURES,
    HOUR,
    LATENCY,
    MEASURES,
    MODELS,
    TOTALS,
    USER_AGENTS,
    USER_SETS,
    USERS,
    WEEK,
    Rollup,
    UserSets,
)
from traces.windows import ANY_WIDTH, Segment, segment_sql, set_segment_sql, split_window, table_for, union, window_sql


def calls_sql(filters: Filters, *columns: str, bucket: timedelta = ANY_WIDTH, state: RollupState | None = None) -> str:
    """Calls by time and by `columns`, which are keys of rollups and names of MEASURES.

    No row stands for a longer time than `bucket`, from `timestamp` to before `until`. `state` is for callers who read
    it for many workspaces at once.
    """
    keys = {*columns, *filters.active_filters} - MEASURES.keys()
    measures = {name: MEASURES[name] for name in columns if name in MEASURES}
    return window_sql(filters, smallest_rollup(keys)._replace(measures=measures), bucket, state)


def smallest_rollup(keys: set[str]) -> Rollup:
    """The smallest rollup of all calls with these keys. Where there is none, one without tables: rows are read."""
    for rollup in (TOTALS, MODELS, AGENTS, CALLS):
        if keys <= set(rollup.keys):
            return rollup
    return Rollup("rows", tuple(sorted(keys)), MEASURES, widths=())


def latency_sql(filters: Filters, bucket: timedelta = ANY_WIDTH) -> str:
    """Calls by time and latency_bucket."""
    return window_sql(filters, LATENCY if set(filters.active_filters) <= set(LATENCY.keys) else CALL_LATENCY, bucket)


def users_sql(filters: Filters, *columns: str) -> str:
    """Calls and cost by time and user_number, and by agent_id where `columns` has it, of calls that name a user."""
    return window_sql(filters, users_rollup(filters, *columns), ANY_WIDTH)


def user_totals_sql(filters: Filters) -> str:
    """Calls by user_number. Only their sums are right: some calls are subtracted again, down to 0."""
    # After a retention a week may be gone, and some of its days still there.
    kept_since = datetime.now(UTC) - timedelta(days=settings.RETENTION_DAYS)
    # There are many users: a measure that nobody needs costs a third.
    rollup = users_rollup(filters)._replace(measures=CALLS_ONLY)
    return window_sql(filters, rollup, ANY_WIDTH, may_subtract=filters.start - WEEK.length > kept_since)


def users_rollup(filters: Filters, *columns: str) -> Rollup:
    return USERS if not {*columns, *filters.active_filters} & {"agent_id"} else USER_AGENTS


def errors_sql(filters: Filters) -> str:
    """Failed calls by time, status, error_type and agent_id."""
    return window_sql(filters, ERRORS if set(filters.active_filters) <= set(ERRORS.keys) else CALLS, ANY_WIDTH)


def distinct_users_sql(filters: Filters, bucket: timedelta = ANY_WIDTH) -> str:
    """The number of users who called, as `users`; with `bucket` one for each bucket, by `timestamp`."""
    return distinct_sql(filters, users_rollup(filters), USER_SETS, bucket)


def affected_users_sql(filters: Filters) -> str:
    """The number of users who had failed calls, as `users`, by status and error_type."""
    return distinct_sql(filters, FAILURES, FAILURE_SETS, ANY_WIDTH)


# Users at the edges of the window are counted where the sets of its middle do not hold them.
DISTINCT = """(
    WITH middle AS (
        SELECT {bucket_and_keys}, user_block, bit_or(users) AS users
        FROM {sets} AS sets
        GROUP BY {places}, user_block
    ), edges AS (
        SELECT DISTINCT {bucket_and_keys}, user_number
        FROM {calls} AS calls
    ), counts AS (
        SELECT {keys}, bit_count(users) AS users
        FROM middle
        UNION ALL
        SELECT {edge_keys}, count(*) AS users
        FROM edges
        LEFT JOIN middle ON user_block = {block} AND middle.timestamp = edges.timestamp{same_keys}
        WHERE users IS NULL OR get_bit(users, mod(user_number, {block_size})) = 0
        GROUP BY {places}
    )
    SELECT {keys}, sum(users)::bigint AS users
    FROM counts
    GROUP BY {places}
)"""


def distinct_sql(filters: Filters, rollup: Rollup, sets: UserSets, bucket: timedelta) -> str:
    """Counts users from the sets of whole buckets, and from narrower buckets and rows at the edges.

    Sets know no filters: with any, users are counted from `rollup`, or from rows where it does not know them.
    """
    active = filters.active_filters
    tables = rollup.tables if active else {rollup.widths[0]: rollup.narrowest} | sets.tables
    segments = split_window(filters, tables if set(active) <= set(rollup.keys) else {}, bucket)
    set_widths = () if active else sets.widths
    empty = Segment(None, filters.start, filters.start)
    middle = [segment for segment in segments if segment.width in set_widths]
    edges = [segment for segment in segments if segment.width not in set_widths]
    no_sets = empty._replace(table=table_for(filters, sets, HOUR, filters.start))
    moment = "%(start)s::timestamptz" if bucket == ANY_WIDTH else "time_bucket(%(bucket)s, timestamp)"
    keys = ("timestamp", *sets.keys)
    return DISTINCT.format(
        sets=union([set_segment_sql(filters, sets, segment) for segment in middle or [no_sets]]),
        calls=union([segment_sql(filters, rollup, segment, bucket != ANY_WIDTH) for segment in edges or [empty]]),
        keys=", ".join(keys),
        bucket_and_keys=", ".join((f"{moment} AS timestamp", *sets.keys)),
        edge_keys=", ".join(f"edges.{key}" for key in keys),
        same_keys="".join(f" AND middle.{key} IS NOT DISTINCT FROM edges.{key}" for key in sets.keys),
        places=", ".join(str(place + 1) for place in range(len(keys))),
        block=BLOCK_SQL,
        block_size=BLOCK_SIZE,
    )
