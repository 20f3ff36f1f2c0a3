"""What panels show beside an endpoint's own answer: sparklines, the window before, colours. JSON never has it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from analytics import cost, performance, usage
from analytics.answers import LIVE, OVERVIEW, SERIES, Question, answer
from analytics.filter_values import known_models, newest_call, people_over_time
from analytics.palette import slots
from budgets.spending import period
from traces.filters import Filters
from workspaces.models import Workspace

Beside = Callable[[Filters, Workspace], dict[str, Any]]


def beside(query: Question, filters: Filters, workspace: Workspace) -> dict[str, Any]:
    found = BESIDE.get(query)
    return found(filters, workspace) if found else {}


def data(query: Question, filters: Filters, workspace: Workspace, tier: int, window: str = "") -> Any:
    return orjson.loads(answer(query, filters, workspace, tier, window).body)


def before(query: Question, filters: Filters, workspace: Workspace, tier: int) -> Any:
    """The same question of the window of equal length immediately before."""
    return data(query, filters.previous, workspace, tier, "previous:")


def usage_overview(filters: Filters, workspace: Workspace) -> dict[str, Any]:
    return {
        "calls": data(usage.calls_over_time, filters, workspace, SERIES),
        "people": data(people_over_time, filters, workspace, OVERVIEW),
    }


def calls_over_time(filters: Filters, workspace: Workspace) -> dict[str, Any]:
    return {"before": before(usage.calls_over_time, filters, workspace, SERIES), "newest": newest(filters)}


def cost_overview(filters: Filters, workspace: Workspace) -> dict[str, Any]:
    return {
        "costs": data(cost.trend, replace(filters, limit=SERIES_SHOWN), workspace, SERIES),
        "before": before(cost.overview, filters, workspace, OVERVIEW),
        "month": month(filters, workspace),
        "now": datetime.now(UTC),
    }


def cost_trend(filters: Filters, workspace: Workspace) -> dict[str, Any]:
    return {
        "before": before(cost.trend, replace(filters, limit=1), workspace, SERIES),
        "slots": model_slots(filters, workspace),
        "newest": newest(filters),
    }


def cost_by_model(filters: Filters, workspace: Workspace) -> dict[str, Any]:
    return {"slots": model_slots(filters, workspace)}


def performance_overview(filters: Filters, workspace: Workspace) -> dict[str, Any]:
    return {
        "latency": data(performance.latency, filters, workspace, SERIES),
        "throughput": data(performance.throughput, filters, workspace, SERIES),
        "errors": data(performance.errors, filters, workspace, LIVE),
    }


def latency(filters: Filters, workspace: Workspace) -> dict[str, Any]:
    return {"before": before(performance.latency, filters, workspace, SERIES), "newest": newest(filters)}


def newest(filters: Filters) -> Callable[[], datetime | None]:
    """Templates call it only where there is nothing to show."""
    return lambda: newest_call(filters.workspace_id)


BESIDE: dict[Question, Beside] = {
    usage.overview: usage_overview,
    usage.calls_over_time: calls_over_time,
    cost.overview: cost_overview,
    cost.trend: cost_trend,
    cost.by_model: cost_by_model,
    performance.overview: performance_overview,
    performance.latency: latency,
}

SERIES_SHOWN = 8
"""Most series of a chart; the rest is one more, called other."""


def month(filters: Filters, workspace: Workspace) -> Any:
    """Spend by day of the workspace's running month, whatever the page is narrowed to."""
    now = datetime.now(UTC)
    start, _ = period(workspace, now)
    whole = Filters(filters.workspace_id, start=start, end=now, granularity="daily", limit=1, range="30d")
    return data(cost.trend, whole, workspace, SERIES, f"month {start:%Y-%m}:")


def model_slots(filters: Filters, workspace: Workspace) -> dict[str, int]:
    everything = Filters(filters.workspace_id, start=filters.start, end=filters.end, granularity="daily", range="30d")
    return slots(data(known_models, everything, workspace, OVERVIEW)["data"])
