"""Answers `/api/v1/query`: any measures by up to two dimensions, as a table or a series.

The groups are ranked by one measure, and `limit` of them are listed. Then each source is asked once for the figures of
the listed groups, of the rest and of all: sums of calls, users, percentiles, scores.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import nsmallest
from operator import itemgetter
from typing import Annotated, Any, Literal, NamedTuple

import orjson
from django.conf import settings
from pydantic import Field
from typing_extensions import TypedDict

from analytics import query_sources as sources
from analytics.answers import check_size
from analytics.percentiles import (
    PercentileMethod,
    added_up,
    calls_by_bucket,
    calls_of_window,
    estimated,
    histograms,
)
from analytics.query_measures import FIRST_TOKENS, LATENCIES, SCORE_PREFIX, SUMS, USERS, Measure, measure
from analytics.query_parameters import Parameters
from analytics.query_sources import Source, columns_of
from traces import sums
from traces.buckets import Granularity
from traces.db import each_row, rows
from traces.filters import LABEL_PREFIX, Filters
from traces.rollups.catalogue import is_same_sql
from web.problems import Problem

MAX_ROWS = 1_000_000
"""The most calls of a window that are read one by one for two dimensions, or for users."""
Line = Annotated[
    dict[str, Any],
    Field(description="By the names that were asked for, with `previous` where `compare` is given."),
]


class QueryAnswer(TypedDict):
    measures: list[str]
    by: list[str]
    granularity: Granularity | None
    """Null for a table."""
    percentile_method: PercentileMethod | None
    """Of the percentiles; null where none was asked for."""
    data: list[Line]
    """A line for each group, in a series for each bucket of it. A null dimension is the group without a value."""
    rest: Line | None
    """All groups past the limit together; null if there is none. In a series it has its own `data`."""
    totals: Line
    """Of all calls of the window."""


Group = tuple[str | None, ...]
Place = int | Literal["rest", "total"]
"""The place of a listed group, counted from 1, or what the figures sum instead."""


class Point(NamedTuple):
    place: Place
    timestamp: datetime | None = None
    """Start of the bucket; None: the whole window."""


@dataclass
class Figures:
    groups: list[Group]
    """Those that are listed, in their order."""
    values: dict[Point, dict[str, Any]] = field(default_factory=dict)
    """By measure. A point without calls is absent."""

    def add(self, found: dict[Point, dict[str, Any]]) -> None:
        for point, values in found.items():
            self.values.setdefault(point, {}).update(values)


# --- SQL ---

RANKED = """
    SELECT {dimensions}, row_number() OVER (ORDER BY {value} {direction} NULLS LAST, {dimensions}) AS place
    FROM source
    WHERE {is_value}
    GROUP BY {dimensions}
    ORDER BY place
    LIMIT %(limit)s"""
GIVEN = """
    SELECT *
    FROM unnest({groups}) WITH ORDINALITY AS given ({names})"""
GROUPED = """
WITH source AS ({source}
), listed AS ({listed}
)
SELECT
    GROUPING(place) = 1 AS is_total,
    {keys},
    {values}
FROM source
LEFT JOIN listed ON {same}
GROUP BY GROUPING SETS ({sets})
"""
# A group without a latency, or without a score, has calls and is ranked too: after the others. Without statistics, a
# join of the two would compare each group with each other.
RANKED_ELSEWHERE = """
WITH groups AS ({groups}
), measured AS ({measured}
), both_sides AS (
    SELECT {dimensions}, NULL::float8 AS value, true AS has_calls FROM groups WHERE {is_value}
    UNION ALL
    SELECT {dimensions}, value, false FROM measured
)
SELECT {dimensions}
FROM both_sides
GROUP BY {dimensions}
HAVING bool_or(has_calls)
ORDER BY max(value) {direction} NULLS LAST, {dimensions}
LIMIT %(limit)s
"""
VALUE_OF_ROWS = """
    SELECT {dimensions}, {value} AS value
    FROM ({source}) AS source
    GROUP BY {dimensions}"""
# Of each group its histogram; of a group whose calls have no latency, none.
HISTOGRAMS_OF_GROUPS = """
WITH both_sides AS (
    SELECT {dimensions}, NULL::integer AS latency_bucket, NULL::bigint AS calls, true AS has_calls
    FROM ({groups}) AS groups
    WHERE {is_value}
    UNION ALL
    SELECT {dimensions}, latency_bucket, calls::bigint, false
    FROM ({source}) AS source
)
SELECT
    {dimensions},
    coalesce(array_agg(latency_bucket) FILTER (WHERE NOT has_calls), '{{}}') AS latency_buckets,
    coalesce(array_agg(calls) FILTER (WHERE NOT has_calls), '{{}}') AS calls
