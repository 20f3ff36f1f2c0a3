"""Computes the right answer of `/api/v1/query` in plain Python, over a list of rows.

It shares no code with the product.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.analytics.oracle import (
    CALLS,
    HISTOGRAM_ERROR,
    Near,
    Question,
    average,
    bucket_of,
    buckets,
    failed,
    last_first,
    passes,
    percentile,
    ratio,
    share,
    spend,
    timed,
    users,
    value_of,
)
from traces.row import Row

TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
NOT_OF_TOOLS = (
    *TOKENS,
    *("cost_usd", "unpriced_calls", "cost_per_call_usd", "tokens_per_second"),
    *("p50_first_token_ms", "p95_first_token_ms"),
)
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class QueryQuestion:
    question: Question
    measures: tuple[str, ...]
    by: tuple[str, ...]
    order: str
    compare: str | None
    tools: dict[str, list[str]]
    """The filters tool and not_tool."""
    is_series: bool

    @property
    def counts_tools(self) -> bool:
        return "tool" in self.by or bool(self.tools)


def passing(rows: Iterable[Row], query: QueryQuestion) -> list[Row]:
    if query.counts_tools:
        rows = [row for row in rows if row.operation == "execute_tool"]
    filters = {} if query.counts_tools else {"operation": sorted(CALLS)}
    filters |= query.question.filters | query.tools
    return [row for row in rows if all(passes(row, name, values) for name, values in filters.items())]


def earlier(moment: datetime, query: QueryQuestion) -> datetime:
    question = query.question
    if query.compare == "previous":
        return moment - (question.end - question.start)
    if query.is_series and question.granularity in ("minute", "hourly"):
        return moment - WEEK
    zone = ZoneInfo(question.zone)
    return (moment.astimezone(zone).replace(tzinfo=None) - WEEK).replace(tzinfo=zone).astimezone(moment.tzinfo)


def between(rows: Iterable[Row], start: datetime, end: datetime) -> list[Row]:
    return [row for row in rows if start <= row.timestamp < end]


def answer(rows: list[Row], query: QueryQuestion) -> dict[str, Any]:
    question = query.question
    possible = passing(rows, query)
    now = between(possible, question.start, question.end)
    before = between(possible, earlier(question.start, query), earlier(question.end, query)) if query.compare else None
    groups = ranked(now, query)
    listed, cut = groups[: question.limit], groups[question.limit :]
    method = method_of(rows, now, query, question.start, question.end)
    earlier_window = (earlier(question.start, query), earlier(question.end, query))

    def figures(all_calls: list[Row], calls: list[Row], is_earlier: bool = False) -> dict[str, Any]:
        start, end = earlier_window if is_earlier else (question.start, question.end)
        used = method_of(rows, all_calls, query, start, end)
        return {name: value(calls, name, query, used) for name in query.measures}

    def line(chosen: list[tuple[Any, ...]] | None, bucket: datetime | None = None) -> dict[str, Any]:
        found = {} if bucket is None else {"timestamp": bucket}
        found |= figures(now, of_point(now, chosen, bucket, query, is_earlier=False))
        if before is not None:
            found["previous"] = figures(before, of_point(before, chosen, bucket, query, is_earlier=True), True)
        return found

    starts: list[Any] = buckets(question) if query.is_series else [None]
    data = [dict(zip(query.by, group, strict=True)) | line([group], start) for group in listed for start in starts]
    rest = None
    if cut:
        # The product knows the listed groups only: before, all others are the rest.
        others = [key for key in {key_of(row, query) for row in possible} if key not in listed]
        rest = line(others) | ({"data": [line(others, start) for start in starts]} if query.is_series else {})
    return {
        "measures": list(query.measures),
        "by": list(query.by),
        "granularity": question.granularity if query.is_series else None,
        "percentile_method": method if any(is_percentile(name) for name in query.measures) else None,
        "data": data,
        "rest": rest,
        "totals": line(None),
    }


def key_of(row: Row, query: QueryQuestion) -> tuple[Any, ...]:
    return tuple(value_of(row, name) for name in query.by)


def of_point(
    calls: list[Row],
    groups: list[tuple[Any, ...]] | None,
    bucket: datetime | None,
    query: QueryQuestion,
    is_earlier: bool,
) -> list[Row]:
    if groups is not None:
        calls = [row for row in calls if key_of(row, query) in groups]
    if bucket is None:
        return calls
    if not is_earlier:
        return [row for row in calls if bucket_of(row.timestamp, query.question) == bucket]
    following = next((start for start in buckets(query.question) if start > bucket), query.question.end)
    return between(calls, earlier(bucket, query), earlier(following, query))


def ranked(calls: list[Row], query: QueryQuestion) -> list[tuple[Any, ...]]:
    name, sign = query.order.removeprefix("-"), -1 if query.order.startswith("-") else 1
    groups: dict[tuple[Any, ...], list[Row]] = {} if query.by else {(): calls}
    for row in calls if query.by else []:
        groups.setdefault(key_of(row, query), []).append(row)

    def place(key: tuple[Any, ...]) -> tuple[Any, ...]:
        found = value(groups[key], name, query, "exact")
        return found is None, sign * (found or 0), [last_first(part) for part in key]

    return sorted(groups, key=place)


def is_percentile(name: str) -> bool:
    return name[0] == "p" and name.endswith("_ms")


def method_of(rows: list[Row], calls: list[Row], query: QueryQuestion, start: datetime, end: datetime) -> str:
    """Returns how the percentiles may be found: the product reads rows too where no sums know what is asked."""
    in_window = [row for row in between(rows, start, end) if row.operation in CALLS]
    is_narrowed = bool(query.question.filters) or query.counts_tools
    looked_at = max(len(calls), len(in_window)) if is_narrowed else len(calls)
    return "histogram" if looked_at > query.question.exact_rows else "exact"


def value(calls: list[Row], name: str, query: QueryQuestion, method: str) -> Any:
    if query.counts_tools and name in NOT_OF_TOOLS:
        return None
    if name in TOKENS:
        return sum(getattr(row, name) or 0 for row in calls)
    priced = [row for row in calls if row.cost_usd is not None]
    if is_percentile(name):
        first_tokens = sorted(row.first_token_ms for row in calls if row.first_token_ms is not None)
        exact = percentile(first_tokens if "first_token" in name else timed(calls), shared(name))
        is_near = method == "histogram" and exact is not None
        return Near(exact, exact * HISTOGRAM_ERROR + 1e-5) if is_near and exact is not None else exact
    latency_ms = math.fsum(timed(calls))
    return {
        "calls": len(calls),
        "errors": len(failed(calls)),
        "cost_usd": spend(calls) if calls else Decimal(0),
        "unpriced_calls": len(calls) - len(priced),
        "error_rate": share(len(failed(calls)), len(calls)),
        "avg_latency_ms": average(timed(calls)),
        "cost_per_call_usd": ratio(spend(calls), len(priced)),
        "tokens_per_second": sum(row.output_tokens or 0 for row in calls) * 1000 / latency_ms if latency_ms else None,
        "unique_users": len(users(calls)),
    }[name]


def shared(name: str) -> float:
    return int(name[1:3]) / 100
