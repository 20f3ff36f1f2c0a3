"""Sums up the calls of a slice: what a comparison needs to know of them.

How many calls there are and what they add up to comes from sums, latencies from histograms. How much calls differ, and
how alike those of a user are, comes from rows: from all of them in a window of up to MOST_ROWS calls, else from a
sample of them, spread evenly over the window.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, NamedTuple

from analytics.percentiles import calls_of_window
from analytics.scores import column_conditions, filter_sql, score_params, summary_params, sums_know, trace_conditions
from methods.comparison import Arm, Bucket, Users, of_larger
from traces import sums
from traces.db import row, rows
from traces.filters import Filters
from traces.rollups.catalogue import ROW_KEYS, ZERO_LATENCY_BUCKET
from traces.sums import Histogram
from traces.windows import TimeRange, literals

Variance = Literal["by_call", "by_user", "by_user_sample"]
MOST_ROWS = 200_000
"""Calls of a window whose rows are all read, for each slice."""
SAMPLE_ROWS, WIDE_SAMPLE_ROWS = 60_000, 30_000
"""Calls of a sample. Of columns that no index has, fewer: whole rows are read."""
PIECES = 100
"""Of the window, in each of which the sample has a part."""
INDEXED = {"agent_id", "provider", "model", "user_id", "status", "error_type", "operation"}
"""Filters that the index of rows by time knows."""
MOST_SCORES = 20_000
"""Scores of a slice that are read one by one, to know those of a user."""


class Value(NamedTuple):
    """Something that each call has, as SQL over a row. Null: this call has none."""

    sql: str
    calls: str = "calls"
    """The sum of the calls that have one, and"""
    total: str = ""
    """of the values."""


VALUES = {
    "cost_per_call_usd": Value("cost_usd", "priced_calls", "cost_usd"),
    "input_tokens_per_call": Value("coalesce(input_tokens, 0)", "calls", "input_tokens"),
    "output_tokens_per_call": Value("coalesce(output_tokens, 0)", "calls", "output_tokens"),
    "avg_latency_ms": Value("latency_ms", "timed_calls", "latency_ms"),
    "error_rate": Value("(status <> 'success')::integer", "calls", "errors"),
}
"""The averages and the rate, by their names in the answer."""
LOG_LATENCY = Value("CASE WHEN latency_ms IS NOT NULL THEN ln(greatest(latency_ms, 0.01)) END")
"""Its design effect is that of the median, which a few very slow calls do not move."""
OF_ROWS = {**VALUES, "log_latency": LOG_LATENCY}


@dataclass(frozen=True)
class Scores:
    """The scores of one name."""

    arm: Arm
    are_booleans: bool


@dataclass(frozen=True)
class SliceSums:
    """What is known of a slice."""

    calls: int
    unpriced_calls: int
    users: int | None
    """Who called; None if no user is known, or no sums know how many."""
    variance: Variance
    sampled_calls: int
    arms: Mapping[str, Arm]
    """By the names of VALUES."""
    alike: Mapping[str, Arm]
    """The latencies, whose users say how alike calls are: by logarithm for the `median`, and for the `tail`."""
    latencies: list[Bucket]
    first_tokens: list[Bucket]
    scores: Mapping[str, Scores]


# --- Sums ---

TOTALS = "SELECT {totals} FROM {calls} AS calls"
TOTAL_COLUMNS = tuple(
    dict.fromkeys(("calls", *(name for value in VALUES.values() for name in (value.calls, value.total))))
)


def totals(filters: Filters) -> dict[str, Any]:
    return row(
        TOTALS,
        filters.params,
        totals=", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in TOTAL_COLUMNS),
        calls=sums.calls_sql(filters, *TOTAL_COLUMNS),
    )


HISTOGRAM = """
SELECT {bucket} AS bucket, sum(calls)::bigint AS calls
FROM {calls} AS calls
GROUP BY {bucket}
HAVING sum(calls) > 0
ORDER BY {bucket}
"""


def histogram(filters: Filters, of: Histogram, pieces: list[TimeRange] | None) -> list[Bucket]:
    """Returns the calls by duration, in the buckets of the histogram.

    Where no sums know the filters, they are those of the rows; with `pieces` only of these parts of the window.
    """
    if pieces is None or of.rollup(filters):
        found = rows(HISTOGRAM, filters.params, bucket=of.bucket, calls=of.sql(filters))
        return [bucket_of(one["bucket"], one["calls"]) for one in found]
    bucket = ROW_KEYS[of.bucket].partition(" AS ")[0]
    calls = CALLS_OF_PIECES.format(
        bucket=bucket, name=of.bucket, where=of.where, table=pieces_table(filters, pieces, TIMED_COLUMNS)
    )
    found = rows(HISTOGRAM, filters.params, bucket=of.bucket, calls=calls)
    return [bucket_of(one["bucket"], one["calls"]) for one in found]


CALLS_OF_PIECES = "(SELECT {bucket} AS {name}, 1 AS calls FROM {table} WHERE {where})"
TIMED_COLUMNS = "latency_ms, first_token_ms"


def bucket_of(index: int, calls: int) -> Bucket:
    if index == ZERO_LATENCY_BUCKET:
        return Bucket(0.0, 0.0, calls)
    return Bucket(2 ** (index / 32), 2 ** ((index + 1) / 32), calls)


# --- Rows ---

# The calls of a user are one unit, and so is each call without a user.
UNITS = """
WITH units AS (
    SELECT user_number{unit_columns}
    FROM {table}
    WHERE {condition}
    GROUP BY user_number
), totals AS (
    SELECT{total_columns}
    FROM units
)
SELECT
    count(user_number) AS users{columns}
