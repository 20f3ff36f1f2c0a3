"""Returns the calls that `/api/v1/query` measures, as SQL for a FROM: from rollups where they have what is needed.

Labels, tools and whatever no rollup has are read from rows. This is the only place that decides it.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from analytics.query_measures import SCORE_PREFIX, TOOL
from analytics.query_parameters import Parameters
from analytics.scores import column_conditions, score_params, trace_conditions
from traces import sums, windows
from traces.bucket_series import bucket_sql
from traces.filters import LABEL_PREFIX, Filters, FilterValues, SqlFilter, sql_filter
from traces.rollups.catalogue import ALL_MEASURES, CALL_LATENCY, CALLS_AND_COST, USER_AGENTS
from traces.row import TOOL_OPERATION


class Source(NamedTuple):
    """Columns: timestamp (the start of the bucket of a series), dimension_1 and dimension_2 as asked, and others."""

    sql: str
    params: dict[str, Any]


def columns_of(parameters: Parameters) -> tuple[str, ...]:
    """Returns the aliases of the dimensions. The names themselves come from clients."""
    return tuple(f"dimension_{place}" for place, _ in enumerate(parameters.by, start=1))


def params_of(parameters: Parameters, filters: Filters) -> dict[str, Any]:
    labels = {
        f"label_of_{column}": name.removeprefix(LABEL_PREFIX)
        for column, name in zip(columns_of(parameters), parameters.by, strict=True)
    }
    return filters.params | labels | tool_filter(parameters).params | {"operations": operations(parameters, filters)}


def operations(parameters: Parameters, filters: Filters) -> list[str]:
    if not parameters.counts_tools:
        return filters.operations
    included, excluded = filters.values.get("operation", FilterValues())
    return [operation for operation in included or [TOOL_OPERATION] if operation not in excluded]


def tool_filter(parameters: Parameters) -> SqlFilter:
    return sql_filter(TOOL, TOOL, TOOL, parameters.tool)


def needs_rows(parameters: Parameters) -> bool:
    return parameters.counts_tools or any(name.startswith(LABEL_PREFIX) for name in parameters.by)


def timestamp_sql(parameters: Parameters, filters: Filters) -> str:
    return bucket_sql(filters) if parameters.is_series else "%(start)s::timestamptz"


def keys_sql(parameters: Parameters, filters: Filters, names: Sequence[str] | None = None) -> str:
    """Returns the timestamp and the dimensions of a table that has them by `names`, by default their own."""
    names = parameters.by if names is None else names
    dimensions = zip(names, columns_of(parameters), strict=True)
    timestamp = f"{timestamp_sql(parameters, filters)} AS timestamp"
    return ", ".join((timestamp, *(f"{name} AS {column}" for name, column in dimensions)))


SELECT = """
    SELECT {columns}
    FROM {table}
    WHERE {condition}"""
SUMMED = """
    SELECT {columns}
    FROM {calls} AS calls
    GROUP BY {column_numbers}
    HAVING sum(calls) > 0"""


def summed_calls(parameters: Parameters, filters: Filters, columns: tuple[str, ...]) -> Source:
    """Returns the sums in `columns` by dimensions and bucket."""
    if has_sums_by_user(parameters, filters, columns):
        return summed_calls_by_user(parameters, filters, columns)
    if needs_rows(parameters):
        measures = {name: ALL_MEASURES.get(name, f"coalesce({name}, 0)") for name in columns}
        calls = f"({row_sql(parameters, filters, 'timestamp', measures)})"
        names = columns_of(parameters)
    else:
        calls = sums.calls_sql(filters, *parameters.by, *columns, by_bucket=parameters.is_series)
        names = parameters.by
    sql = SUMMED.format(
        columns=", ".join((keys_sql(parameters, filters, names), *(f"sum({name}) AS {name}" for name in columns))),
        calls=calls,
        column_numbers=", ".join(str(number) for number in range(1, len(names) + 2)),
    )
    return Source(sql, params_of(parameters, filters))


# What no user called for is the difference between all calls and those of the users.
BY_USER = """
    WITH by_user AS (
        SELECT {timestamp} AS timestamp, user_number{more_keys}, {sums}
        FROM {of_users} AS calls
        GROUP BY 1, user_number{more_keys}
        HAVING sum(calls) > 0
    ), without_user AS (
        SELECT timestamp{more_keys}, {sums}
        FROM (
            SELECT timestamp{more_keys}, {negative}
            FROM by_user
            UNION ALL
            SELECT {timestamp}{more_keys}, {names}
            FROM {of_all} AS calls
        ) AS differences
        GROUP BY timestamp{more_keys}
        HAVING sum(calls) > 0
    ), both_kinds AS (
        SELECT timestamp, user_number{more_keys}, {names}
        FROM by_user
        UNION ALL
        SELECT timestamp, NULL{more_keys}, {names}
        FROM without_user
    )
    SELECT {keys}, {names}
    FROM both_kinds
    LEFT JOIN user_numbers ON workspace_id = %(workspace_id)s AND number = user_number"""


def has_sums_by_user(parameters: Parameters, filters: Filters, columns: tuple[str, ...]) -> bool:
    known = {"user_id", *USER_AGENTS.keys}
    is_known = {*parameters.by, *filters.active_filters} <= known and {*columns} <= {*CALLS_AND_COST}
    return "user_id" in parameters.by and is_known and not needs_rows(parameters)


def summed_calls_by_user(parameters: Parameters, filters: Filters, columns: tuple[str, ...]) -> Source:
    others = [name for name in parameters.by if name != "user_id"]
    rollup = sums.users_rollup(filters, *others)
    dimensions = zip(parameters.by, columns_of(parameters), strict=True)
    sql = BY_USER.format(
        timestamp=timestamp_sql(parameters, filters),
        more_keys="".join(f", {name}" for name in others),
        sums=", ".join(f"sum({name}) AS {name}" for name in columns),
        negative=", ".join(f"-{name} AS {name}" for name in columns),
        names=", ".join(columns),
        of_users=windows.window_sql(filters, rollup, parameters.is_series),
        of_all=sums.calls_sql(filters, *others, *columns, by_bucket=parameters.is_series),
        keys=", ".join(("timestamp", *(f"{name} AS {column}" for name, column in dimensions))),
    )
    return Source(sql, params_of(parameters, filters))


def row_sql(parameters: Parameters, filters: Filters, timestamp: str, columns: dict[str, str]) -> str:
    """Returns the rows of the window with the dimensions and the SQL in `columns`, by alias."""
    dimensions = {
        column: f'(labels ->> %(label_of_{column})s) COLLATE "C"' if name.startswith(LABEL_PREFIX) else name
        for column, name in zip(columns_of(parameters), parameters.by, strict=True)
    }
    selected = {"timestamp": timestamp} | dimensions | columns
    return SELECT.format(
        columns=", ".join(f"{sql} AS {alias}" for alias, sql in selected.items()),
        table="traces",
        condition="\n      AND ".join((filters.row_condition, *tool_filter(parameters).conditions)),
    )


def calls(parameters: Parameters, filters: Filters, columns: tuple[str, ...]) -> Source:
    """Returns the calls themselves, for what cannot be summed."""
    sql = row_sql(parameters, filters, timestamp_sql(parameters, filters), dict(zip(columns, columns, strict=True)))
    return Source(sql, params_of(parameters, filters))


def users(parameters: Parameters, filters: Filters) -> Source:
    """Returns user_number by dimensions and bucket, from sums of users where they know the dimensions."""
    if not has_sums_of_users(parameters):
        rows = calls(parameters, filters, ("user_number",))
        # Fewer users than calls have to be sorted.
        return rows._replace(sql=rows.sql.replace("SELECT", "SELECT DISTINCT", 1))
    by_user = windows.window_sql(filters, sums.users_rollup(filters, *parameters.by), parameters.is_series)
    sql = SELECT.format(
        columns=f"{keys_sql(parameters, filters)}, user_number", table=f"{by_user} AS calls", condition="true"
    )
    return Source(sql, params_of(parameters, filters))


def has_sums_of_users(parameters: Parameters) -> bool:
    return not needs_rows(parameters) and {*parameters.by} <= {*USER_AGENTS.keys}


def has_histogram(parameters: Parameters, filters: Filters) -> bool:
    needed = {*parameters.by, *filters.active_filters}
    return not needs_rows(parameters) and len(parameters.by) < 2 and needed <= {*CALL_LATENCY.keys}


def histogram(parameters: Parameters, filters: Filters) -> Source:
    """Returns calls by latency_bucket, dimensions and bucket."""
    if parameters.by:
        by_latency = windows.window_sql(filters, CALL_LATENCY, parameters.is_series)
    else:
        by_latency = sums.latency_sql(filters, by_bucket=parameters.is_series)
    sql = SELECT.format(
        columns=f"{keys_sql(parameters, filters)}, latency_bucket, calls",
        table=f"{by_latency} AS calls",
        condition="true",
    )
    return Source(sql, params_of(parameters, filters))


SCORES = "workspace_id = %(workspace_id)s AND timestamp >= %(start)s AND timestamp < %(end)s AND name = %(score)s"


def scores(parameters: Parameters, filters: Filters, measure: str) -> Source:
    """Returns the scores of one name. Unlike calls, they are not restricted to an operation by default."""
    conditions = (SCORES, *column_conditions(filters), *trace_conditions(filters))
    columns = f"{keys_sql(parameters, filters)}, number"
    sql = SELECT.format(columns=columns, table="scores", condition="\n      AND ".join(conditions))
    params = params_of(parameters, filters) | score_params(filters) | {"score": measure.removeprefix(SCORE_PREFIX)}
    return Source(sql, params)
