"""Splits the spans of a request into parts. Each part is stored in its own transaction.

A batch of a year, or of thousands of new names, changes so many sums that one transaction could take longer than a
request may. A request that fails after some of its parts may be sent again: the spans of these are stored already.
A trace is never split, because its spans are resolved together.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import groupby

from ingest.span_rows import Key, SpanRow
from web import deadline
from web.problems import unavailable

MAX_SPANS = 2_000
MAX_PERIOD = timedelta(days=28)

Part = dict[Key, SpanRow]


def parts_in_time(spans: Mapping[Key, SpanRow]) -> Iterator[Part]:
    """Yields the parts. Raises a 503 Problem instead of a further one when the time of the request is over."""
    for number, part in enumerate(split(spans)):
        if number and deadline.has_passed():
            raise unavailable("The batch is too large for one request, and stored in part. Send it again.", "deadline")
        yield part


def split(spans: Mapping[Key, SpanRow]) -> Iterator[Part]:
    """Yields parts of whole traces, the oldest first."""
    part: list[SpanRow] = []
    for trace in by_trace(spans.values()):
        if part and (len(part) + len(trace) > MAX_SPANS or start(trace[-1]) - start(part[0]) > MAX_PERIOD):
            yield as_part(part)
            part = []
        part += trace
    if part:
        yield as_part(part)


def by_trace(spans: Iterable[SpanRow]) -> list[list[SpanRow]]:
    """Returns the traces by their first start, and the spans of each by theirs."""
    ordered = sorted(spans, key=lambda span: (span.facts.trace_id, start(span)))
    traces = [list(trace) for _, trace in groupby(ordered, key=lambda span: span.facts.trace_id)]
    return sorted(traces, key=lambda trace: start(trace[0]))


def start(span: SpanRow) -> datetime:
    return span.facts.timestamp


def as_part(spans: Iterable[SpanRow]) -> Part:
    return {span.key: span for span in spans}