FROM both_sides
GROUP BY {dimensions}
HAVING bool_or(has_calls)
"""
DISTINCT_USERS = """
SELECT {timestamp} AS timestamp, users
FROM {users} AS distinct_users
"""
HISTOGRAM_OF_POINTS = """
    SELECT {timestamp} AS timestamp, place, latency_bucket, calls
    FROM ({source}) AS source
    LEFT JOIN ({listed}) AS listed ON {same}"""


def same_sql(names: Sequence[str], left: str, right: str) -> str:
    return " AND ".join(is_same_sql(f"{left}.{name}", f"{right}.{name}") for name in names) or "true"


def point_keys(parameters: Parameters) -> tuple[str, str]:
    """Returns the columns of a point, and the grouping sets: each point, each group of the window, and all."""
    group = ["place", *(f"listed.{name}" for name in columns_of(parameters))]
    sets = [group, [], *([["timestamp", *group]] if parameters.is_series else [])]
    timestamp = "timestamp" if parameters.is_series else "NULL::timestamptz AS timestamp"
    keys = ", ".join([timestamp, "place", *(f"listed.{name}" for name in columns_of(parameters))])
    return keys, ", ".join(f"({', '.join(names)})" for names in sets)


def given_sql(parameters: Parameters, groups: Sequence[Group]) -> tuple[str, dict[str, Any]]:
    """Returns groups that are known already, as SQL with its parameters."""
    names = columns_of(parameters)
    if not names:
        return " SELECT 1 AS place", {}
    params = {f"given_{name}": [group[place] for group in groups] for place, name in enumerate(names)}
    arrays = ", ".join(f"%({name})s::text[]" for name in params)
    return GIVEN.format(groups=arrays, names=", ".join((*names, "place"))), params


def ranked_sql(parameters: Parameters) -> str:
    names = ", ".join(columns_of(parameters))
    return RANKED.format(
        dimensions=names,
        value=measure(parameters.order_measure).sql,
        direction=parameters.direction,
        is_value=is_value_sql(parameters),
    )


def is_value_sql(parameters: Parameters) -> str:
    """Returns a condition that leaves out what the sums by a label do not tell apart: it belongs to the rest."""
    dimensions = zip(columns_of(parameters), parameters.by, strict=True)
    labels = [column for column, name in dimensions if name.startswith(LABEL_PREFIX)]
    return " AND ".join(f"{column} IS DISTINCT FROM ''" for column in labels) or "true"


# --- Figures ---


def figures(parameters: Parameters, filters: Filters, groups: list[Group] | None = None) -> Figures:
    """Returns the figures of the window. Without `groups` it ranks them."""
    if groups is None and parameters.by and parameters.order_measure not in SUMS:
        groups = ranked_elsewhere(parameters, filters, sum_of_calls(parameters, filters))
    found = add_sums(parameters, filters, groups)
    # The calls of the window decide how percentiles and users are found.
    calls = found.values[Point("total")]["calls"]
    if names := named(parameters, USERS):
        found.add(unique_users(parameters, filters, calls, names, found.groups))
    if not parameters.counts_tools and (names := named(parameters, FIRST_TOKENS)):
        found.add(durations(parameters, filters, calls, names, found.groups))
    if names := named(parameters, LATENCIES):
        found.add(durations(parameters, filters, calls, names, found.groups))
    for name in parameters.measures:
        if name.startswith(SCORE_PREFIX):
            source = sources.scores(parameters, filters, name)
            found.add(points(parameters, filters, source, {name: measure(name)}, found.groups))
    return found


def named(parameters: Parameters, measures: dict[str, Measure]) -> dict[str, Measure]:
    return {name: measures[name] for name in parameters.measures if name in measures}


def sum_of_calls(parameters: Parameters, filters: Filters) -> int:
    """Returns the calls of the window."""
    alone = replace(parameters, measures=("calls",), by=(), is_series=False)
    calls: int = add_sums(alone, filters, None).values[Point("total")]["calls"]
    return calls


def add_sums(parameters: Parameters, filters: Filters, groups: list[Group] | None) -> Figures:
    measures = {"calls": SUMS["calls"]} | named(parameters, SUMS)
    columns = tuple(dict.fromkeys(("calls", *(name for found in measures.values() for name in found.columns))))
    source = sources.summed_calls(parameters, filters, columns)
    if not parameters.by:
        groups = [()]
    by_place: dict[int, Group] = {}
    values = points(parameters, filters, source, measures, groups, by_place)
    return Figures(groups if groups is not None else [by_place[place] for place in sorted(by_place)], values)


def points(
    parameters: Parameters,
    filters: Filters,
    source: Source,
    measures: dict[str, Measure],
    groups: list[Group] | None,
    found_groups: dict[int, Group] | None = None,
) -> dict[Point, dict[str, Any]]:
    """Returns the measures of each point. Without `groups` they are ranked, and added to `found_groups` by place."""
    listed, params = (ranked_sql(parameters), {}) if groups is None else given_sql(parameters, groups)
    keys, sets = point_keys(parameters)
    names = columns_of(parameters)
    found = rows(
        GROUPED,
        source.params | params,
        source=source.sql,
        listed=listed,
        keys=keys,
        same=same_sql(names, "source", "listed"),
        sets=sets,
        values=", ".join(f"{values.sql} AS value_{place}" for place, values in enumerate(measures.values())),
    )
    if found_groups is not None:
        found_groups |= {row["place"]: tuple(row[name] for name in names) for row in found if row["place"]}
    return {point_of(row): {name: row[f"value_{place}"] for place, name in enumerate(measures)} for row in found}


def point_of(row: dict[str, Any]) -> Point:
    return Point("total" if row["is_total"] else row["place"] or "rest", row["timestamp"])


def ranked_elsewhere(parameters: Parameters, filters: Filters, calls: int) -> list[Group]:
    """Returns the groups that come first by a measure that is no sum."""
    table, name = replace(parameters, is_series=False), parameters.order_measure
    groups = sources.summed_calls(table, filters, ("calls",))
    if name in DURATIONS and method(table, filters, calls, bucket_of(name)) == "histogram":
        return ranked_by_estimate(table, filters, groups)
    source = ranking_source(table, filters, calls)
    names = ", ".join(columns_of(parameters))
    found = rows(
        RANKED_ELSEWHERE,
        groups.params | source.params,
        groups=groups.sql,
        measured=VALUE_OF_ROWS.format(dimensions=names, value=measure(name).sql, source=source.sql),
        dimensions=names,
        direction=parameters.direction,
        is_value=is_value_sql(parameters),
    )
    return [tuple(row.values()) for row in found]


def ranked_by_estimate(parameters: Parameters, filters: Filters, groups: Source) -> list[Group]:
    """Returns the groups that come first by a percentile, which is estimated from the histogram of each."""
    name, names = parameters.order_measure, columns_of(parameters)
    source = sources.histogram(parameters, filters, bucket_of(name))
    found = each_row(
        HISTOGRAMS_OF_GROUPS,
        groups.params | source.params,
        groups=groups.sql,
        source=added_up(source.sql, ", ".join(names)),
        dimensions=", ".join(names),
        is_value=is_value_sql(parameters),
    )
    sign = -1 if parameters.direction == "DESC" else 1

    def ranked() -> Iterator[tuple[bool, float, list[tuple[bool, str]], Group]]:
        for row in found:
            group = tuple(row[name] for name in names)
            percentiles: Mapping[str, Any] = estimated(calls_by_bucket(row["latency_buckets"], row["calls"]))
            value = percentiles[estimate_of(name)]
            # As the database sorts: no value comes last, and texts by their bytes.
            yield value is None, sign * (value or 0), [(text is None, text or "") for text in group], group

    return [group for *_, group in nsmallest(filters.limit, ranked(), key=itemgetter(0, 1, 2))]


def ranking_source(parameters: Parameters, filters: Filters, calls: int) -> Source:
    name = parameters.order_measure
    if name.startswith(SCORE_PREFIX):
        return sources.scores(parameters, filters, name)
    if name in USERS:
        return user_source(parameters, filters, calls)
    check_rows(parameters, calls, {name: measure(name)})
    return sources.calls(parameters, filters, measure(name).columns)


def unique_users(
    parameters: Parameters, filters: Filters, calls: int, names: dict[str, Measure], groups: list[Group]
) -> dict[Point, dict[str, Any]]:
    if parameters.by or parameters.counts_tools:
        return points(parameters, filters, user_source(parameters, filters, calls), names, groups)
    users: dict[Point, int] = {}
    for row in distinct_users(filters, by_bucket=False):  # one at most
        users |= {Point("total"): row["users"], Point(1): row["users"]}
    if parameters.is_series:
        users |= {Point(1, row["timestamp"]): row["users"] for row in distinct_users(filters, by_bucket=True)}
    return {point: dict.fromkeys(names, count) for point, count in users.items()}


def distinct_users(filters: Filters, by_bucket: bool) -> list[dict[str, Any]]:
    timestamp = "timestamp" if by_bucket else "%(start)s::timestamptz"
    return rows(
        DISTINCT_USERS, filters.params, timestamp=timestamp, users=sums.distinct_users_sql(filters, by_bucket=by_bucket)
    )


def user_source(parameters: Parameters, filters: Filters, calls: int) -> Source:
    if not sources.has_sums_of_users(parameters, filters):
        check_rows(parameters, calls, USERS)
    return sources.users(parameters, filters)


# --- Percentiles ---


DURATIONS = LATENCIES | FIRST_TOKENS
"""Measures that are percentiles."""


def bucket_of(name: str) -> str:
    """Returns the key of the histogram that has the measure."""
    return "first_token_bucket" if name in FIRST_TOKENS else "latency_bucket"


def estimate_of(name: str) -> str:
    """Returns the name under which `estimated` returns the measure."""
    return name.replace("first_token", "latency")


def method(parameters: Parameters, filters: Filters, calls: int, bucket: str) -> PercentileMethod:
    """Returns how percentiles are found: from rows, if no sums know them or few rows have to be looked at."""
    if not sources.has_histogram(parameters, filters, bucket):
        return "exact"
    # The rows of a filter have no index: all those of the window are looked at.
    is_narrowed = bool(filters.active_filters) or parameters.counts_tools
    looked_at = max(calls, calls_of_window(filters)) if is_narrowed else calls
    return "exact" if looked_at <= settings.EXACT_PERCENTILE_ROWS else "histogram"


def durations(
    parameters: Parameters, filters: Filters, calls: int, names: dict[str, Measure], groups: list[Group]
) -> dict[Point, dict[str, Any]]:
    """Returns percentiles, all of latency or all of the time to the first token."""
    first = next(iter(names))
    if method(parameters, filters, calls, bucket_of(first)) == "exact":
        check_rows(parameters, calls, names)
        source = sources.calls(parameters, filters, names[first].columns)
        return points(parameters, filters, source, names, groups)
    source = sources.histogram(parameters, filters, bucket_of(first))
    listed, params = given_sql(parameters, groups)
    histogram = HISTOGRAM_OF_POINTS.format(
        timestamp="timestamp" if parameters.is_series else "NULL::timestamptz",
        source=source.sql,
        listed=listed,
        same=same_sql(columns_of(parameters), "source", "listed"),
    )
    found = estimated_points(histogram, source.params | params, parameters.is_series)
    return {point: {name: values[estimate_of(name)] for name in names} for point, values in found.items()}


def estimated_points(histogram: str, params: dict[str, Any], is_series: bool) -> dict[Point, Mapping[str, Any]]:
    """Returns the percentiles of each point, each group of the window, and all of it."""
    values: dict[Point, Mapping[str, Any]] = {}
    by_place: dict[Place, Counter[int]] = defaultdict(Counter)
    keys = "timestamp, place"
    for found, calls in histograms(histogram if is_series else added_up(histogram, keys), params, keys):
        place: Place = found["place"] or "rest"
        if is_series:
            values[Point(place, found["timestamp"])] = estimated(calls)
        by_place[place].update(calls)
    for of_place in list(by_place.values()):
        by_place["total"].update(of_place)
    return values | {Point(place): estimated(calls) for place, calls in by_place.items()}


def check_rows(parameters: Parameters, calls: int, names: dict[str, Measure]) -> None:
    """Raises a 422 Problem if too many calls would be read one by one."""
    if calls > MAX_ROWS and (len(parameters.by) > 1 or "user_id" in parameters.by):
        message = (
            f"the window holds {calls:,} calls, and {', '.join(names)} by {' and '.join(parameters.by)} can be found "
            f"for {MAX_ROWS:,} at most; use one dimension other than user_id, or a shorter window"
        )
        raise Problem(422, "The query is too large.", [{"loc": ["query", "by"], "msg": message}])


# --- The answer ---


def answer(parameters: Parameters, filters: Filters) -> QueryAnswer:
    now = figures(parameters, filters)
    starts = filters.bucket_starts if parameters.is_series else (None,)
    check_size(size_of(parameters, now.groups) * len(starts))
    earlier = earlier_filters(parameters, filters)
    before = figures(parameters, earlier, now.groups) if earlier else None
    earlier_starts = earlier.bucket_starts if earlier and parameters.is_series else (None,) * len(starts)
    lines = Lines(parameters, now, before, list(zip(starts, earlier_starts, strict=True)))
    percentiles = [name for name in DURATIONS if name in parameters.measures]
    calls = now.values[Point("total")]["calls"]
    return {
        "measures": list(parameters.measures),
        "by": list(parameters.by),
        "granularity": filters.granularity if parameters.is_series else None,
        "percentile_method": method(parameters, filters, calls, bucket_of(percentiles[0])) if percentiles else None,
        "data": list(lines.data()),
        "rest": lines.summary("rest") if Point("rest") in now.values else None,
        "totals": lines.line(Point("total"), Point("total")),
    }


def size_of(parameters: Parameters, groups: list[Group]) -> int:
    """Returns how many bytes the names of a bucket's lines have."""
    keys = len(orjson.dumps([*parameters.measures, *parameters.by]))
    return sum(keys + len(orjson.dumps(group)) for group in groups) * (2 if parameters.compare else 1)


