"""Splits the spans of a request into parts. Each part is stored in its own transaction.

A batch of a year, or of thousands of new names, changes so many sums that one transaction could take longer than a
request may. A request that fails after some of its parts may be sent again: the spans of these are stored already.
A trace is never split, because its spans are resolved together.

A transaction takes milliseconds even for one span, so their number has a limit too: the parts of traces wider than
MAX_PERIOD are as many as those of other traces, one for each MAX_PERIOD of the accepted time and for each MAX_SPANS.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import groupby

from ingest.span_rows import Key, SpanRow
from traces.writer import StoreResult
from web import deadline, prometheus
from web.problems import problem_of, unavailable

MAX_SPANS = 2_000
MAX_PERIOD = timedelta(days=28)
"""How long after the first trace of a part the last one may begin."""
TOO_LARGE = "The batch is too large for one request, and stored in part. Send it again."
FAILED = "The database did not answer in time, and the batch is stored in part. Send it again."

Part = dict[Key, SpanRow]
Trace = list[SpanRow]


def store_parts(spans: Mapping[Key, SpanRow], store: Callable[[Part], tuple[int, int]]) -> StoreResult:
    """Stores the parts one after the other. Counts each for Prometheus when it is committed.

    `store` commits a part, and returns how many of its spans were not stored before and how many stored ones have
    learned from a copy. It raises a 503 Problem instead of a further part when the time of the request is over.
    """
    total = StoreResult()
    for number, part in enumerate(split(spans)):
        if number and deadline.has_passed():
            raise unavailable(TOO_LARGE, "deadline")
        with rest_of_batch(is_stored_in_part=number > 0):
            accepted, updated = store(part)
        stored = StoreResult(accepted, updated, len(part) - accepted - updated)
        prometheus.count_stored(*stored)
        total = total.plus(stored)
    return total


@contextmanager
def rest_of_batch(is_stored_in_part: bool) -> Iterator[None]:
    """Lets a 503 say that the batch is stored in part, if so. Otherwise the client would take it for a failure."""
    try:
        yield
    except Exception as error:
        if is_stored_in_part and (problem := problem_of(error, FAILED)):
            raise problem from error
        raise


def count_copies(copies: int) -> StoreResult:
    """Counts the copies of spans that came in one request, and so were merged before it was stored."""
    prometheus.count_stored(0, 0, copies)
    return StoreResult(duplicates=copies)


def split(spans: Mapping[Key, SpanRow]) -> Iterator[Part]:
    """Yields parts of whole traces: first traces of at most MAX_PERIOD, then wider ones, the oldest of each first.

    One wide trace in a part would let all its other traces be looked for in as long a time.
    """
    starts = [span.facts.timestamp for span in spans.values()]
    if starts and len(starts) <= MAX_SPANS and max(starts) - min(starts) <= MAX_PERIOD:
        yield dict(spans)
        return
    traces = by_trace(spans.values())
    yield from split_traces([trace for trace in traces if not is_wide(trace)])
    yield from split_traces([trace for trace in traces if is_wide(trace)])


def split_traces(traces: Sequence[Trace]) -> Iterator[Part]:
    part: list[SpanRow] = []
    for trace in traces:
        if part and (len(part) + len(trace) > MAX_SPANS or start(trace[0]) - start(part[0]) > MAX_PERIOD):
            yield as_part(part)
            part = []
        part += trace
    if part:
        yield as_part(part)


def by_trace(spans: Iterable[SpanRow]) -> list[Trace]:
    """Returns the traces by their first start, and the spans of each by theirs."""
    ordered = sorted(spans, key=lambda span: (span.facts.trace_id, start(span)))
    traces = [list(trace) for _, trace in groupby(ordered, key=lambda span: span.facts.trace_id)]
    return sorted(traces, key=lambda trace: start(trace[0]))


def is_wide(trace: Trace) -> bool:
    return start(trace[-1]) - start(trace[0]) > MAX_PERIOD


def start(span: SpanRow) -> datetime:
    return span.facts.timestamp


def as_part(spans: Iterable[SpanRow]) -> Part:
    return {span.key: span for span in spans}
