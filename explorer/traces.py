"""Finds the traces of a window that meet filters, the newest first or those with the most of something.

The rows of the window are read newest first: of each row that meets the filters its trace is looked up whole. Where
sums by the filters exist, only the hours are read in which some row meets them. A search that takes too long ends, and
says until when it came; it goes on from there.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from explorer import indexed_traces
from explorer.found_spans import Span, candidates, look_up
from explorer.matching_hours import matching_hours
from explorer.summaries import TraceSummary, amount
from explorer.trace_filters import Place, TraceFilters
from traces.windows import TimeRange
from web.problems import check_deadline

LATER_SPANS, LATER_WITHIN = 1000, timedelta(days=1)
"""A trace that began before the end of the window may meet the filters by a span after it. So many are looked at."""
SECONDS, SEARCH_SECONDS, SORT_SECONDS = 0.2, 1.5, 1.5
FIRST_WIDTH, WIDER, SLOW_SECONDS = timedelta(hours=1), 4, 0.06
"""The time that is read at once grows while reading is fast."""
SPANS_OF_A_TRACE, SPANS_THAT_MEET = 12, 4
"""So many spans are read at first for each trace that is wanted."""
MOST_AT_ONCE = 20_000
ONE_MICROSECOND = timedelta(microseconds=1)


class Found(NamedTuple):
    traces: list[TraceSummary]
    next: Place | None
    """Where the next page begins; None if there are no more."""
    searched_until: datetime | None
    """The search has ended here, because it took long. None: it came to the start of the window."""


def found_traces(question: TraceFilters, limit: int, seconds: float | None = None) -> Found:
    """Returns a page of the traces. `seconds` limits the search; by default as much as a reader waits for."""
    listed = indexed_traces.listed(question, limit + 1)
    if listed is not None:
        return Found(listed[:limit], next_place(question, listed, limit), None)
    if question.sort != "newest":
        return sorted_traces(question, limit, seconds or SORT_SECONDS)
    seconds = seconds or (SEARCH_SECONDS if question.search else SECONDS)
    found, reached = scan(question, limit + 1, seconds)
    found.sort(key=lambda trace: (trace["started_at"], trace["trace_id"]), reverse=True)
    complete = [trace for trace in found if trace["started_at"] >= reached]
    if len(complete) > limit:
        return Found(complete[:limit], next_place(question, complete, limit), None)
    if reached > question.filters.start:
        return Found(complete, Place(reached, ""), reached)
    return Found(complete, None, None)


def sorted_traces(question: TraceFilters, limit: int, seconds: float) -> Found:
    """Returns the traces with the most, among those that the time suffices to read, the newest of the window."""
    found, reached = scan(question, None, seconds)
    complete = [trace for trace in found if trace["started_at"] >= reached]
    complete.sort(key=lambda trace: (-amount(trace, question.sort), trace["trace_id"]))
    is_whole = reached <= question.filters.start
    # A search that ends early may come further for the next page, so that there is no place to go on from.
    return Found(
        complete[:limit], next_place(question, complete, limit) if is_whole else None, None if is_whole else reached
    )


def next_place(question: TraceFilters, found: Sequence[TraceSummary], limit: int) -> Place | None:
    """Returns the place of the last trace of the page; None if there are no more."""
    if len(found) <= limit:
        return None
    last, sort = found[limit - 1], question.sort
    return Place(last["started_at"], last["trace_id"], sort, amount(last, sort) if sort != "newest" else 0.0)


def scan(question: TraceFilters, wanted: int | None, seconds: float) -> tuple[list[TraceSummary], datetime]:
    """Returns traces that meet the filters, and the time from which on all of them were found.

    It ends with so many as are wanted, at the start of the window, or after some seconds.
    """
    ends = time.monotonic() + seconds
    start, end = question.filters.start, end_of(question)
    found: list[TraceSummary] = []
    seen: set[str] = set()
    conditions, later = span_conditions(question, end)
    found += look_up(question, later, seen)
    reached = end
    for spans, reached in chunks(question, conditions, start, end, wanted):
        found += look_up(question, spans, seen)
        is_enough = wanted is not None and sum(trace["started_at"] >= reached for trace in found) >= wanted
        check_deadline()
        if is_enough or time.monotonic() > ends:
            break
    return found, reached


def end_of(question: TraceFilters) -> datetime:
    after = question.after
    is_by_time = after is not None and question.sort == "newest"
    return (
        min(question.filters.end, after.started_at + ONE_MICROSECOND) if after and is_by_time else question.filters.end
    )


def span_conditions(question: TraceFilters, end: datetime) -> tuple[list[str], list[Span]]:
    """Returns the conditions by which spans are chosen, and those that meet them just after the end.

    If there are many of these, the conditions are dropped: then every trace is looked up, whatever spans it has later.
    """
    conditions = question.of_a_span
    if not conditions:
        return [], []
    later = candidates(question, conditions, [TimeRange(end, end + LATER_WITHIN)], LATER_SPANS, "ASC")
    return ([], []) if len(later) >= LATER_SPANS else (conditions, later)


# --- The time, in parts ---


def chunks(
    question: TraceFilters, conditions: list[str], start: datetime, end: datetime, wanted: int | None
) -> Iterator[tuple[list[Span], datetime]]:
    """Yields spans that meet the conditions, newest first, each time with the time from which on they are complete."""
    at_once = min((wanted or MOST_AT_ONCE) * (SPANS_THAT_MEET if conditions else SPANS_OF_A_TRACE), MOST_AT_ONCE)
    for ranges in parts_of_time(question, conditions, start, end):
        lower = ranges[-1].start
        while ranges:
            spans = candidates(question, conditions, ranges, at_once, "DESC")
            if len(spans) < at_once:
                break
            reached = spans[-1].timestamp
            yield spans, reached
            ranges = before(ranges, reached)
            at_once = min(at_once * 2, MOST_AT_ONCE)
        else:
            spans = []
        yield spans, lower


def before(ranges: Sequence[TimeRange], moment: datetime) -> list[TimeRange]:
    return [TimeRange(start, min(end, moment)) for start, end in ranges if start < moment]


def parts_of_time(
    question: TraceFilters, conditions: list[str], start: datetime, end: datetime
) -> Iterator[list[TimeRange]]:
    """Yields the window in parts, the newest first, each as ranges that may have gaps without such spans."""
    if not conditions or question.uses_index:
        yield [TimeRange(start, end)]
        return
    newest = max(start, end - FIRST_WIDTH)
    yield [TimeRange(newest, end)]
    hours = matching_hours(question, start, newest)
    yield from growing_parts(start, newest) if hours is None else grouped_hours(hours, start)


def growing_parts(start: datetime, end: datetime) -> Iterator[list[TimeRange]]:
    width = FIRST_WIDTH
    while end > start:
        began = time.monotonic()
        lower = max(start, end - width)
        yield [TimeRange(lower, end)]
        end = lower
        width = width * WIDER if time.monotonic() - began < SLOW_SECONDS else width


RANGES_AT_ONCE = 24


def grouped_hours(hours: Sequence[TimeRange], start: datetime) -> Iterator[list[TimeRange]]:
    """Yields the hours, some at once. The last part ends at the start of the window: before it there is nothing."""
    for place in range(0, len(hours), RANGES_AT_ONCE):
        yield list(hours[place : place + RANGES_AT_ONCE])
    yield [TimeRange(start, start)]


def counted(question: TraceFilters, most: int, seconds: float) -> tuple[int, bool]:
    """Returns how many traces there are, up to a number, and whether these are all."""
    everything = replace(question, sort="newest", after=None)
    found, reached = scan(everything, most + 1, seconds)
    complete = sum(trace["started_at"] >= reached for trace in found)
    return min(complete, most), complete <= most and reached <= question.filters.start
