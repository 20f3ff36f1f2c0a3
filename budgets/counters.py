"""Sums what budgets have spent, in few queries: many budgets at once, and all values of a template at once."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypedDict, TypeVar

from budgets.models import Budget
from budgets.periods import DAY, Days
from budgets.spending import USER, spend_filters, spend_sql
from traces import engines, sums
from traces.bucket_series import bucket_sql
from traces.db import rows, union_rows
from traces.engines.protocol import RollupState
from traces.filters import LABEL_PREFIX, Filters, FilterValues
from traces.labels import OTHERS
from traces.rollups.catalogue import LABEL

QUERIES_AT_ONCE = 200
"""The planner's time for a union grows faster than the number of its parts."""
Item = TypeVar("Item")


class Spent(TypedDict):
    place: int
    spend_usd: Decimal


class SpentOnDay(Spent):
    timestamp: datetime


class SpentOf(Spent):
    value: str


SPENT = "SELECT {place} AS place, coalesce(sum(cost_usd), 0) AS spend_usd FROM {calls} AS calls"
SPENT_ON_DAYS = """
SELECT {place} AS place, {bucket} AS timestamp, sum(cost_usd) AS spend_usd
FROM {calls} AS calls
GROUP BY 2
"""
LARGEST = """
SELECT {place} AS place, {value} AS value, spend_usd
FROM (
    SELECT {key} AS key, sum(cost_usd) AS spend_usd
    FROM {calls} AS calls
    WHERE {key} IS NOT NULL
    GROUP BY 1
    HAVING sum(cost_usd) > 0
    ORDER BY 2 DESC, 1
    LIMIT {limit}
) AS largest
"""


def filters_of(budget: Budget, days: Days, value: str | None = None) -> Filters:
    """Returns the filters of a budget's calls over these days; of a template, those of one of its values."""
    values = budget.filter_values
    if value is not None:
        values = values | {budget.per_dimension: FilterValues((value,))}
    return spend_filters(budget.workspace_id, budget.workspace.zone, days, values)


def chunks(items: Sequence[Item], size: int = QUERIES_AT_ONCE) -> Iterator[Sequence[Item]]:
    return (items[first : first + size] for first in range(0, len(items), size))


def spent(windows: Sequence[Filters]) -> list[Decimal]:
    """Returns what was spent under each of the filters."""
    states = engines.rollup_states(*(one.workspace_id for one in windows)) if windows else {}
    found: dict[int, Decimal] = {}
    for part in chunks(list(enumerate(windows))):
        queries = [spent_query(place, one, states[one.workspace_id]) for place, one in part]
        found |= {row["place"]: row["spend_usd"] for row in union_rows(queries, Spent)}
    return [found[place] for place in range(len(windows))]


def spent_query(place: int, filters: Filters, state: RollupState) -> tuple[str, dict[str, Any]]:
    return SPENT.format(place=place, calls=spend_sql(filters, state=state)), filters.params


def spent_by_day(windows: Sequence[Filters]) -> list[dict[date, Decimal]]:
    """Returns for each of the filters what was spent on each day of its zone, 0 where nothing was."""

    def question() -> list[dict[date, Decimal]]:
        read_states(windows)
        found = [days_without_spend(one) for one in windows]
        for part in chunks(list(enumerate(windows))):
            for row in union_rows([day_query(place, one) for place, one in part], SpentOnDay):
                day = row["timestamp"].astimezone(windows[row["place"]].zone).date()
                found[row["place"]][day] = row["spend_usd"]
        return found

    return engines.recompute_if_hour_closed(question)


def day_query(place: int, filters: Filters) -> tuple[str, dict[str, Any]]:
    calls = spend_sql(filters, by_bucket=True)
    return SPENT_ON_DAYS.format(place=place, bucket=bucket_sql(filters), calls=calls), filters.params


def days_without_spend(filters: Filters) -> dict[date, Decimal]:
    first, until = (moment.astimezone(filters.zone).date() for moment in (filters.start, filters.end))
    return {first + i * DAY: Decimal(0) for i in range((until - first).days)}


def read_states(windows: Sequence[Filters]) -> None:
    """Reads how far the sums of all workspaces are filled, so that not each window asks for its own."""
    if windows:
        engines.rollup_states(*(one.workspace_id for one in windows))


# --- By values ---


class Source(NamedTuple):
    """Where the values of a dimension are counted."""

    filters: Filters
    calls: str
    key: str
    value: str
    """SQL for the value that a key stands for."""
    params: dict[str, Any]
    may_have_others: bool = False
    """It counts together the values that have no sums of their own."""


NAMED_USER = "(SELECT user_id FROM user_numbers WHERE workspace_id = %(workspace_id)s AND number = key)"
NAMED_LABEL = "(SELECT value FROM label_values WHERE workspace_id = %(workspace_id)s AND number = key)"
ROWS_BY_LABEL = """(
    SELECT labels ->> %(per_label)s AS label_value, coalesce(cost_usd, 0) AS cost_usd
    FROM traces
    WHERE {condition}
)"""