@dataclass
class Lines:
    """Makes the lines of the answer from the figures of both windows."""

    parameters: Parameters
    now: Figures
    before: Figures | None
    starts: list[tuple[datetime | None, datetime | None]]
    """Each bucket's start, and that of the bucket it is compared with; None: the whole window."""

    def data(self) -> Iterator[dict[str, Any]]:
        for place, group in enumerate(self.now.groups, start=1):
            names = dict(zip(self.parameters.by, group, strict=True))
            for start, earlier in self.starts:
                yield self.timestamp(start) | names | self.line(Point(place, start), Point(place, earlier))

    def summary(self, place: Place) -> dict[str, Any]:
        line = self.line(Point(place), Point(place))
        if not self.parameters.is_series:
            return line
        series = [
            self.timestamp(start) | self.line(Point(place, start), Point(place, earlier))
            for start, earlier in self.starts
        ]
        return line | {"data": series}

    def timestamp(self, start: datetime | None) -> dict[str, Any]:
        return {} if start is None else {"timestamp": start}

    def line(self, point: Point, earlier: Point) -> dict[str, Any]:
        line = self.measures(self.now, point)
        return line | ({"previous": self.measures(self.before, earlier)} if self.before else {})

    def measures(self, figures: Figures, point: Point) -> dict[str, Any]:
        values = figures.values.get(point, {})
        return {name: self.value(name, values) for name in self.parameters.measures}

    def value(self, name: str, values: dict[str, Any]) -> Any:
        found = measure(name)
        if self.parameters.counts_tools and not found.is_of_tools:
            return None
        return values.get(name, found.of_nothing)


