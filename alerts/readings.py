"""Reads what the windows of many rules say, in few queries: rules that ask the same share one question.

The figures are those of `/api/v1/query`: from the same sums, under the same filters.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypedDict

from django.db import DatabaseError

from alerts.comparisons import BELOW, OF_LAST_WEEK, OF_PREVIOUS, UNUSUAL, Reading
from alerts.metrics import OF_USERS, SUMMED, Metric, metric_of
from alerts.models import Rule
from alerts.unusual import is_due, unusual_readings
from analytics import query, query_sources
from analytics.query import Point
from analytics.query_parameters import Parameters
from insights.change_parameters import a_week_before
from traces import engines
from traces.db import union_rows
from traces.filters import Filters
from web.problems import Problem, transient_cause

logger = logging.getLogger(__name__)

MOST_GROUPS = 10_000
"""Of a rule in one round: those with the most calls, or the most spend."""
QUERIES_AT_ONCE = 100
"""The planner's time for a union grows faster than the number of its parts."""
NO_ANSWER = "The database of traces did not answer in time."
TOO_SLOW = "It takes too long to compute. A shorter window or fewer filters take less."
NOT_COMPUTED = "It cannot be computed; the log of the worker has the reason."
MOST_TIMEOUTS = 3
"""Of a workspace in one round: so long the other workspaces wait."""
TRAFFIC = timedelta(days=30)
"""Where no call came for so long, none is missed."""
USER = "user_id"
COLUMNS = ("errors", "timed_calls", "latency_ms", "priced_calls", "cost_usd", "input_tokens", "output_tokens")


class Found(NamedTuple):
    """What a rule's window says about each group."""

    groups: Mapping[str, Reading]
    """By their value; by an empty text where the rule has one state."""
    number: int
    """How many groups there are; more than MOST_GROUPS are not all looked at."""
    fault: str = ""
    is_due: bool = True
    """False: nothing is to be read yet, and all stays as it is."""


class Part(NamedTuple):
    """A window of some calls, which several rules may need."""

    key: tuple[Any, ...]
    filters: Filters
    per: str
    """The dimension of the groups; empty for one."""
    source: str
    name: str
    """The metric, where it is no sum."""


def current_part(rule: Rule, end: datetime) -> Part:
    return part_of(rule, end - rule.window, end)


def earlier_part(rule: Rule, end: datetime) -> Part | None:
    """Returns the window that the rule compares with."""
    start = end - rule.window
    if rule.comparison in OF_PREVIOUS:
        return part_of(rule, start - rule.window, start)
    if rule.comparison in OF_LAST_WEEK:
        filters = filters_of(rule, start, end)
        return part_of(rule, a_week_before(start, filters), a_week_before(end, filters))
    return None


def part_of(rule: Rule, start: datetime, end: datetime) -> Part:
    metric, filters = metric_of(rule.metric), filters_of(rule, start, end)
    values = tuple((name, *map(tuple, filters.values[name])) for name in filters.active_names)
    # The sums of users know few measures: what is asked beside them would have all read from rows.
    is_of_users = USER in (rule.per_dimension, *filters.values)
    alone = rule.metric if is_of_users and rule.metric not in OF_USERS else ""
    key = (rule.workspace_id, start, end, values, rule.per_dimension, metric.source, is_of_users, alone)
    return Part(key, filters, rule.per_dimension, metric.source, rule.metric)


def filters_of(rule: Rule, start: datetime, end: datetime) -> Filters:
    return Filters(
        rule.workspace_id,
        start,
        end,
        granularity="daily",
        limit=MOST_GROUPS,
        values=rule.filter_values,
        zone=rule.workspace.zone,
    )


def read(rules: Sequence[Rule], end: datetime) -> dict[Any, Found]:
    """Returns for each rule what its window up to `end` says. One workspace's rules are read at once."""
    plain = [rule for rule in rules if rule.comparison != UNUSUAL]
    parts = {rule.pk: [part for part in (current_part(rule, end), earlier_part(rule, end)) if part] for rule in plain}
    found = engines.recompute_if_hour_closed(lambda: answers(plain, parts))
    readings = {rule.pk: reading_of(rule, parts[rule.pk], found) for rule in plain}
    for rule in rules:
        if rule.comparison == UNUSUAL:
            readings[rule.pk] = read_unusual(rule, end)
    return readings | dict.fromkeys(without_traffic(plain, readings, end), Found({}, 0))


