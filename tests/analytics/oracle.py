"""Computes the right answer of each read, in plain Python over a list of rows. It shares no code with the
product but the method of the forecast.

The product must return the exact value of a Decimal or an int, the value of a float up to rounding, the value of a
`Near` within its error, and any value of a `OneOf`.
"""

import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from methods.forecast import NoForecast, forecast
from traces.row import COST_COLUMN_OF, Row

CALLS = {"chat", "text_completion", "generate_content", "embeddings"}
HISTOGRAM_ERROR = 0.015
NOTHING_MS = 0.01
MIDNIGHT = datetime(2000, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Question:
    start: datetime
    end: datetime
    granularity: str
    limit: int
    filters: dict[str, list[str]] = field(default_factory=dict, hash=False)
    """The values of each parameter."""
    exact_rows: int = 200_000
    """EXACT_PERCENTILE_ROWS"""
    zone: str = "UTC"


@dataclass(frozen=True)
class Money:
    """A workspace's budget, and the time of the question."""

    now: datetime
    zone: str
    limit_usd: Decimal | None
    threshold: Decimal


@dataclass(frozen=True)
class Near:
    value: float
    error: float
    """Absolute."""


ANYTHING = object()


@dataclass(frozen=True)
class OneOf:
    values: tuple[Any, ...]


# --- The rows of a question ---


def current_and_previous(rows: Iterable[Row], question: Question) -> tuple[list[Row], list[Row]]:
    """Returns the calls of the window, and of the window of equal length before it."""
    filters = {"operation": sorted(CALLS)} | question.filters
    passing = [row for row in rows if all(passes(row, name, values) for name, values in filters.items())]
    earlier = question.start - (question.end - question.start)
    return (
        [row for row in passing if question.start <= row.timestamp < question.end],
        [row for row in passing if earlier <= row.timestamp < question.start],
    )


def passes(row: Row, parameter: str, values: list[str]) -> bool:
    """Returns whether the row has one of the values; with `not_` before the name, whether it has none of them."""
    name = parameter.removeprefix("not_")
    return (value_of(row, name) in values) == (name == parameter)


def value_of(row: Row, name: str) -> str | None:
    if name.startswith("label."):
        return (row.labels or {}).get(name.removeprefix("label."))
    value: str | None = getattr(row, name)
    return value


def grouped(rows: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    groups = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def bucket_label(moment: datetime, question: Question) -> Any:
    """Returns the same for all moments of a bucket: what calendar and clock of the zone show."""
    local = moment.astimezone(ZoneInfo(question.zone))
    return {
        "minute": moment - (moment - MIDNIGHT) % timedelta(minutes=1),
        "hourly": (local.date(), local.hour, local.utcoffset()),
        "daily": local.date(),
        "weekly": local.isocalendar()[:2],
        "monthly": (local.year, local.month),
    }[question.granularity]


@lru_cache(maxsize=8)
def buckets(question: Question) -> list[datetime]:
    """Returns the starts: quarter hours at which the label changes, or every minute."""
    step = timedelta(minutes=1 if question.granularity == "minute" else 15)
    moment = question.start - (question.start - MIDNIGHT) % step
    while bucket_label(moment - step, question) == bucket_label(moment, question):
        moment -= step
    starts = []
    while moment < question.end:
        if bucket_label(moment - step, question) != bucket_label(moment, question):
            starts.append(moment)
        moment += step
    return starts


def bucket_of(moment: datetime, question: Question) -> datetime:
    starts = buckets(question)
    return starts[bisect_right(starts, moment) - 1]


def bucket_end(start: datetime, question: Question) -> datetime:
    """Returns where the bucket ends, or the window if that is earlier."""
    return next((following for following in buckets(question) if following > start), question.end)


# --- Sums of rows ---


def spend(rows: Iterable[Row]) -> Decimal | None:
    """Returns None if no call has a price."""
    priced = [row.cost_usd for row in rows if row.cost_usd is not None]
    return sum(priced, Decimal(0)) if priced else None


def share(part: Any, whole: Any) -> float | None:
    return float(part) * 100 / float(whole) if part is not None and whole else None


def ratio(part: Any, whole: Any) -> float | None:
    return float(part) / float(whole) if part is not None and whole else None


def change(current: Any, previous: Any) -> float | None:
    return (float(current) - float(previous)) / float(previous) * 100 if current is not None and previous else None


def failed(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.status != "success"]


def users(rows: Iterable[Row]) -> set[str]:
    return {row.user_id for row in rows if row.user_id is not None}


def agents(rows: Iterable[Row]) -> set[str]:
    return {row.agent_id for row in rows}


def timed(rows: Iterable[Row]) -> list[float]:
    return sorted(row.latency_ms for row in rows if row.latency_ms is not None)


def average(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def percentile(values: Sequence[float], share: float) -> float | None:
    """Interpolates between the two values around the rank, as percentile_cont does."""
    if not values:
        return None
    rank = share * (len(values) - 1)
    low, high = values[math.floor(rank)], values[math.ceil(rank)]
    return low + (high - low) * (rank - math.floor(rank))


def last_first(value: str | None) -> tuple[bool, str]:
    """Returns a sort key that puts None last."""
    return value is None, value or ""


# --- The reads ---


def usage_overview(rows: list[Row], question: Question, money: Money) -> dict[str, Any]:
    def facts(calls: list[Row]) -> dict[str, Any]:
        return {
            "total_calls": len(calls),
            "unique_users": len(users(calls)),
            "active_agents": len(agents(calls)),
            "avg_calls_per_user": ratio(len(calls), len(users(calls))),
        }

    current, previous = map(facts, current_and_previous(rows, question))
    return {**current, "change_from_previous": {name: change(current[name], previous[name]) for name in current}}


def usage_calls_over_time(rows: list[Row], question: Question, money: Money) -> dict[str, Any]:
    current, _ = current_and_previous(rows, question)
    by_bucket = grouped(current, lambda row: bucket_of(row.timestamp, question))
    return {
        "granularity": question.granularity,
        "total_calls": len(current),
        "data": [
            {"timestamp": bucket, "calls": len(by_bucket[bucket]), "errors": len(failed(by_bucket[bucket]))}
            for bucket in buckets(question)
        ],
    }


TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")


def tokens_of(calls: list[Row], column: str) -> int:
    return sum(getattr(row, column) or 0 for row in calls)


def usage_tokens(rows: list[Row], question: Question, money: Money) -> dict[str, Any]:
    current, _ = current_and_previous(rows, question)
    by_bucket = grouped(current, lambda row: bucket_of(row.timestamp, question))

    def counts(calls: list[Row]) -> dict[str, Any]:
        found = {column: tokens_of(calls, column) for column in TOKENS}
        return {**found, "cache_read_percentage": share(found["cache_read_tokens"], found["input_tokens"])}

    return {
        "granularity": question.granularity,
        **counts(current),
        "data": [{"timestamp": bucket, **counts(by_bucket[bucket])} for bucket in buckets(question)],
    }


def usage_agent_distribution(rows: list[Row], question: Question, money: Money) -> dict[str, Any]:
    current, _ = current_and_previous(rows, question)
    ranked = sorted(grouped(current, lambda row: row.agent_id).items(), key=lambda group: (-len(group[1]), group[0]))
    listed: list[tuple[str | None, list[Row]]] = [*ranked[: question.limit]]
    rest = [row for _, calls in ranked[question.limit :] for row in calls]
    return {
        "total_calls": len(current),
        "data": [
            {
                "agent_id": agent_id,
                "calls": len(calls),
                "percentage": share(len(calls), len(current)),
                "avg_latency_ms": average(timed(calls)),
                "error_rate": share(len(failed(calls)), len(calls)),
                "cost_usd": spend(calls),
            }
            for agent_id, calls in [*listed, *([(None, rest)] if rest else [])]
        ],
    }


def usage_top_users(rows: list[Row], question: Question, money: Money) -> dict[str, Any]:
    current, previous = current_and_previous(rows, question)
    previous_calls = Counter(row.user_id for row in previous)
    of_users = grouped((row for row in current if row.user_id is not None), lambda row: row.user_id)
    ranked = sorted(of_users.items(), key=lambda group: (-len(group[1]), group[0]))

    def trend(percent: float | None) -> str:
        if percent is None:
            return "new"
        return "flat" if abs(percent) < 5 else "up" if percent > 0 else "down"

    return {
        "data": [
            {
                "user_id": user_id,
                "calls": len(calls),
                "cost_usd": spend(calls),
                "active_agents": len(agents(calls)),
                "last_seen": max(row.timestamp for row in calls),
                "change_from_previous": change(len(calls), previous_calls[user_id]),
                "trend": trend(change(len(calls), previous_calls[user_id])),
            }
            for user_id, calls in ranked[: question.limit]
        ]
    }


def cost_overview(rows: list[Row], question: Question, money: Money) -> dict[str, Any]:
    current, previous = current_and_previous(rows, question)
    priced = [row for row in current if row.cost_usd is not None]
    month = cost_budget(rows, question, money)
    total = spend(current) if current else Decimal(0)
    return {
        "total_spend_usd": total,
        "budget_limit_usd": month["monthly_limit_usd"],
        "budget_remaining_usd": month["remaining_usd"],
        "budget_used_percentage": month["used_percentage"],
        "avg_cost_per_call_usd": ratio(spend(priced), len(priced)),
        "projected_monthly_spend_usd": month["projected_monthly_spend_usd"],
        "projected_low_usd": month["projected_low_usd"],
        "projected_high_usd": month["projected_high_usd"],
        "unpriced_calls": len(current) - len(priced),
        "change_from_previous": change(total, spend(previous)),
    }


def most_expensive_first(group: tuple[Any, list[Row]]) -> tuple[Any, ...]:
    (provider, model), calls = group
    cost = spend(calls)
    return model is None, cost is None, -(cost or 0), -len(calls), last_first(model), last_first(provider)


def models_and_rest(
    calls: list[Row], limit: int
) -> tuple[list[tuple[str | None, str | None]], dict[Any, tuple[str | None, str | None]]]:
    """Returns the listed (provider, model), and the line of each (provider, model).

    The models past the limit and those without a name are one line together.
    """
    groups = sorted(grouped(calls, lambda row: (row.provider, row.model)).items(), key=most_expensive_first)
    listed = [key for key, _ in groups[:limit] if key[1] is not None]
    places = {key: key if key in listed else (None, None) for key, _ in groups}
    return [*listed, *([(None, None)] if (None, None) in places.values() else [])], places


def cost_trend(rows: list[Row], question: Question, money: Money) -> dict[str, Any]:
    current, _ = current_and_previous(rows, question)
    lines, places = models_and_rest(current, question.limit)
    points = grouped(current, lambda row: (bucket_of(row.timestamp, question), places[row.provider, row.model]))
    return {
        "granularity": question.granularity,
        "models": list(dict.fromkeys(model for _, model in lines if model is not None)),
        "data": [
            {
                "timestamp": bucket,
                "provider": provider,
                "model": model,
                "cost_usd": spend(calls) if (calls := points[bucket, (provider, model)]) else Decimal(0),
                "calls": len(calls),
            }
            for bucket in buckets(question)
            for provider, model in lines
        ],
    }


def cost_by_model(rows: list[Row], question: Question, money: Money) -> dict[str, Any]:
    current, _ = current_and_previous(rows, question)
    lines, places = models_and_rest(current, question.limit)
    groups = grouped(current, lambda row: places[row.provider, row.model])
    return {
        "total_cost_usd": spend(current) if current else Decimal(0),
        "data": [
            {
                "provider": provider,
                "model": model,
                "calls": len(groups[provider, model]),
                "input_tokens": sum(row.input_tokens or 0 for row in groups[provider, model]),
                "output_tokens": sum(row.output_tokens or 0 for row in groups[provider, model]),
                "cost_usd": spend(groups[provider, model]),
                "percentage": share(spend(groups[provider, model]), spend(current)),
                "avg_cost_per_call_usd": ratio(spend(groups[provider, model]), len(priced)),
                "unpriced_calls": len(groups[provider, model]) - len(priced),
                "cost_by_class": cost_by_class(priced),
            }
            for provider, model in lines
            for priced in [[row for row in groups[provider, model] if row.cost_usd is not None]]
        ],
    }


def cost_by_class(priced: list[Row]) -> dict[str, Decimal] | None:
    total = spend(priced)
    if total is None:
        return None
    parts = {
        name: sum((getattr(row, column) or Decimal(0) for row in priced), Decimal(0))
        for name, column in COST_COLUMN_OF.items()
    }
    return parts | {"other": total - sum(parts.values(), Decimal(0))}


def month_of(now: datetime, zone: str) -> tuple[datetime, datetime]:
    local = now.astimezone(ZoneInfo(zone))
    following = (local.year + local.month // 12, local.month % 12 + 1)
    return tuple(  # type: ignore[return-value]
        datetime(year, month, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        for year, month in ((local.year, local.month), following)
    )


def cost_budget(rows: list[Row], question: Question, money: Money) -> dict[str, Any]:
    start, end = month_of(money.now, money.zone)
    spent = spend(row for row in rows if start <= row.timestamp < end) or Decimal(0)
    limit = money.limit_usd
    used = None if not limit else spent * 100 / limit
    if limit is None:
        status = "unset"
    elif spent >= limit:
        status = "exceeded"
    elif used >= money.threshold:
        status = "critical" if used >= 90 else "warning"
    else:
        status = "ok"
    return {
        "monthly_limit_usd": limit,
        "raised_usd": 0.0,
        "alert_threshold_percentage": money.threshold,
        "current_spend_usd": spent,
        "remaining_usd": None if limit is None else limit - spent,
        "used_percentage": None if used is None else float(used),
        **projection(rows, spent, money, start, end),
        "period_start": start,
        "period_end": end,
        "status": status,
    }


def projection(rows: list[Row], spent: Decimal, money: Money, start: datetime, end: datetime) -> dict[str, Any]:
    """Returns the fields of the forecast, from the method itself: its own tests look at its figures."""
    zone = ZoneInfo(money.zone)
    today = money.now.astimezone(zone).date()
    midnights = [datetime.combine(day, time.min, zone).astimezone(UTC) for day in (today, today + DAY)]
    by_day = grouped(rows, lambda row: row.timestamp.astimezone(zone).date())
    history = [(day, float(spend(by_day.get(day, [])) or 0)) for day in (today - age * DAY for age in range(84, 0, -1))]
    days = [moment.astimezone(zone).date() for moment in (start, end)]
    left = (midnights[1] - money.now) / (midnights[1] - midnights[0])
    found = forecast(history, *days, float(spent), left)
    if isinstance(found, NoForecast):
        return dict.fromkeys(PROJECTED) | {"no_projection_reason": found.reason, "reached_on": []}
    shares = sorted({float(money.threshold), 90.0, 100.0}) if money.limit_usd is not None else []
    reached = [(share, found.exhaustion(float(money.limit_usd or 0) * share / 100)) for share in shares]
    return {
        **dict(zip(PROJECTED, (found.expected, found.low, found.high), strict=True)),
        "no_projection_reason": None,
        "reached_on": [
            {
                "percentage": share,
                **{name: iso_day(getattr(days, name)) for name in ("expected", "earliest", "latest")},
            }
            for share, days in reached
        ],
    }


PROJECTED = ("projected_monthly_spend_usd", "projected_low_usd", "projected_high_usd")


def iso_day(day: date | None) -> str | None:
    return day.isoformat() if day else None


PERCENTILES = {"p50_latency_ms": 0.5, "p95_latency_ms": 0.95, "p99_latency_ms": 0.99}


def percentiles(calls: list[Row], is_exact: bool) -> dict[str, Any]:
    values = timed(calls)
    exact = {name: percentile(values, share) for name, share in PERCENTILES.items()}
    if is_exact or not values:
        return exact
    return {name: Near(value, value * HISTOGRAM_ERROR + 1e-5) for name, value in exact.items() if value is not None}


def change_of_percentile(current: Any, previous: Any) -> Any:
    """Compares two percentiles. Each may be exact or estimated, depending on the number of calls of its window."""
    if not isinstance(current, Near) and not isinstance(previous, Near):
        return change(current, previous)
    current, previous = (value.value if isinstance(value, Near) else value for value in (current, previous))
    if current is None or previous is None:
        return None
    if previous < NOTHING_MS:
        return ANYTHING  # the change against an estimate near 0 can be any number
    ratio = current / previous
    return Near((ratio - 1) * 100, ratio * 100 * 2.1 * HISTOGRAM_ERROR + 0.1)


def method(calls: list[Row], rows: list[Row], question: Question) -> Any:
    """Returns how percentiles are found; ANYTHING if few calls pass the filters, and the window may have many."""
    if len(calls) > question.exact_rows:
        return "histogram"
    all_calls = [row for row in rows if row.operation in CALLS]
    return ANYTHING if question.filters and len(all_calls) > question.exact_rows else "exact"


def performance_overview(rows: list[Row], question: Question, money: Money) -> dict[str, Any]:
    current, previous = current_and_previous(rows, question)
    latency, latency_previous = (
        percentiles(calls, method(calls, rows, question) == "exact") for calls in (current, previous)
    )
    return {
        **latency,
        "avg_latency_ms": average(timed(current)),
        "error_rate": share(len(failed(current)), len(current)),
        "success_rate": share(len(current) - len(failed(current)), len(current)),
        "total_requests": len(current),
        "requests_per_second": len(current) / (question.end - question.start).total_seconds(),
        "percentile_method": method(current, rows, question),
        "change_from_previous": {
            **{name: change_of_percentile(latency[name], latency_previous[name]) for name in PERCENTILES},
            "error_rate": change(
                share(len(failed(current)), len(current)), share(len(failed(previous)), len(previous))
            ),
        },
    }


def performance_latency(rows: list[Row], question: Question, money: Money) -> dict[str, Any]:
    current, _ = current_and_previous(rows, question)
    by_bucket = grouped(current, lambda row: bucket_of(row.timestamp, question))
    return {
        "granularity": question.granularity,
        "percentile_method": method(current, rows, question),
        "data": [
            {
                "timestamp": bucket,
                "calls": len(by_bucket[bucket]),
                **percentiles(by_bucket[bucket], method(current, rows, question) == "exact"),
                "avg_latency_ms": average(timed(by_bucket[bucket])),
            }
            for bucket in buckets(question)
        ],
    }


FIRST_TOKENS = {"p50_first_token_ms": 0.5, "p95_first_token_ms": 0.95}


def performance_first_token(rows: list[Row], question: Question, money: Money) -> dict[str, Any]:
    current, _ = current_and_previous(rows, question)
    waited = [row for row in current if row.first_token_ms is not None]
    # Also without a filter, the calls among which few know their first token may be many.
    how = method(waited, rows, replace(question, filters=question.filters or {"first_token_ms": []}))
    by_bucket = grouped(waited, lambda row: bucket_of(row.timestamp, question))
    data = []
    for bucket in buckets(question):
        values = sorted(row.first_token_ms for row in by_bucket[bucket] if row.first_token_ms is not None)
        found = {name: percentile(values, share) for name, share in FIRST_TOKENS.items()}
        if how != "exact":
            found = {name: near(value) for name, value in found.items()}
        data.append({"timestamp": bucket, "calls": len(values), **found})
    return {"granularity": question.granularity, "percentile_method": how, "data": data}


def near(value: float | None) -> Any:
    """Returns what a histogram may say instead of the value."""
    return None if value is None else Near(value, value * HISTOGRAM_ERROR + 1e-5)


def performance_tokens_per_second(rows: list[Row], question: Question, money: Money) -> dict[str, Any]:
    current, _ = current_and_previous(rows, question)
    by_bucket = grouped(current, lambda row: bucket_of(row.timestamp, question))
    data = []
    for bucket in buckets(question):
        tokens, latency_ms = tokens_of(by_bucket[bucket], "output_tokens"), math.fsum(timed(by_bucket[bucket]))
        speed = ratio(tokens * 1000, latency_ms)
        data.append({"timestamp": bucket, "output_tokens": tokens, "tokens_per_second": speed})
    return {"granularity": question.granularity, "data": data}


def performance_tools(rows: list[Row], question: Question, money: Money) -> dict[str, Any]:
    filters = {"operation": ["execute_tool"]} | question.filters
    passing = [row for row in rows if all(passes(row, name, values) for name, values in filters.items())]
    of_tools = [
        row for row in passing if row.operation == "execute_tool" and question.start <= row.timestamp < question.end
    ]
    groups = grouped(of_tools, lambda row: row.tool)
    ranked = sorted(groups.items(), key=lambda group: (group[0] is None, -len(group[1]), last_first(group[0])))
    listed = [tool for tool, _ in ranked[: question.limit] if tool is not None]
    rest = [row for row in of_tools if row.tool not in listed]
    lines: list[tuple[str | None, list[Row]]] = [*((tool, groups[tool]) for tool in listed)]
    return {
        "total_calls": len(of_tools),
        "total_errors": len(failed(of_tools)),
        "data": [
            {
                "tool": tool,
                "calls": len(calls),
                "errors": len(failed(calls)),
                "error_rate": share(len(failed(calls)), len(calls)),
                "avg_latency_ms": average(timed(calls)),
                "p95_latency_ms": near(percentile(timed(calls), 0.95)),
            }
            for tool, calls in [*lines, *([(None, rest)] if rest else [])]
        ],
    }


def performance_throughput(rows: list[Row], question: Question, money: Money) -> dict[str, Any]:
    current, _ = current_and_previous(rows, question)
    by_bucket = grouped(current, lambda row: bucket_of(row.timestamp, question))
    data = []
    for bucket in buckets(question):
        counts = Counter(row.status for row in by_bucket[bucket])
        inside = bucket_end(bucket, question) - max(bucket, question.start)
        data.append(
            {
                "timestamp": bucket,
                **{status: counts[status] for status in ("success", "error", "timeout")},
                "total": len(by_bucket[bucket]),
                "requests_per_second": len(by_bucket[bucket]) / inside.total_seconds(),
            }
        )
    return {"granularity": question.granularity, "data": data}


def performance_errors(rows: list[Row], question: Question, money: Money) -> dict[str, Any]:
    current, _ = current_and_previous(rows, question)
    errors = failed(current)
    groups = sorted(
        grouped(errors, lambda row: (row.error_type, row.status)).items(),
        key=lambda group: (-len(group[1]), last_first(group[0][0]), group[0][1]),
    )
    data = []
    for (error_type, status), calls in groups[: question.limit]:
        samples = [row for row in calls if row.error_message is not None] or calls
        latest = [row for row in samples if row.timestamp == max(row.timestamp for row in samples)]
        data.append(
            {
                "error_type": error_type,
                "status": status,
                "calls": len(calls),
                "percentage": share(len(calls), len(errors)),
                "error_rate": share(len(calls), len(current)),
                "agents": len(agents(calls)),
                "users_affected": len(users(calls)),
                "first_seen": min(row.timestamp for row in calls),
                "last_seen": max(row.timestamp for row in calls),
                "sample_message": OneOf(tuple(row.error_message for row in latest)),
                "sample_trace_id": OneOf(tuple(row.trace_id for row in latest)),
            }
        )
    return {"total_errors": len(errors), "error_rate": share(len(errors), len(current)), "data": data}


def usage_scores(rows: list[Row], question: Question, money: Money) -> dict[str, Any]:
    """The histories hold calls, and nobody has judged them."""
    return {"data": []}


ORACLE: dict[str, Callable[[list[Row], Question, Money], dict[str, Any]]] = {
    "usage/overview": usage_overview,
    "usage/calls-over-time": usage_calls_over_time,
    "usage/tokens": usage_tokens,
    "usage/agent-distribution": usage_agent_distribution,
    "usage/top-users": usage_top_users,
    "usage/scores": usage_scores,
    "cost/overview": cost_overview,
    "cost/trend": cost_trend,
    "cost/by-model": cost_by_model,
    "cost/budget": cost_budget,
    "performance/overview": performance_overview,
    "performance/latency": performance_latency,
    "performance/first-token": performance_first_token,
    "performance/tokens-per-second": performance_tokens_per_second,
    "performance/tools": performance_tools,
    "performance/throughput": performance_throughput,
    "performance/errors": performance_errors,
}


# --- Comparison of an answer with the expected answer ---


def difference(actual: Any, expected: Any, at: str = "") -> str | None:
    """Describes where the two differ. Returns None if they agree."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        if set(actual) != set(expected):
            return f"{at}: fields {sorted(set(actual) ^ set(expected))}"
        return first(difference(actual[name], expected[name], f"{at}.{name}") for name in expected)
    if isinstance(expected, list) and isinstance(actual, list):
        if len(actual) != len(expected):
            return f"{at}: {len(actual)} rows, expected {len(expected)}"
        return first(
            difference(*pair, f"{at}[{index}]") for index, pair in enumerate(zip(actual, expected, strict=True))
        )
    return None if agree(actual, expected) else f"{at}: {actual!r}, expected {expected!r}"


def first(differences: Iterable[str | None]) -> str | None:
    return next((difference for difference in differences if difference), None)


def agree(actual: Any, expected: Any) -> bool:
    if expected is ANYTHING:
        return True
    if isinstance(expected, OneOf):
        return actual in expected.values
    if isinstance(expected, datetime):
        return isinstance(actual, str) and actual.endswith("Z") and datetime.fromisoformat(actual) == expected
    if isinstance(expected, (Near, float, Decimal, int)):
        if not isinstance(actual, (int, float)):
            return False
        if isinstance(expected, Near):
            return abs(actual - expected.value) <= expected.error
        if isinstance(expected, float):
            return math.isclose(actual, expected, rel_tol=1e-9, abs_tol=1e-7)
        return actual == float(expected)
    return bool(actual == expected)
