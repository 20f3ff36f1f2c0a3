"""Returns the calls that `/api/v1/query` measures, as SQL for a FROM: from rollups where they have what is needed.

Whatever no rollup has is read from rows. This is the only place that decides it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from analytics.query_measures import SCORE_PREFIX, TOOL
from analytics.query_parameters import Parameters
from analytics.scores import column_conditions, score_params, trace_conditions
from traces import sums, windows
from traces.bucket_series import bucket_sql
from traces.db import row
from traces.filters import LABEL_PREFIX, Filters, SqlFilter, sql_filter
from traces.rollups.catalogue import FULL_MEASURES, LABEL, TOOLS, USERS

USER_DIMENSION = "user_id"
LABELS = ("value", "label_values")


class Source(NamedTuple):
    """Columns: timestamp (the start of the bucket of a series), dimension_1 and dimension_2 as asked, and others."""

    sql: str
    params: dict[str, Any]


def columns_of(parameters: Parameters) -> tuple[str, ...]:
    """Returns the aliases of the dimensions. The names themselves come from clients."""
    return tuple(f"dimension_{place}" for place, _ in enumerate(parameters.by, start=1))


def dimensions(parameters: Parameters) -> list[tuple[str, str]]:
    """Returns the dimensions with their aliases."""
    return list(zip(columns_of(parameters), parameters.by, strict=True))


def label_column(column: str) -> str:
    """Returns the label of a row that is the dimension with this alias."""
    return f'(labels ->> %(label_of_{column})s) COLLATE "C"'


def params_of(parameters: Parameters, filters: Filters) -> dict[str, Any]:
    labels = {f"label_of_{column}": name.removeprefix(LABEL_PREFIX) for column, name in dimensions(parameters)}
    return replace(filters, counts_tools=parameters.counts_tools).params | labels | tool_filter(parameters).params


def tool_filter(parameters: Parameters) -> SqlFilter:
    return sql_filter(TOOL, TOOL, TOOL, parameters.tool)


def label_in(parameters: Parameters) -> str | None:
    """Returns the name of the only label among the dimensions."""
    labels = [name.removeprefix(LABEL_PREFIX) for name in parameters.by if name.startswith(LABEL_PREFIX)]
    return labels[0] if len(labels) == 1 else None


def by_labels(parameters: Parameters, filters: Filters) -> Filters | None:
    """Returns the filters for the sums by the label among the dimensions. None: these cannot answer."""
    label = label_in(parameters)
    has_label_filter = any(name.startswith(LABEL_PREFIX) for name in filters.values)
    if label is None or has_label_filter or parameters.counts_tools:
        return None
    return sums.grouped_by_label(filters, label)


def needs_rows(parameters: Parameters) -> bool:
    """Returns whether a dimension is a label, whose sums are not asked for."""
    return any(name.startswith(LABEL_PREFIX) for name in parameters.by)


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
    WHERE {condition}
    GROUP BY {column_numbers}
    HAVING sum(calls) > 0"""


def summed_calls(parameters: Parameters, filters: Filters, columns: tuple[str, ...]) -> Source:
    """Returns the sums in `columns` by dimensions and bucket."""
    if numbered := numbered_dimension(parameters, filters, columns):
        return Source(numbered_sql(parameters, filters, numbered, columns), params_of(parameters, filters))
    names, condition = parameters.by, "true"
    if parameters.counts_tools and {*parameters.by} <= {*TOOLS.keys}:
        condition = " AND ".join(tool_filter(parameters).conditions) or "true"
        calls = tool_calls(parameters, filters, columns)
    elif parameters.counts_tools or needs_rows(parameters):
        measures = {name: FULL_MEASURES[name] for name in columns}
        calls = f"({row_sql(parameters, filters, 'timestamp', measures)})"
        names = columns_of(parameters)
    else:
        calls = sums.calls_sql(filters, *parameters.by, *columns, by_bucket=parameters.is_series)
    sql = SUMMED.format(
        columns=", ".join((keys_sql(parameters, filters, names), *(f"sum({name}) AS {name}" for name in columns))),
        calls=calls,
        condition=condition,
        column_numbers=", ".join(str(number) for number in range(1, len(names) + 2)),
    )
    return Source(sql, params_of(parameters, filters))


TOOL_CALLS = "(SELECT *{unknown} FROM {calls} AS tool_calls)"


def tool_calls(parameters: Parameters, filters: Filters, columns: tuple[str, ...]) -> str:
    """Returns the sums of tool calls. Those of tokens and costs, which tools do not have, are 0."""
    known = [name for name in columns if name in TOOLS.measures]
    unknown = "".join(f", 0 AS {name}" for name in columns if name not in TOOLS.measures)
    calls = sums.tools_sql(replace(filters, counts_tools=True), *parameters.by, *known, by_bucket=parameters.is_series)
    return TOOL_CALLS.format(unknown=unknown, calls=calls)


class Numbered(NamedTuple):
    """A dimension whose sums are kept by numbers that stand for its values."""

    name: str
    number: str
    """The column of the number."""
    sums_of: Callable[..., str]
    """Returns the sums by number and by the columns it is given."""
    value: str
    """The column of the value, in `names_table`."""
    names_table: str