FROM units
CROSS JOIN totals
"""
UNIT_COLUMNS = """,
        count({sql}) AS calls_{place},
        coalesce(sum(({sql})::float8), 0) AS total_{place},
        coalesce(sum(({sql})::float8 * ({sql})::float8), 0) AS squares_{place}"""
TOTAL_OF_UNITS = """
        sum(calls_{place})::float8 AS all_calls_{place},
        sum(total_{place}) / NULLIF(sum(calls_{place}), 0)::float8 AS mean_{place}"""
SUMS_OF_UNITS = """,
    coalesce(sum(calls_{place}), 0)::bigint AS calls_{place},
    coalesce(sum(total_{place}), 0) AS total_{place},
    coalesce(sum(squares_{place}), 0) AS squares_{place},
    count(*) FILTER (WHERE user_number IS NOT NULL AND calls_{place} > 0)
        + coalesce(sum(calls_{place}) FILTER (WHERE user_number IS NULL), 0)::bigint AS users_{place},
    coalesce(sum(
        CASE WHEN user_number IS NULL
            THEN (squares_{place} - 2 * mean_{place} * total_{place} + mean_{place} ^ 2 * calls_{place})
                / NULLIF(1 - 1 / NULLIF(all_calls_{place}, 0), 0) ^ 2
            ELSE ((total_{place} - mean_{place} * calls_{place})
                / NULLIF(1 - calls_{place} / NULLIF(all_calls_{place}, 0), 0)) ^ 2
        END
    ), 0) AS residuals_{place},
    coalesce(sum(CASE WHEN user_number IS NULL THEN calls_{place} ELSE calls_{place}::float8 ^ 2 END), 0)
        AS n_squared_{place}"""
PIECES_OF_ROWS = """unnest({starts}, {ends}) AS pieces (piece_start, piece_end)
    CROSS JOIN LATERAL (
        SELECT {columns}
        FROM traces
        WHERE {condition} AND timestamp >= piece_start AND timestamp < piece_end
        OFFSET 0
    ) AS pieces_of_rows"""


UNIT_ROWS = "user_number, cost_usd, input_tokens, output_tokens, latency_ms, status"
"""Columns of an index: these rows are read from it alone, unless a filter needs others."""


def pieces_table(filters: Filters, pieces: list[TimeRange], columns: str) -> str:
    starts, ends = (literals(moments) for moments in zip(*pieces, strict=True))
    return PIECES_OF_ROWS.format(starts=starts, ends=ends, condition=filters.row_condition, columns=columns)


class Rows(NamedTuple):
    arms: dict[str, Arm]
    """By the names of OF_ROWS."""
    calls: int
    users: int
    """That are known."""


def rows_of(filters: Filters, pieces: list[TimeRange] | None) -> Rows:
    """Returns the arms of the rows; with `pieces` only of these parts of the window."""
    numbered = list(enumerate(value.sql for value in OF_ROWS.values()))
    table = "traces" if pieces is None else pieces_table(filters, pieces, UNIT_ROWS)
    condition = filters.row_condition if pieces is None else "true"
    found = row(
        UNITS,
        filters.params,
        unit_columns="".join(UNIT_COLUMNS.format(sql=sql, place=place) for place, sql in numbered),
        total_columns=",".join(TOTAL_OF_UNITS.format(place=place) for place, _ in numbered),
        columns="".join(SUMS_OF_UNITS.format(place=place) for place, _ in numbered),
        table=table,
        condition=condition,
    )
    arms = {name: arm_of(found, place, found["users"] > 0) for place, name in enumerate(OF_ROWS)}
    return Rows(arms, arms["error_rate"].calls, found["users"])


def arm_of(found: Mapping[str, Any], place: int, has_users: bool) -> Arm:
    users = Users(
        int(found[f"users_{place}"]), max(float(found[f"residuals_{place}"]), 0.0), float(found[f"n_squared_{place}"])
    )
    calls, total, squares = (found[f"{name}_{place}"] for name in ("calls", "total", "squares"))
    return Arm(int(calls), float(total), float(squares), users if has_users else None)


def pieces_of(filters: Filters, share: float) -> list[TimeRange]:
    """Returns this share of the window: the middle of each of its equal parts."""
    part = (filters.end - filters.start) / PIECES
    length = max(part * share, timedelta(microseconds=1))
    starts = [filters.start + part * place + (part - length) / 2 for place in range(PIECES)]
    return [TimeRange(start, start + length) for start in starts]


CALLS_OF_USERS = """
SELECT
    count(*) AS users,
    coalesce(sum(calls), 0)::bigint AS calls,
    coalesce(sum(calls::float8 ^ 2), 0) AS n_squared