# --- The window to compare with ---


@dataclass(frozen=True, slots=True)
class EarlierFilters(Filters):
    """The filters of an earlier window. Its buckets are those of the later one, moved: they need not begin at one."""

    moved_starts: tuple[datetime, ...] = ()

    @property
    def bucket_starts(self) -> tuple[datetime, ...]:
        return self.moved_starts

    @property
    def has_equal_buckets(self) -> bool:
        return False


def earlier_filters(parameters: Parameters, filters: Filters) -> Filters | None:
    if parameters.compare is None:
        return None
    length = filters.end - filters.start

    def earlier(moment: datetime) -> datetime:
        if parameters.compare == "previous":
            return moment - length
        if parameters.is_series and filters.granularity in ("minute", "hourly"):
            return moment - timedelta(days=7)
        # The same wall clock, so that a day is compared with a day where clocks change.
        local = moment.astimezone(filters.zone)
        return (local.replace(tzinfo=None) - timedelta(days=7)).replace(tzinfo=filters.zone).astimezone(moment.tzinfo)

    values = {name: getattr(filters, name) for name in Filters.__slots__}
    values |= {"start": earlier(filters.start), "end": earlier(filters.end)}
    return EarlierFilters(**values, moved_starts=tuple(map(earlier, filters.bucket_starts)))