def numbered_dimension(parameters: Parameters, filters: Filters, columns: tuple[str, ...]) -> Numbered | None:
    """Returns the dimension of users or of a label, if there are sums of it."""
    others = [name for name in parameters.by if name != USER_DIMENSION]
    if USER_DIMENSION in parameters.by and not needs_rows(parameters) and not parameters.counts_tools:
        rollup = sums.users_rollup(sums.with_label_sums(filters), *others)
        if rollup.widths and {*columns} <= {*rollup.measures}:
            return Numbered(USER_DIMENSION, "user_number", partial(sums_of_users, filters), "user_id", "user_numbers")
    if by_label := by_labels(parameters, filters):
        name = f"{LABEL_PREFIX}{label_in(parameters)}"
        return Numbered(name, LABEL, partial(sums.calls_sql, by_label), *LABELS)
    return None


def sums_of_users(filters: Filters, *columns: str, by_bucket: bool) -> str:
    return sums.users_sql(filters, *(name for name in columns if name not in USERS.measures), by_bucket=by_bucket)


# What has no value is the difference between all calls and those of the values.
BY_NUMBER = """
    WITH by_number AS (
        SELECT {timestamp} AS timestamp, {number}{more_keys}, {sums}
        FROM {of_numbers} AS calls
        GROUP BY 1, {number}{more_keys}
        HAVING sum(calls) > 0
    ), without_number AS (
        SELECT timestamp{more_keys}, {sums}
        FROM (
            SELECT timestamp{more_keys}, {negative}
            FROM by_number
            UNION ALL
            SELECT {timestamp}{more_keys}, {names}
            FROM {of_all} AS calls
        ) AS differences
        GROUP BY timestamp{more_keys}
        HAVING sum(calls) > 0
    ), both_kinds AS (
        SELECT timestamp, {number}{more_keys}, {names}
        FROM by_number
        UNION ALL
        SELECT timestamp, NULL{more_keys}, {names}
        FROM without_number
    )
    SELECT {keys}, {names}
    FROM both_kinds
    LEFT JOIN LATERAL (
        -- Looks into the index once for each number. A join may compare each with each.
        SELECT {value}
        FROM {names_table}
        WHERE workspace_id = %(workspace_id)s AND number = {number}
        OFFSET 0
    ) AS named ON true"""


def numbered_sql(
    parameters: Parameters, filters: Filters, numbered: Numbered, columns: tuple[str, ...], bucket: str = ""
) -> str:
    """Returns the sums by dimensions, and by the `bucket` of a histogram if there is one."""
    others = [*(name for name in parameters.by if name != numbered.name), *filter(None, [bucket])]
    dimensions = zip(parameters.by, columns_of(parameters), strict=True)
    selected = (
        f"{f'named.{numbered.value}' if name == numbered.name else name} AS {column}" for name, column in dimensions
    )
    return BY_NUMBER.format(
        timestamp=timestamp_sql(parameters, filters),
        number=numbered.number,
        more_keys="".join(f", {name}" for name in others),
        sums=", ".join(f"sum({name}) AS {name}" for name in columns),
        negative=", ".join(f"-{name} AS {name}" for name in columns),
        names=", ".join(columns),
        of_numbers=numbered.sums_of(*others, *columns, by_bucket=parameters.is_series),
        of_all=(HISTOGRAMS[bucket].sql(filters, by_bucket=parameters.is_series))
        if bucket
        else sums.calls_sql(filters, *others, *columns, by_bucket=parameters.is_series),
        keys=", ".join(("timestamp", *selected, *([f"{bucket} AS latency_bucket"] if bucket else []))),
        names_table=numbered.names_table,
        value=numbered.value,
    )


def row_sql(parameters: Parameters, filters: Filters, timestamp: str, columns: dict[str, str]) -> str:
    """Returns the rows of the window with the dimensions and the SQL in `columns`, by alias."""
    keys = {
        column: label_column(column) if name.startswith(LABEL_PREFIX) else name
        for column, name in dimensions(parameters)
    }
    selected = {"timestamp": timestamp} | keys | columns
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
    by_label = by_labels(parameters, filters)
    if by_label and sums.users_rollup(by_label, *unlabelled(parameters)).widths:
        return users_by_label(parameters, filters, by_label)
    if not has_sums_of_users(parameters, filters):
        rows = calls(parameters, filters, ("user_number",))
        # Fewer users than calls have to be sorted.
        return rows._replace(sql=rows.sql.replace("SELECT", "SELECT DISTINCT", 1))
    filters = sums.with_label_sums(filters)
    by_user = windows.window_sql(filters, sums.users_rollup(filters, *parameters.by), parameters.is_series)
    sql = SELECT.format(
        columns=f"{keys_sql(parameters, filters)}, user_number", table=f"{by_user} AS calls", condition="true"
    )
    return Source(sql, params_of(parameters, filters))