FROM (
    SELECT user_number, sum(calls) AS calls
    FROM {users} AS calls
    GROUP BY user_number
) AS by_user
"""


class CallsOfUsers(NamedTuple):
    users: int
    n_squared: float
    """The sum of their squared numbers of calls. Each call without a user counts as that of another user."""


def calls_of_users(filters: Filters, calls: int) -> CallsOfUsers | None:
    """Returns how the calls are spread over users; None if no sums know it."""
    if not sums.users_rollup(sums.with_label_sums(filters)).widths:
        return None
    found = row(CALLS_OF_USERS, filters.params, users=sums.users_sql(filters))
    alone = max(calls - found["calls"], 0)
    return CallsOfUsers(found["users"], float(found["n_squared"]) + alone)


# --- Scores ---

SCORES_BY_USER = """
WITH found AS (
    SELECT name, user_id, number::float8 AS number, category
    FROM scores
    WHERE workspace_id = %(workspace_id)s
      AND timestamp >= %(start)s AND timestamp < %(end)s
      AND number IS NOT NULL{row_filters}
), means AS (
    SELECT name, count(*)::float8 AS all_calls, avg(number) AS mean
    FROM found
    GROUP BY name
), units AS (
    SELECT name, user_id, count(*) AS calls, sum(number) AS total, sum(number * number) AS squares,
        bool_and(category IS NOT NULL) AS are_booleans
    FROM found
    GROUP BY name, user_id
)
SELECT
    name,
    bool_and(are_booleans) AS are_booleans,
    count(user_id) AS users,
    sum(calls)::bigint AS calls_0,
    sum(total) AS total_0,
    sum(squares) AS squares_0,
    count(user_id) + coalesce(sum(calls) FILTER (WHERE user_id IS NULL), 0)::bigint AS users_0,
    coalesce(sum(
        CASE WHEN user_id IS NULL
            THEN (squares - 2 * mean * total + mean ^ 2 * calls) / NULLIF(1 - 1 / all_calls, 0) ^ 2
        ELSE ((total - mean * calls) / NULLIF(1 - calls / all_calls, 0)) ^ 2 END
    ), 0) AS residuals_0,
    sum(CASE WHEN user_id IS NULL THEN calls ELSE calls::float8 ^ 2 END) AS n_squared_0
