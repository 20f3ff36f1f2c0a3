"""Serves `/api/v1/prometheus/metrics`: a workspace's calls, costs and latencies, as Prometheus scrapes them.

The counts begin anew with each month of UTC, which Prometheus takes as a restart. They are sums of what is stored, not
counters of a process: late calls are in them, and every web process says the same.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import TypedDict

from analytics.answers import LIVE_TTL_SECONDS, answer_data
from analytics.openapi import WORKSPACE, Schema, problems, success_response
from traces import sums
from traces.db import rows
from traces.filters import Filters
from workspaces.access import WorkspaceRequest, workspace_access

LABELS = ("agent", "provider", "model")
KEYS = ("agent_id", "provider", "model")
MOST_SERIES = 500
"""So many agents and models have lines of their own: those that came first in the month. All others share one."""
OTHERS = "(others)"
COUNTS = {
    "calls": ("llm_calls", "Calls of models."),
    "errors": ("llm_errors", "Calls of models that failed or timed out."),
    "unpriced_calls": ("llm_unpriced_calls", "Calls whose price is unknown: they are not in the cost."),
    "cost_usd": ("llm_cost_usd", "Cost of the calls, in US dollars."),
    "input_tokens": ("llm_input_tokens", "Input tokens, with those that a cache read or wrote."),
    "output_tokens": ("llm_output_tokens", "Output tokens, with reasoning."),
}
"""The counters by the measures that they show. Prometheus adds `_total` to each name."""
LATENCY = "llm_latency_seconds"
LOWEST, HIGHEST = 6, 17
"""The bounds of the histogram are powers of two, in milliseconds: from 64 ms to 131 s. Ours have 32 buckets between two
of them, so that each is exact."""
IN_A_DOUBLING = 32

TOTALS = """
SELECT
    agent_id,
    provider,
    model,
    min(timestamp)::date::text AS first_day,
    sum(calls)::bigint AS calls,
    sum(errors)::bigint AS errors,
    (sum(calls) - sum(priced_calls))::bigint AS unpriced_calls,
    sum(cost_usd) AS cost_usd,
    sum(input_tokens)::bigint AS input_tokens,
    sum(output_tokens)::bigint AS output_tokens,
    sum(timed_calls)::bigint AS timed_calls,
    sum(latency_ms)::float8 AS latency_ms
FROM {calls} AS calls
GROUP BY 1, 2, 3
HAVING sum(calls) > 0
ORDER BY first_day, agent_id, provider, model
"""
HISTOGRAMS = """
SELECT
    agent_id,
    provider,
    model,
    greatest(least(ceil((latency_bucket + 1) / %(in_a_doubling)s::float8), %(highest)s + 1), %(lowest)s)::integer
        AS bound,
    sum(calls)::bigint AS calls
