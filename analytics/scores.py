"""Reads scores: their list, and what they add up to for each name."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, NamedTuple

from pydantic import Field
from typing_extensions import TypedDict

from traces.db import rows
from traces.filters import LABEL_PREFIX, Filters, sql_filter
from traces.rollups.catalogue import HOUR
from traces.scores import SEARCH_DISTANCE

SUM_KEYS = ("agent_id", "provider", "model", "environment", "release")
"""The filters that the sums have as keys. With others rows are read."""
SCORE_COLUMNS = (*SUM_KEYS, "operation", "user_id", "session_id")
"""The filters that are columns of a score, beside its labels. For others its trace is looked at."""
CATEGORIES_SHOWN = 20


# --- The filters ---


# A score of a span is of that span, any other of all spans of its trace.
SCORED = """EXISTS (
        SELECT
        FROM traces
        WHERE traces.workspace_id = %(workspace_id)s
          AND traces.timestamp >= %(first_trace)s AND traces.timestamp < %(last_trace)s
          AND traces.trace_id = scores.trace_id
          AND (scores.span_id IS NULL OR traces.span_id = scores.span_id)
          AND {condition}
      )"""


def filter_sql(conditions: Iterable[str]) -> str:
    return "".join(f"\n      AND {condition}" for condition in conditions)


def column_conditions(filters: Filters) -> list[str]:
    """Returns the conditions on the columns of scores, and of their sums if those have the columns.

    Unlike calls, scores are not restricted to an operation by default.
    """
    names = [name for name in filters.active_names if name in SCORE_COLUMNS]
    columns = [
        condition for name in names for condition in sql_filter(name, name, name, filters.values[name]).conditions
    ]
    labels = zip(filters.active_names, filters.sql_filters, strict=True)
    return columns + [
        condition for name, found in labels if name.startswith(LABEL_PREFIX) for condition in found.conditions
    ]


def trace_conditions(filters: Filters) -> list[str]:
    """Returns the conditions of the filters that only the traces of the scores know."""
    unknown = [
        found
        for name, found in zip(filters.active_names, filters.sql_filters, strict=True)
        if name not in SCORE_COLUMNS and not name.startswith(LABEL_PREFIX)
    ]
    included = [found.included for found in unknown if found.included]
    excluded = [found.excluded for found in unknown if found.excluded]
    return [
        *([SCORED.format(condition=" AND ".join(included))] if included else ()),
        *(f"NOT {SCORED.format(condition=condition)}" for condition in excluded),
    ]


# --- One row for each name ---


class CategoryShare(TypedDict):
    category: str | None
    """A text, `true` or `false`. Null: all categories past the twentieth together."""
    scores: int
    percentage: float
    """Of all scores of this name."""


class ScoreSummary(TypedDict):
    name: str
    scores: int
    average: Annotated[float | None, Field(description="Of numbers, and of booleans as 1 and 0; else null.")]
    standard_deviation: Annotated[float | None, Field(description="Null where no score is a number.")]
    categories: list[CategoryShare]


class ScoreSummaries(TypedDict):
    data: list[ScoreSummary]


SUMMARIES = """
WITH parts AS (
    SELECT name, category, scores, numbers, number, squared_number
    FROM score_sums
    WHERE workspace_id = %(workspace_id)s
      AND %(reads_sums)s AND bucket >= %(first_hour)s AND bucket < %(last_hour)s{sum_filters}
    UNION ALL
    SELECT name, category, 1, (number IS NOT NULL)::integer, coalesce(number, 0), coalesce(number * number, 0)
    FROM scores
    WHERE workspace_id = %(workspace_id)s
      AND timestamp >= %(start)s AND timestamp < %(end)s
      AND NOT (%(reads_sums)s AND timestamp >= %(first_hour)s AND timestamp < %(last_hour)s){row_filters}
), categories AS (
    SELECT
        name,
        category,
        sum(scores)::bigint AS scores,
        row_number() OVER (PARTITION BY name ORDER BY sum(scores) DESC, category) AS place
    FROM parts
    WHERE category IS NOT NULL
    GROUP BY name, category
    HAVING sum(scores) > 0
), shown AS (
    SELECT name, CASE WHEN place <= %(categories)s THEN category END AS category, sum(scores)::bigint AS scores
    FROM categories
    GROUP BY 1, 2
), totals AS (
    SELECT
        name,
        sum(scores)::bigint AS scores,
        sum(numbers) AS numbers,
        sum(number) AS number,
        sum(squared_number) AS squared_number
    FROM parts
    GROUP BY name
    HAVING sum(scores) > 0
    ORDER BY 2 DESC, 1
    LIMIT %(limit)s
)
SELECT
    name,
    totals.scores,
    number / NULLIF(numbers, 0) AS average,
    CASE WHEN numbers > 0 THEN
        sqrt(greatest(squared_number / NULLIF(numbers, 0) - (number / NULLIF(numbers, 0)) ^ 2, 0))
    END AS standard_deviation,
    coalesce(
        json_agg(
            json_build_object(
                'category', shown.category,
                'scores', shown.scores,
                'percentage', 100.0 * shown.scores / totals.scores
            )
            ORDER BY (shown.category IS NULL), shown.scores DESC, shown.category
        ) FILTER (WHERE shown.scores IS NOT NULL),
        '[]'
    ) AS categories