def without_traffic(rules: Sequence[Rule], found: Mapping[Any, Found], end: datetime) -> list[Any]:
    """Returns the rules about silence whose calls never were any: nothing has stopped there."""
    silent = [rule for rule in rules if is_about_silence(rule) and not calls_in(found[rule.pk])]
    if not silent:
        return []
    parts = [summed_part(rule, end - TRAFFIC, end) for rule in silent]
    sums = summed_groups(parts, {part.key: set() for part in parts})
    return [
        rule.pk
        for rule, part in zip(silent, parts, strict=True)
        if not sums.groups[part.key] and part.key not in sums.faults
    ]


def is_about_silence(rule: Rule) -> bool:
    return not rule.per and (rule.comparison == BELOW or rule.no_data == "notify")


def calls_in(found: Found) -> int:
    return sum(reading.calls for reading in found.groups.values())


def summed_part(rule: Rule, start: datetime, end: datetime) -> Part:
    part = part_of(rule, start, end)
    return part._replace(key=("traffic", *part.key), source=SUMMED)


def read_unusual(rule: Rule, end: datetime) -> Found:
    if not is_due(rule, end):
        return Found({}, rule.groups, rule.fault if rule.fault != NO_ANSWER else "", is_due=False)
    try:
        groups = unusual_readings(rule, end)
    except (Problem, DatabaseError) as error:
        return Found({}, 0, fault_of(error))
    return Found(groups, len(groups))


Groups = dict[str, dict[str, Any]]
"""The figures of each group."""


class Answers(NamedTuple):
    groups: dict[tuple[Any, ...], Groups]
    faults: dict[tuple[Any, ...], str]

    @property
    def has_time(self) -> bool:
        return [*self.faults.values()].count(TOO_SLOW) < MOST_TIMEOUTS


def answers(rules: Iterable[Rule], parts: Mapping[Any, Sequence[Part]]) -> Answers:
    """Asks each question once, whichever rules need it."""
    needed: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    by_key: dict[tuple[Any, ...], Part] = {}
    for rule in rules:
        for part in parts[rule.pk]:
            by_key[part.key] = part
            needed[part.key] |= {*metric_of(rule.metric).columns} if part.source == SUMMED else {rule.metric}
    found = summed_groups([part for part in by_key.values() if part.source == SUMMED], needed)
    for part in by_key.values():
        if part.source != SUMMED:
            add_figures(found, part, tuple(sorted(needed[part.key])))
    return found


class SumsOfGroup(TypedDict):
    place: int
    value: str | None
    number: int
    calls: int
    errors: int
    timed_calls: int
    latency_ms: float
    priced_calls: int
    cost_usd: float
    input_tokens: int
    output_tokens: int


# A rule with groups looks at the largest of them only, and says how many there are.
SUMS = "SELECT {place} AS place, {value} AS value, {number} AS number, calls, {columns} FROM ({source}) AS sums{most}"
MOST = " WHERE dimension_1 <> '' ORDER BY {largest} DESC, dimension_1 LIMIT {limit}"


def summed_groups(parts: Sequence[Part], needed: Mapping[tuple[Any, ...], set[str]]) -> Answers:
    found = Answers({part.key: {} for part in parts}, {})
    engines.rollup_states(*(part.filters.workspace_id for part in parts))
    for first in range(0, len(parts), QUERIES_AT_ONCE):
        add_sums(found, parts[first : first + QUERIES_AT_ONCE], needed)
    return found


