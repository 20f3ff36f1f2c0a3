"""Lists what a rule can measure: from which sums, how its values read, and what explains and shows them."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from analytics.query_measures import SCORE_PREFIX
from web.number_text import Amount, average, count, dollars, ms, percent, usd

Sums = Mapping[str, Any]
"""Sums of calls, by the names of the rollups' measures, and `calls`."""

SUMMED, HISTOGRAM, USERS, SCORES = "sums", "histogram", "users", "scores"


PLURALS = ("Failed calls", "Calls", "Tokens", "Users")


class Metric(NamedTuple):
    words: str
    """As in a sentence: Spend of support is $12.40."""
    text: Callable[[Amount], str]
    source: str = SUMMED
    columns: tuple[str, ...] = ()
    """The sums that it needs, beside calls."""
    of: Callable[[Sums], float | None] | None = None
    """Computes it from these sums."""
    is_sum: bool = False
    """It adds up: without any call it is 0."""
    explained_by: str = ""
    """The measure of `insights/changes` that has its contributors."""
    page: str = "usage-page"
    anomaly: str = ""
    """The measure of `methods/anomalies`, where there is one."""
    impact: str = ""
    """What a limit of the comparison unusual counts."""

    @property
    def verb(self) -> str:
        return "are" if self.words.startswith(PLURALS) else "is"


def ratio(above: str, below: str, factor: int = 1) -> Callable[[Sums], float | None]:
    return lambda sums: float(sums[above]) * factor / float(sums[below]) if sums[below] else None


def total(*names: str) -> Callable[[Sums], float | None]:
    return lambda sums: float(sum(sums[name] for name in names))


def latency(share: str) -> Metric:
    return Metric(
        f"{share} latency",
        ms,
        HISTOGRAM,
        explained_by="avg_latency_ms",
        page="performance-page",
        anomaly="latency",
        impact="calls",
    )


def first_token(share: str) -> Metric:
    return Metric(f"{share} time to first token", ms, HISTOGRAM, explained_by="avg_latency_ms", page="performance-page")


METRICS: dict[str, Metric] = {
    "cost_usd": Metric(
        "Spend",
        dollars,
        columns=("cost_usd",),
        of=total("cost_usd"),
        is_sum=True,
        explained_by="cost_usd",
        page="cost-page",
        anomaly="spend",
        impact="dollars",
    ),
    "error_rate": Metric(
        "Error rate",
        percent,
        columns=("errors",),
        of=ratio("errors", "calls", 100),
        explained_by="error_rate",
        page="performance-page",
        anomaly="errors",
        impact="failed calls",
    ),
    "errors": Metric(
        "Failed calls",
        count,
        columns=("errors",),
        of=total("errors"),
        is_sum=True,
        explained_by="error_rate",
        page="performance-page",
        anomaly="errors",
        impact="failed calls",
    ),
    "p95_latency_ms": latency("p95"),
    "p50_latency_ms": latency("Median"),
    "p99_latency_ms": latency("p99"),
    "avg_latency_ms": Metric(
        "Average latency",
        ms,
        columns=("latency_ms", "timed_calls"),
        of=ratio("latency_ms", "timed_calls"),
        explained_by="avg_latency_ms",
        page="performance-page",
        anomaly="latency",
        impact="calls",
    ),
    "p50_first_token_ms": first_token("Median"),
    "p95_first_token_ms": first_token("p95"),
    "calls": Metric(
        "Calls", count, of=total("calls"), is_sum=True, explained_by="calls", anomaly="calls", impact="calls"
    ),
    "tokens": Metric(
        "Tokens",
        count,
        columns=("input_tokens", "output_tokens"),
        of=total("input_tokens", "output_tokens"),
        is_sum=True,
        explained_by="tokens",
    ),
    "cost_per_call_usd": Metric(
        "Cost per call",
        usd,
        columns=("cost_usd", "priced_calls"),
        of=ratio("cost_usd", "priced_calls"),
        explained_by="cost_per_call_usd",
        page="cost-page",
    ),
    "unpriced_calls": Metric(
        "Calls without a price",
        count,
        columns=("priced_calls",),
        of=lambda sums: float(sums["calls"] - sums["priced_calls"]),
        is_sum=True,
        explained_by="calls",
        page="cost-page",
    ),
    "unique_users": Metric("Users", count, USERS, is_sum=True, explained_by="calls"),
}
SCORE = Metric("Average score", average, SCORES)
OF_USERS = ("cost_usd", "calls", "cost_per_call_usd", "unpriced_calls")
"""What the sums of users know. For other metrics of users rows are read."""


def metric_of(name: str) -> Metric:
    if name.startswith(SCORE_PREFIX):
        return SCORE._replace(words=f"Average {name.removeprefix(SCORE_PREFIX)}")
    return METRICS[name]