USERS_BY_LABEL = """
    SELECT {keys}, user_number
    FROM {by_label} AS calls
    CROSS JOIN LATERAL (
        SELECT value
        FROM label_values
        WHERE workspace_id = %(workspace_id)s AND number = label_number
        OFFSET 0
    ) AS named"""


def unlabelled(parameters: Parameters) -> list[str]:
    """Returns the dimensions that are no labels."""
    return [name for name in parameters.by if not name.startswith(LABEL_PREFIX)]


def users_by_label(parameters: Parameters, filters: Filters, by_label: Filters) -> Source:
    """Returns the users of each label from sums, and those of calls without the label from rows."""
    rollup = sums.users_rollup(by_label, *unlabelled(parameters))
    by_user = windows.window_sql(by_label, rollup, parameters.is_series)
    names = ["value" if name.startswith(LABEL_PREFIX) else name for name in parameters.by]
    sql = USERS_BY_LABEL.format(keys=keys_sql(parameters, filters, names), by_label=by_user)
    if has_calls_without_label(filters, by_label):
        rows = calls(parameters, filters, ("user_number",)).sql
        column = next(column for column, name in dimensions(parameters) if name.startswith(LABEL_PREFIX))
        sql += f"\n    UNION ALL{rows}\n      AND {label_column(column)} IS NULL"
    return Source(sql, params_of(parameters, filters))


CALLS_WITHOUT_LABEL = """
SELECT (SELECT coalesce(sum(calls), 0) FROM {all} AS all_calls)
    > (SELECT coalesce(sum(calls), 0) FROM {labelled} AS labelled_calls) AS are_some
"""


def has_calls_without_label(filters: Filters, by_label: Filters) -> bool:
    found = row(
        CALLS_WITHOUT_LABEL,
        filters.params,
        all=sums.calls_sql(filters, "calls"),
        labelled=sums.calls_sql(by_label, "calls"),
    )
    return bool(found["are_some"])


def has_sums_of_users(parameters: Parameters, filters: Filters) -> bool:
    if needs_rows(parameters) or parameters.counts_tools or USER_DIMENSION in parameters.by:
        return False
    return bool(sums.users_rollup(sums.with_label_sums(filters), *parameters.by).widths)


HISTOGRAMS = {"latency_bucket": sums.LATENCIES, "first_token_bucket": sums.FIRST_TOKENS}


def has_histogram(parameters: Parameters, filters: Filters, bucket: str) -> bool:
    if len(parameters.by) > 1:
        return False
    if parameters.counts_tools:
        of_tools = replace(filters, counts_tools=True)
        knows = sums.TOOL_LATENCIES.rollup(of_tools, *tool_keys(parameters)) is not None
        return knows and bucket == sums.TOOL_LATENCIES.bucket
    if by_label := by_labels(parameters, filters):
        return HISTOGRAMS[bucket].rollup(by_label) is not None
    return not needs_rows(parameters) and HISTOGRAMS[bucket].rollup(filters, *parameters.by) is not None


def tool_keys(parameters: Parameters) -> set[str]:
    return {*parameters.by, *([TOOL] if any(parameters.tool) else [])}


def histogram(parameters: Parameters, filters: Filters, bucket: str) -> Source:
    """Returns calls by latency_bucket, dimensions and bucket of time."""
    params, condition = params_of(parameters, filters), "true"
    if by_label := by_labels(parameters, filters):
        sums_of = HISTOGRAMS[bucket].sql
        numbered = Numbered(
            parameters.by[0], LABEL, lambda *_, by_bucket: sums_of(by_label, by_bucket=by_bucket), *LABELS
        )
        return Source(numbered_sql(parameters, filters, numbered, ("calls",), bucket), params)
    if parameters.counts_tools:
        of_tools = replace(filters, counts_tools=True)
        calls = sums.TOOL_LATENCIES.sql(of_tools, *tool_keys(parameters), by_bucket=parameters.is_series)
        condition = " AND ".join(tool_filter(parameters).conditions) or "true"
    else:
        calls = HISTOGRAMS[bucket].sql(filters, *parameters.by, by_bucket=parameters.is_series)
    sql = SELECT.format(
        columns=f"{keys_sql(parameters, filters)}, {bucket} AS latency_bucket, calls",
        table=f"{calls} AS calls",
        condition=condition,
    )
    return Source(sql, params)


SCORES = "workspace_id = %(workspace_id)s AND timestamp >= %(start)s AND timestamp < %(end)s AND name = %(score)s"


def scores(parameters: Parameters, filters: Filters, measure: str) -> Source:
    """Returns the scores of one name. Unlike calls, they are not restricted to an operation by default."""
    conditions = (SCORES, *column_conditions(filters), *trace_conditions(filters))
    names = [label_column(column) if name.startswith(LABEL_PREFIX) else name for column, name in dimensions(parameters)]
    columns = f"{keys_sql(parameters, filters, names)}, number"
    sql = SELECT.format(columns=columns, table="scores", condition="\n      AND ".join(conditions))
    params = params_of(parameters, filters) | score_params(filters) | {"score": measure.removeprefix(SCORE_PREFIX)}
    return Source(sql, params)
