"""A list of traces: the newest, the slowest or the most expensive of the window."""

from collections.abc import Mapping
from typing import Any

from analytics.answers import LIVE_TTL_SECONDS
from analytics.answers import answer as cached
from dashboards.asking import Asked, PanelAnswer, PanelKind
from explorer.trace_filters import Sort, TraceFilters
from explorer.traces import found_traces
from traces.filters import Filters

SORTS: dict[str, Sort] = {"p95_latency_ms": "slowest", "cost_usd": "costliest"}
"""By the measure that the panel orders by."""
SECONDS = 1.0
"""How long the rows are searched where no index answers."""
MOST_TRACES = 50


def answer(asked: Asked) -> PanelAnswer:
    filters, sort = asked.filters, sort_of(asked)
    limit = min(asked.panel.limit, MOST_TRACES)

    def traces(filters: Filters) -> Mapping[str, Any]:
        found = found_traces(TraceFilters(filters, sort=sort), limit, SECONDS)
        return {"data": found.traces, "searched_until": found.searched_until}

    found = cached(traces, filters, asked.workspace, LIVE_TTL_SECONDS, f"{sort}:{limit}:")
    return PanelAnswer(found.body, filters, found.is_hit, found.age_seconds)


def sort_of(asked: Asked) -> Sort:
    return SORTS.get((asked.panel.order or "").removeprefix("-"), "newest")


def context(asked: Asked, data: Any, filters: Filters) -> dict[str, Any]:
    return {"sort": sort_of(asked)}


KIND = PanelKind(
    "traces",
    "Traces",
    "The newest, slowest or most expensive traces.",
    answer,
    context,
    fields=("trace_order", "limit"),
)
