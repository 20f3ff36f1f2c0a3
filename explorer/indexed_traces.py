"""Lists traces from `trace_totals`, which is indexed by every filter and sorted by every order but that of a search.

The table gives the traces that may meet the filters, in the order of the list; each is then looked up whole. Traces
with spans that are newer than the table are found by these spans instead.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from explorer.found_spans import Span, candidates, look_up
from explorer.summaries import TraceSummary, amount
from explorer.trace_filters import NO_VALUES, TraceFilters, joined
from traces.db import rows
from traces.filters import LATEST, FilterValues
from traces.refill import midnight_of
from traces.trace_totals import HAS_ERROR, LONGEST_TRACE, STATUS, key_sql, key_text
from traces.windows import TimeRange, rollup_state
from web.problems import check_deadline

RECENT_SPANS = 20_000
"""Where more spans than these are newer than the table, it is not used."""
ONE_MICROSECOND = timedelta(microseconds=1)
MOST_AT_ONCE = 1_600
MOST_LOOKED_UP = 10_000
"""After so many traces that only seemed to meet the filters, the search goes by the rows."""
# The index of each filter is by day, and so are those by amount.
OF_DAY = """(
    SELECT trace_id, started_at AS timestamp, {amount} AS amount
    FROM trace_totals
    WHERE workspace_id = %(workspace_id)s
        AND date_bin('24 hours', started_at, timestamptz '2000-01-03 00:00:00+00') = {day}
        AND started_at >= %(start)s AND started_at < %(end)s
        AND {conditions}
    ORDER BY {order}
    LIMIT %(last)s
)"""
PART = """
SELECT trace_id, timestamp
FROM ({days}) AS of_days
ORDER BY {order}
OFFSET %(offset)s
LIMIT %(at_once)s
"""
AMOUNTS = {"newest": "started_at", "slowest": "latency_ms", "costliest": "cost_usd", "most_tokens": "tokens"}
PLACE = ("after", "after_id", "after_amount")
"""The parameters of the place where a page begins."""
DAY = timedelta(days=1)


class Condition(NamedTuple):
    """What the rows of the table must meet, as SQL with bound values."""

    sql: str
    params: dict[str, Any]


def listed(question: TraceFilters, wanted: int) -> list[TraceSummary] | None:
    """Returns the first traces of the list. None: the table cannot answer this, or not in time."""
    until = rollup_state(question.filters).traces_until
    if question.search or until <= question.filters.start or is_every_trace(question):
        return None
    spans = recent_spans(question, until)
    if len(spans) >= RECENT_SPANS:
        return None
    seen: set[str] = set()
    found = look_up(question, spans, seen)
    first = from_table(question, wanted, seen)
    return None if first is None else in_order(question, [*found, *first])[:wanted]


def is_every_trace(question: TraceFilters) -> bool:
    """Returns whether the newest traces are asked for without a filter, which are the newest rows."""
    is_narrowed = any(filters_of(question)) or any(amounts_of(question))
    return question.sort == "newest" and not is_narrowed


def recent_spans(question: TraceFilters, until: datetime) -> list[Span]:
    """Returns newer spans, which the table does not have yet. Their traces may belong in the list because of them."""
    if question.filters.end < until - LONGEST_TRACE:
        return []
    conditions = [] if question.is_of_the_whole else question.of_a_span
    return candidates(question, conditions, [TimeRange(until, LATEST)], RECENT_SPANS, "DESC")


def from_table(question: TraceFilters, wanted: int, seen: set[str]) -> list[TraceSummary] | None:
    """Returns the first traces of those that were not seen. None: too many were looked up in vain."""
    found: list[TraceSummary] = []
    for spans in candidates_of_table(question, wanted):
        found += look_up(question, spans, seen)
        check_deadline()
        if len(found) >= wanted:
            break
        if len(seen) > MOST_LOOKED_UP:
            return None
    return found


def candidates_of_table(question: TraceFilters, wanted: int) -> Iterator[list[Span]]:
    """Yields the traces that may meet the filters, in the order of the list, in growing parts."""
    days = list(days_of(question))
    at_once = wanted
    for some in [[day] for day in days] if question.sort == "newest" else [days]:
        offset, spans = 0, None
        while spans is None or len(spans) == at_once:
            if spans is not None:
                offset, at_once = offset + at_once, min(at_once * 4, MOST_AT_ONCE)
            spans = part_of_table(question, some, offset, at_once)
            yield spans


def days_of(question: TraceFilters) -> Iterator[datetime]:
    """Yields the start of each day (UTC) of the window, the newest first."""
    after = question.after
    newest = after.started_at if after and question.sort == "newest" else question.filters.end - ONE_MICROSECOND
    day = midnight_of(newest)
    while day > question.filters.start - DAY:
        yield day
        day -= DAY


def part_of_table(question: TraceFilters, days: Sequence[datetime], offset: int, at_once: int) -> list[Span]:
    amount = AMOUNTS[question.sort]
    order = f"{amount} DESC, trace_id" if question.sort != "newest" else "started_at DESC, trace_id DESC"
    params = {name: question.params[name] for name in ("workspace_id", "start", "end", *PLACE)}
    params |= {"offset": offset, "at_once": at_once, "last": offset + at_once}
    selects = []
    for place, day in enumerate(days):
        conditions, own = condition_of(question, day, f"day_{place}")
        params |= own
        selects.append(OF_DAY.format(day=f"%(day_{place})s", amount=amount, conditions=conditions, order=order))
    order = order.replace(amount, "amount")
    return [Span(**row) for row in rows(PART, params, days="\nUNION ALL\n".join(selects), order=order)]


def in_order(question: TraceFilters, found: Sequence[TraceSummary]) -> list[TraceSummary]:
    if question.sort == "newest":
        return sorted(found, key=lambda trace: (trace["started_at"], trace["trace_id"]), reverse=True)
    return sorted(found, key=lambda trace: (-amount(trace, question.sort), trace["trace_id"]))


def condition_of(question: TraceFilters, day: datetime, prefix: str) -> Condition:
    """Returns what the row of each listed trace of a day meets. A row that meets it need not be listed."""
    conditions, params = amounts_of(question)
    for place, ((name, values), is_included) in enumerate(filters_of(question)):
        texts = {f"{prefix}_{place}_{number}": key_text(day, name, value) for number, value in enumerate(values)}
        keys = ", ".join(map(key_sql, texts))
        conditions.append(f"{'' if is_included else 'NOT '}keys && ARRAY[{keys}]")
        params |= texts
    if question.after is not None:
        conditions.append(question.after_sql("started_at", AMOUNTS[question.sort]))
    if question.sort == "costliest":
        conditions.append("cost_usd IS NOT NULL")
    return Condition(joined(conditions), params | {prefix: day})


def amounts_of(question: TraceFilters) -> tuple[list[str], dict[str, Any]]:
    least = {"latency_ms": question.min_latency_ms, "cost_usd": question.min_cost_usd}
    given = {name: value for name, value in least.items() if value is not None}
    return [f"{name} >= %(min_{name})s" for name in given], {f"min_{name}": value for name, value in given.items()}


def filters_of(question: TraceFilters) -> Iterator[tuple[tuple[str, Sequence[str]], bool]]:
    """Yields name and values of each filter. True: a trace must have one of the values; False: it must have none."""
    has_error = (str(question.has_error).lower(),) if question.has_error is not None else ()
    filters = (
        *question.span_filters,
        ("tool", question.tool),
        (STATUS, question.filters.values.get(STATUS, NO_VALUES)),
        (HAS_ERROR, FilterValues(has_error)),
    )
    for name, (included, excluded) in filters:
        for values, is_included in ((included, True), (excluded, False)):
            if values:
                yield (name, values), is_included
