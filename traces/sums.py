"""Sums of calls over a window, as SQL for the FROM of a question.

The one place that knows which rollup answers what: budgets, metrics and alerts all ask here. A question is put to the
smallest rollup that knows every column it needs; where none does, the rows themselves are read.
"""

from datetime import UTC, datetime, timedelta

from django.conf import settings

from traces.engine import RollupState
from traces.filters import Filters
from traces.rollups import (
    AGENTS,
    AMOUNTS,
    CALL_LATENCY,
    CALLS,
    CHUNK,
    COUNT,
    ERRORS,
    FAILURE_SETS,
    FAILURES,
    HOUR,
    LATENCY,
    MODELS,
    SET_SIZE,
    TOTALS,
    USER_AGENTS,
    USER_SETS,
    USERS,
    WEEK,
    Rollup,
    Sets,
)
from traces.windows import ANY_WIDTH, Segment, segment_sql, set_segment_sql, split_window, table_for, union, window_sql


def calls_sql(filters: Filters, *columns: str, bucket: timedelta = ANY_WIDTH, closed: RollupState | None = None) -> str:
    """`columns`, which are AMOUNTS and what they are told apart by, and time, from the smallest rollup that knows all.

    `closed` is what the engine says of the workspace, for those who ask it of many at once.

    Rows are no finer than `bucket` needs: each stands for the calls from `timestamp` to before `until`.
    """
    needed = {*columns, *filters.active_filters} - AMOUNTS.keys()
    rollup = next(rollup for rollup in (TOTALS, MODELS, AGENTS, CALLS) if needed <= set(rollup.keys))
    amounts = {name: AMOUNTS[name] for name in columns if name in AMOUNTS}
    return window_sql(filters, rollup._replace(measures=amounts), bucket, closed)


def latency_sql(filters: Filters, bucket: timedelta = ANY_WIDTH) -> str:
    """Calls by latency_bucket and time."""
    return window_sql(filters, LATENCY if set(filters.active_filters) <= set(LATENCY.keys) else CALL_LATENCY, bucket)


def users_sql(filters: Filters, *columns: str) -> str:
    """Calls and cost by user_number, and by agent_id where `columns` ask for it, of the calls that name a user."""
    return window_sql(filters, by_user(filters, *columns), ANY_WIDTH)


def user_totals_sql(filters: Filters) -> str:
    """Calls by user_number, of which only the sums count: some are taken away again, down to 0 calls."""
    # Where retention has been, a week may be gone of which there still are days.
    kept_since = datetime.now(UTC) - timedelta(days=settings.RETENTION_DAYS)
    rollup = by_user(filters)._replace(measures=COUNT)  # they are many: what is not asked for costs a third
    return window_sql(filters, rollup, ANY_WIDTH, may_subtract=filters.start - WEEK.length > kept_since)


def by_user(filters: Filters, *columns: str) -> Rollup:
    return USERS if not {*columns, *filters.active_filters} & {"agent_id"} else USER_AGENTS


def errors_sql(filters: Filters) -> str:
    """Failed calls by status, error_type and agent_id."""
    return window_sql(filters, ERRORS if set(filters.active_filters) <= set(ERRORS.keys) else CALLS, ANY_WIDTH)


def distinct_users_sql(filters: Filters, bucket: timedelta = ANY_WIDTH) -> str:
    """How many called, as `users`, and by time where they are a series."""
    return distinct_sql(filters, by_user(filters), USER_SETS, bucket)


def affected_users_sql(filters: Filters) -> str:
    """How many had failed calls, as `users`, by status and error_type."""
    return distinct_sql(filters, FAILURES, FAILURE_SETS, ANY_WIDTH)


def distinct_sql(filters: Filters, rollup: Rollup, kept: Sets, bucket: timedelta) -> str:
    """Those in the sets that are kept, and of those whom narrower buckets and rows tell, who is in none of the sets."""
    narrowed = filters.active_filters
    widths = () if narrowed else kept.widths
    tables = rollup.tables if narrowed else {rollup.widths[0]: rollup.narrowest} | kept.tables
    found = split_window(filters, tables if set(narrowed) <= set(rollup.keys) else {}, bucket)
    sets = [segment for segment in found if segment.width in widths]
    told = [segment for segment in found if segment.width not in widths]
    nothing = Segment(None, filters.start, filters.start)
    moment = "%(start)s::timestamptz" if bucket == ANY_WIDTH else "time_bucket(%(bucket)s, timestamp)"
    keys = ("timestamp", *kept.keys)
    return UNIQUE.format(
        sets=union(
            [
                set_segment_sql(filters, kept, segment)
                for segment in sets or [nothing._replace(table=table_for(filters, kept, HOUR, filters.start))]
            ]
        ),
        told=union([segment_sql(filters, rollup, segment, bucket != ANY_WIDTH) for segment in told or [nothing]]),
        by=", ".join(keys),
        of_each=", ".join((f"{moment} AS timestamp", *kept.keys)),
        of_told=", ".join(f"told.{key}" for key in keys),
        same="".join(f" AND sets.{key} IS NOT DISTINCT FROM told.{key}" for key in kept.keys),
        places=", ".join(str(place + 1) for place in range(len(keys))),
    )


UNIQUE = """(
    WITH sets AS (
        SELECT {of_each}, chunk, bit_or(users) AS users
        FROM {sets} AS kept
        GROUP BY {places}, chunk
    ), told AS (
        SELECT DISTINCT {of_each}, user_number
        FROM {told} AS calls
    ), counts AS (
        SELECT {by}, bit_count(users) AS users
        FROM sets
        UNION ALL
        SELECT {of_told}, count(*) AS users
        FROM told
        LEFT JOIN sets ON chunk = CHUNK AND sets.timestamp = told.timestamp{same}
        WHERE users IS NULL OR get_bit(users, mod(user_number, SET_SIZE)) = 0
        GROUP BY {places}
    )
    SELECT {by}, sum(users)::bigint AS users
    FROM counts
    GROUP BY {places}
)""".replace("CHUNK", CHUNK).replace("SET_SIZE", str(SET_SIZE))