FROM {histogram} AS calls
GROUP BY 1, 2, 3, 4
"""


class Series(TypedDict):
    """The month of one agent and model."""

    labels: Sequence[str]
    counts: Mapping[str, float]
    timed_calls: int
    latency_ms: float
    bounds: Mapping[str, int]
    """Calls by the bound below which they are and above the one before, as its exponent; HIGHEST + 1 has the rest."""


class Scraped(TypedDict):
    series: list[Series]


@require_safe
@workspace_access("read", key_selects=True)
def prometheus_metrics(request: WorkspaceRequest) -> HttpResponse:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    month = now.replace(day=1, hour=0, minute=0)
    filters = Filters(request.workspace.id, month, max(now, month.replace(minute=1)), "daily")
    found: Scraped = answer_data(month_so_far, filters, request.workspace, LIVE_TTL_SECONDS, "prometheus")
    registry = CollectorRegistry()
    registry.register(Month(found["series"]))
    response = HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    response["Cache-Control"] = "private, no-store"
    return response


def operations() -> dict[str, Schema]:
    """Describes the endpoint for the API document."""
    answer = {CONTENT_TYPE_LATEST.partition(";")[0]: {"schema": {"type": "string"}}}
    return {
        "/api/v1/prometheus/metrics": {
            "get": {
                "operationId": "prometheus-metrics",
                "summary": "The calls, costs and latencies of this month by agent and model, for Prometheus.",
                "description": "The key selects the workspace: X-Workspace-ID may be absent. Counts begin anew with "
                "each month of UTC. `docs/grafana.md` has the configuration, and a dashboard for Grafana.",
                "tags": ["exports"],
                "parameters": [WORKSPACE | {"required": False}],
                "responses": {"200": success_response(answer, "Cache-Control"), **problems()},
                "x-example": {"query": ""},
            }
        }
    }


def month_so_far(filters: Filters) -> Scraped:
    """Returns the sums of the window by agent, provider and model."""
    measures = ("calls", "errors", "priced_calls", "cost_usd", "input_tokens", "output_tokens")
    calls = sums.calls_sql(filters, *KEYS, *measures, "timed_calls", "latency_ms")
    histogram = sums.LATENCIES.sql(filters, *KEYS)
    bounds = {"in_a_doubling": IN_A_DOUBLING, "lowest": LOWEST, "highest": HIGHEST}
    totals = rows(TOTALS, filters.params, None, calls=calls)
    latencies = rows(HISTOGRAMS, filters.params | bounds, None, histogram=histogram)
    return {"series": limited(totals, latencies)}


def limited(totals: Sequence[Mapping[str, Any]], latencies: Iterable[Mapping[str, Any]]) -> list[Series]:
    """Returns the first series of the month, and last the sum of all others."""
    own = {key_of(row) for row in totals[:MOST_SERIES]}
    found: dict[tuple[str, ...], Series] = {}
    for row in totals:
        add_totals(series_of(found, key_of(row), own), row)
    for row in latencies:
        bounds: Any = series_of(found, key_of(row), own)["bounds"]
        bounds[str(row["bound"])] = bounds.get(str(row["bound"]), 0) + row["calls"]
    return list(found.values())


def key_of(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(row[name] or "" for name in KEYS)


def series_of(found: dict[tuple[str, ...], Series], key: tuple[str, ...], own: set[tuple[str, ...]]) -> Series:
    shown = key if key in own else (OTHERS,) * len(KEYS)
    empty: Series = {"labels": shown, "counts": {}, "timed_calls": 0, "latency_ms": 0.0, "bounds": {}}
    return found.setdefault(shown, empty)


def add_totals(series: Series, row: Mapping[str, Any]) -> None:
    counts: Any = series["counts"]
    for name in COUNTS:
        counts[name] = counts.get(name, 0) + row[name]
    series["timed_calls"] += row["timed_calls"]
    series["latency_ms"] += row["latency_ms"]


class Month(Collector):
    """Gives prometheus-client what was found."""

    def __init__(self, series: Sequence[Series]) -> None:
        self.series = series

    def collect(self) -> Iterator[Metric]:
        for measure, (name, words) in COUNTS.items():
            counter = CounterMetricFamily(name, words, labels=LABELS)
            for one in self.series:
                counter.add_metric(one["labels"], float(one["counts"][measure]))
            yield counter
        histogram = HistogramMetricFamily(LATENCY, "How long calls took.", labels=LABELS)
        for one in self.series:
            histogram.add_metric(one["labels"], cumulative(one), one["latency_ms"] / 1000)
        yield histogram


def cumulative(series: Series) -> list[tuple[str, float]]:
    """Returns how many calls took at most each bound, in seconds."""
    below, found = 0, []
    for exponent in range(LOWEST, HIGHEST + 1):
        below += series["bounds"].get(str(exponent), 0)
        found.append((str(2**exponent / 1000), float(below)))
    return [*found, ("+Inf", float(series["timed_calls"]))]