FROM totals
LEFT JOIN shown USING (name)
GROUP BY name, totals.scores, numbers, number, squared_number
ORDER BY totals.scores DESC, name
"""


def scores(filters: Filters) -> ScoreSummaries:
    """The most frequent names first. The filter by operation selects the scores that were given to such a span."""
    of_sums = column_conditions(filters) if sums_know(filters) else []
    of_rows = column_conditions(filters) + trace_conditions(filters)
    conditions = {"sum_filters": filter_sql(of_sums), "row_filters": filter_sql(of_rows)}
    return {"data": rows(SUMMARIES, summary_params(filters), ScoreSummary, **conditions)}


def sums_know(filters: Filters) -> bool:
    return {*filters.values} <= {*SUM_KEYS}


def summary_params(filters: Filters) -> dict[str, Any]:
    """Returns the parameters: whole hours are read from the sums, the edges of the window from rows."""
    first_hour, last_hour = hour_from(filters.start), hour_until(filters.end)
    return score_params(filters) | {
        "first_hour": first_hour,
        "last_hour": last_hour,
        "reads_sums": sums_know(filters) and first_hour < last_hour,
        "categories": CATEGORIES_SHOWN,
    }


def score_params(filters: Filters) -> dict[str, Any]:
    """Returns the filters' parameters, with the time in which the scores' traces are looked for."""
    return filters.params | {
        "first_trace": filters.start - SEARCH_DISTANCE,
        "last_trace": filters.end + SEARCH_DISTANCE,
    }


def hour_until(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def hour_from(moment: datetime) -> datetime:
    hour = hour_until(moment)
    return hour if hour == moment else hour + HOUR.length


# --- The list ---


class ScoreFilters(NamedTuple):
    """What the list can be narrowed by, in addition to the window and the dimensions."""

    name: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    source: str | None = None

    @property
    def conditions(self) -> list[str]:
        return [f"{name} = %({name})s" for name, value in self._asdict().items() if value is not None]


class ListedScore(TypedDict):
    id: str
    trace_id: str | None
    span_id: str | None
    session_id: str | None
    name: str
    value: Annotated[float | bool | str, Field(description="As it was sent: a number, a boolean or a text.")]
    comment: str | None
    source: str
    author: Annotated[str | None, Field(description="The credential that sent it.")]
    timestamp: datetime


class ScoreList(TypedDict):
    data: list[ListedScore]
    next_cursor: Annotated[str | None, Field(description="Give it as `cursor` for the next page; null on the last.")]


class Place(NamedTuple):
    """The last score of a page."""

    timestamp: datetime
    id: str


LIST = """
SELECT
    id,
    trace_id,
    span_id,
    session_id,
    name,
    number,
    category,
    comment,
    source,
    author,
    timestamp
FROM scores
WHERE workspace_id = %(workspace_id)s
      AND timestamp >= %(start)s AND timestamp < %(end)s
      AND (%(before)s::timestamptz IS NULL OR (timestamp, id) < (%(before)s, %(before_id)s)){filters}
ORDER BY timestamp DESC, id DESC
LIMIT %(limit)s + 1
"""


def score_list(filters: Filters, narrowed: ScoreFilters, after: Place | None) -> tuple[list[ListedScore], Place | None]:
    """Returns a page of scores, the newest first, and the place where the next page begins; None on the last."""
    params = score_params(filters) | narrowed._asdict()
    before = {"before": after.timestamp if after else None, "before_id": after.id if after else None}
    found = rows(LIST, params | before, filters=filter_sql(list_conditions(filters, narrowed)))
    page = [listed(row) for row in found[: filters.limit]]
    return page, Place(page[-1]["timestamp"], page[-1]["id"]) if len(found) > filters.limit else None


def list_conditions(filters: Filters, narrowed: ScoreFilters) -> list[str]:
    """Returns the conditions on scores besides the window; their parameters are `score_params` and the fields."""
    return [*column_conditions(filters), *trace_conditions(filters), *narrowed.conditions]


def listed(row: dict[str, Any]) -> ListedScore:
    number, category = row.pop("number"), row.pop("category")
    value = category if number is None else float(number) if category is None else category == "true"
    score: Any = {"value": value, **row}
    return {name: score[name] for name in ListedScore.__annotations__}  # type: ignore[return-value]