def source_of(filters: Filters, dimension: str, reads_rows: bool = False) -> Source:
    """Returns the calls by the values of a dimension, from the sums that have it."""
    if dimension == "user_id":
        return Source(filters, spend_sql(filters, USER), USER, NAMED_USER, filters.params)
    if not dimension.startswith(LABEL_PREFIX):
        return Source(filters, spend_sql(filters, dimension), dimension, "key", filters.params)
    name = dimension.removeprefix(LABEL_PREFIX)
    has_label_filter = any(other.startswith(LABEL_PREFIX) for other in filters.values)
    numbered = None if reads_rows or has_label_filter else sums.grouped_by_label(filters, name)
    if numbered:
        return Source(numbered, spend_sql(numbered, LABEL), LABEL, NAMED_LABEL, numbered.params, may_have_others=True)
    calls = ROWS_BY_LABEL.format(condition=filters.row_condition)
    return Source(filters, calls, "label_value", "key", filters.params | {"per_label": name})


class ValueSpend(NamedTuple):
    value: str
    spend_usd: Decimal


class Values(NamedTuple):
    """What the values of a template have spent."""

    number: int
    near: int
    """Those from the lowest warning up to the limit."""
    over: int
    """Those that have reached the limit."""
    total_usd: Decimal
    listed: list[ValueSpend]
    """Those with the most."""
    found: int
    """How many could be listed."""


class ValueRow(TypedDict):
    number: int
    near: int
    over: int
    total_usd: Decimal
    found: int | None
    value: str | None
    spend_usd: Decimal | None


VALUES = """
WITH spent AS MATERIALIZED (
    SELECT {key} AS key, sum(cost_usd) AS spend_usd
    FROM {calls} AS calls
    WHERE {key} IS NOT NULL
    GROUP BY 1
), counts AS (
    SELECT
        count(*) AS number,
        count(*) FILTER (WHERE spend_usd >= %(near_usd)s AND spend_usd < %(limit_usd)s) AS near,
        count(*) FILTER (WHERE spend_usd >= %(limit_usd)s) AS over,
        coalesce(sum(spend_usd), 0) AS total_usd
    FROM spent
), listed AS (
    SELECT {value} AS value, spend_usd, count(*) OVER () AS found
    FROM spent
    WHERE spend_usd >= %(least_usd)s
      AND (%(search)s = '' OR strpos(lower({value}), lower(%(search)s)) > 0)
    ORDER BY spend_usd DESC, key
    LIMIT %(most)s
)
SELECT counts.*, listed.found, listed.value, listed.spend_usd
FROM counts
LEFT JOIN listed ON true
ORDER BY listed.spend_usd DESC, listed.value
"""


class Wanted(NamedTuple):
    """Which values are counted as near or over, and which are listed."""

    near_usd: Decimal
    limit_usd: Decimal
    least_usd: Decimal = Decimal(0)
    most: int = 100
    search: str = ""


def values_of(budget: Budget, days: Days, wanted: Wanted) -> Values:
    """Returns what each value of a template has spent, by one query."""

    def question(reads_rows: bool = False) -> Values:
        source = source_of(filters_of(budget, days), budget.per_dimension, reads_rows)
        found = rows(
            VALUES,
            source.params | wanted._asdict(),
            row_type=ValueRow,
            key=source.key,
            calls=source.calls,
            value=source.value,
        )
        if source.may_have_others and any(row["value"] == OTHERS for row in found):
            return question(reads_rows=True)
        return values_in(found)

    return engines.recompute_if_hour_closed(question)


def values_in(found: Sequence[ValueRow]) -> Values:
    first = found[0]
    listed = [
        ValueSpend(row["value"], row["spend_usd"])
        for row in found
        if row["value"] is not None and row["spend_usd"] is not None
    ]
    return Values(first["number"], first["near"], first["over"], first["total_usd"], listed, first["found"] or 0)


def largest(windows: Sequence[tuple[Filters, str]], limit: int) -> list[list[ValueSpend]]:
    """Returns for each of the filters the values of a dimension with the largest spend."""

    def question() -> list[list[ValueSpend]]:
        read_states([filters for filters, _ in windows])
        found: list[list[ValueSpend]] = [[] for _ in windows]
        for part in chunks(list(enumerate(windows))):
            queries = [largest_query(place, filters, dimension, limit) for place, (filters, dimension) in part]
            for row in union_rows(queries, SpentOf):
                found[row["place"]].append(ValueSpend(row["value"], row["spend_usd"]))
        return found

    return engines.recompute_if_hour_closed(question)


def largest_query(place: int, filters: Filters, dimension: str, limit: int) -> tuple[str, dict[str, Any]]:
    source = source_of(filters, dimension)
    sql = LARGEST.format(place=place, value=source.value, key=source.key, calls=source.calls, limit=limit)
    return sql, source.params