def add_sums(found: Answers, parts: Sequence[Part], needed: Mapping[tuple[Any, ...], set[str]]) -> None:
    """Adds the sums of several parts. Where their question fails, each has one of its own."""
    if len(parts) == 1 and not found.has_time:
        found.faults[parts[0].key] = TOO_SLOW
        return
    try:
        queries = [sums_query(place, part, needed[part.key]) for place, part in enumerate(parts)]
        for row in union_rows(queries, SumsOfGroup):
            found.groups[parts[row["place"]].key][row["value"] or ""] = dict(row)
    except DatabaseError as error:
        fault = fault_of(error)
        if len(parts) == 1:
            found.faults[parts[0].key] = fault
        else:
            for part in parts:
                add_sums(found, [part], needed)


def sums_query(place: int, part: Part, needed: set[str]) -> tuple[str, dict[str, Any]]:
    columns = ("calls", *(name for name in COLUMNS if name in needed))
    source = query_sources.summed_calls(parameters_of(part, ("calls",)), part.filters, columns)
    largest = "cost_usd" if "cost_usd" in needed else "calls"
    sql = SUMS.format(
        place=place,
        value="dimension_1" if part.per else "NULL::text",
        number="count(*) OVER ()" if part.per else "1",
        columns=", ".join(name if name in needed else f"0 AS {name}" for name in COLUMNS),
        source=source.sql,
        most=MOST.format(largest=largest, limit=MOST_GROUPS) if part.per else "",
    )
    return sql, source.params


def parameters_of(part: Part, measures: tuple[str, ...]) -> Parameters:
    return Parameters(measures, by=(part.per,) if part.per else (), order="-calls")


def add_figures(found: Answers, part: Part, names: tuple[str, ...]) -> None:
    """Adds percentiles, users or scores, which are no sums."""
    if not found.has_time:
        found.faults[part.key] = TOO_SLOW
        return
    try:
        figures = query.figures(parameters_of(part, ("calls", *names)), part.filters)
    except (Problem, DatabaseError) as error:
        found.faults[part.key] = fault_of(error)
        return
    number = len(figures.groups)
    found.groups[part.key] = {
        group[0] if group and group[0] else "": {"number": number, **figures.values.get(Point(place), {})}
        for place, group in enumerate(figures.groups, start=1)
        if not part.per or (group and group[0])
    }


def fault_of(error: Problem | DatabaseError) -> str:
    """Returns in words what is wrong with one question; raises what is wrong with the database."""
    if isinstance(error, Problem):
        return (error.errors[0]["msg"] if error.errors else error.detail)[:300]
    cause = transient_cause(error)
    if cause == "statement_timeout":
        return TOO_SLOW
    if cause is None:
        logger.error("a question of rules failed", exc_info=error)
        return NOT_COMPUTED
    raise error


def reading_of(rule: Rule, parts: Sequence[Part], found: Answers) -> Found:
    if fault := next((found.faults[part.key] for part in parts if part.key in found.faults), ""):
        return Found({}, 0, fault)
    metric, groups = metric_of(rule.metric), found.groups.get(parts[0].key, {})
    earlier = found.groups.get(parts[1].key, {}) if len(parts) > 1 else {}
    names: Iterable[str] = dict.fromkeys([*groups, *earlier]) if rule.per else [""]
    readings = {name: one_reading(rule.metric, metric, groups.get(name), earlier.get(name)) for name in names}
    return Found(readings, max((sums["number"] for sums in groups.values()), default=0))


def one_reading(
    name: str, metric: Metric, sums: Mapping[str, Any] | None, earlier: Mapping[str, Any] | None
) -> Reading:
    return Reading(value_of(name, metric, sums), calls_of(sums), value_of(name, metric, earlier), calls_of(earlier))


def calls_of(sums: Mapping[str, Any] | None) -> int:
    return int(sums.get("calls") or 0) if sums else 0


def value_of(name: str, metric: Metric, sums: Mapping[str, Any] | None) -> float | None:
    if not sums:
        return 0.0 if metric.is_sum else None
    if metric.of:
        return metric.of(sums)
    value = sums.get(name)
    return float(value) if value is not None else 0.0 if metric.is_sum else None


def whole_minute(moment: datetime) -> datetime:
    return moment - timedelta(seconds=moment.second, microseconds=moment.microsecond)
