"""Says which panel of a dashboard shows the same as a panel of the built-in pages."""

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict

from analytics.query_string import is_filter
from analytics.splits import is_dimension, split_title
from dashboards.panels import kinds

TOKENS = ["input_tokens", "output_tokens"]
COSTS = ["cost_usd", "cost_per_call_usd", "calls", "input_tokens", "output_tokens"]
PANELS: dict[str, Mapping[str, Any]] = {
    "usage-overview": {
        "kind": "number",
        "title": "Calls and users",
        "measures": ["calls", "unique_users"],
        "compare": "previous",
    },
    "usage-calls-over-time": {
        "kind": "stacked_bars",
        "title": "Calls over time",
        "measures": ["calls"],
        "by": ["status"],
        "compare": "previous",
    },
    "usage-tokens": {"kind": "stacked_bars", "title": "Tokens over time", "measures": TOKENS, "compare": "previous"},
    "usage-agent-distribution": {"kind": "donut", "title": "Agents", "measures": ["calls"], "by": ["agent_id"]},
    "usage-top-users": {
        "kind": "table",
        "title": "Top users",
        "measures": ["calls", "cost_usd"],
        "by": ["user_id"],
        "compare": "previous",
    },
    "cost-overview": {"kind": "number", "title": "Spend", "measures": ["cost_usd"], "compare": "previous"},
    "cost-trend": {
        "kind": "stacked_bars",
        "title": "Cost over time",
        "measures": ["cost_usd"],
        "by": ["model"],
        "compare": "previous",
    },
    "cost-by-model": {"kind": "table", "title": "Cost by model", "measures": COSTS, "by": ["model"], "limit": 20},
    "cost-budget": {"kind": "budget", "title": "Budget"},
    "performance-overview": {
        "kind": "number",
        "title": "Latency and errors",
        "measures": ["p50_latency_ms", "p95_latency_ms", "error_rate"],
        "compare": "previous",
    },
    "performance-latency": {
        "kind": "line",
        "title": "Latency",
        "measures": ["p50_latency_ms", "p95_latency_ms", "p99_latency_ms"],
    },
    "performance-first-token": {
        "kind": "line",
        "title": "Time to first token",
        "measures": ["p50_first_token_ms", "p95_first_token_ms"],
    },
    "performance-tokens-per-second": {
        "kind": "line",
        "title": "Tokens per second",
        "measures": ["tokens_per_second"],
        "compare": "previous",
    },
    "performance-throughput": {
        "kind": "stacked_bars",
        "title": "Throughput",
        "measures": ["calls"],
        "by": ["status"],
        "compare": "previous",
    },
    "performance-errors": {"kind": "errors", "title": "Errors"},
    "performance-tools": {
        "kind": "table",
        "title": "Tools",
        "measures": ["calls", "error_rate", "p95_latency_ms"],
        "by": ["tool"],
        "limit": 20,
    },
}
"""By the name of the metric."""
NOT_EXPRESSED = {
    "usage-scores": "the query measures one score by its name, and this panel lists all names",
}
"""Metrics that no panel of a dashboard shows, with the reason."""
SPLIT_MEASURES = {"performance-latency": ["p95_latency_ms"], "performance-first-token": ["p95_first_token_ms"]}
"""What such a panel shows while the page splits its charts."""


def panel_of(metric: str, query: QueryDict) -> dict[str, Any]:
    """Returns the panel for a metric, with the filters of the page and the dimension that it splits charts by."""
    panel = dict(PANELS[metric])
    split = query.get("cost_by" if metric == "cost-by-model" else "split", "")
    is_series = kinds()[panel["kind"]].base == "series"
    if is_dimension(split) and (is_series or metric == "cost-by-model"):
        panel |= {"by": [split], "title": split_title(panel["title"].removesuffix(" by model"), split)}
        panel["measures"] = SPLIT_MEASURES.get(metric, panel["measures"])
    if kinds()[panel["kind"]].has_filters:
        panel["filters"] = {name: values for name, values in query.lists() if is_filter(name) and any(values)}
    return panel