FROM units
JOIN means USING (name)
GROUP BY name
"""
SUMS_OF_SCORES = """
WITH parts AS (
    SELECT name, category, numbers, number, squared_number
    FROM score_sums
    WHERE workspace_id = %(workspace_id)s
      AND %(reads_sums)s AND bucket >= %(first_hour)s AND bucket < %(last_hour)s{sum_filters}
    UNION ALL
    SELECT name, category, (number IS NOT NULL)::integer, coalesce(number, 0), coalesce(number * number, 0)
    FROM scores
    WHERE workspace_id = %(workspace_id)s
      AND timestamp >= %(start)s AND timestamp < %(end)s
      AND NOT (%(reads_sums)s AND timestamp >= %(first_hour)s AND timestamp < %(last_hour)s){row_filters}
)
SELECT
    name,
    bool_and(category IS NOT NULL) AS are_booleans,
    sum(numbers)::bigint AS calls,
    sum(number)::float8 AS total,
    sum(squared_number)::float8 AS squares
FROM parts
GROUP BY name
HAVING sum(numbers) > 0
ORDER BY 3 DESC, 1
"""


def scores(filters: Filters) -> dict[str, Scores]:
    """Returns the scores that are numbers or booleans, by name; those with the most scores first."""
    of_sums = column_conditions(filters) if sums_know(filters) else []
    of_rows = filter_sql(column_conditions(filters) + trace_conditions(filters))
    found = rows(SUMS_OF_SCORES, summary_params(filters), sum_filters=filter_sql(of_sums), row_filters=of_rows)
    if 0 < sum(one["calls"] for one in found) <= MOST_SCORES:
        by_user = {one["name"]: one for one in rows(SCORES_BY_USER, score_params(filters), row_filters=of_rows)}
        return {
            name: Scores(arm_of(by_user[name], 0, by_user[name]["users"] > 0), by_user[name]["are_booleans"])
            for one in found
            if (name := one["name"]) in by_user
        }
    return {one["name"]: Scores(Arm(one["calls"], one["total"], one["squares"]), one["are_booleans"]) for one in found}


# --- All of it ---


def slice_sums(filters: Filters) -> SliceSums:
    found, all_calls = totals(filters), calls_of_window(filters)
    calls, is_large = int(found["calls"]), all_calls > MOST_ROWS
    is_indexed = {*filters.values} <= INDEXED
    wide = pieces_of(filters, WIDE_SAMPLE_ROWS / all_calls) if is_large else None
    pieces = pieces_of(filters, SAMPLE_ROWS / all_calls) if is_large and is_indexed else wide
    sample = rows_of(filters, pieces)
    is_whole = sample.calls >= calls
    of_users = None if is_whole or not sample.users else calls_of_users(filters, calls)
    arms = {
        name: grown(sample.arms[name], int(found[value.calls]), float(found[value.total]), of_users, calls)
        for name, value in VALUES.items()
    }
    return SliceSums(
        calls=calls,
        unpriced_calls=calls - int(found["priced_calls"]),
        users=sample.users if is_whole and sample.users else of_users.users if of_users else None,
        variance="by_call" if not sample.users else "by_user" if is_whole else "by_user_sample",
        sampled_calls=min(sample.calls, calls),
        arms=arms,
        alike={
            "median": logarithms(sample.arms["log_latency"], arms["avg_latency_ms"].calls, of_users, calls),
            "tail": arms["avg_latency_ms"],
        },
        latencies=histogram(filters, sums.LATENCIES, pieces),
        first_tokens=histogram(filters, sums.FIRST_TOKENS, wide),
        scores=scores(filters),
    )


def grown(sample: Arm, calls: int, total: float, of_users: CallsOfUsers | None, all_calls: int) -> Arm:
    """Returns the arm of all calls. A call may have been stored between both questions."""
    if sample.calls >= calls:
        return sample
    # Those of a user's calls that have a value are as many as of all calls.
    share = calls / all_calls if all_calls else 0.0
    return of_larger(sample, calls, total, of_users.n_squared * share**2 if of_users else None)


def logarithms(sample: Arm, calls: int, of_users: CallsOfUsers | None, all_calls: int) -> Arm:
    return grown(sample, calls, sample.mean * calls, of_users, all_calls) if sample.calls else sample
