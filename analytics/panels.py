"""What panels show beside an endpoint's own answer: sparklines, the window before, colours. JSON never has it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from analytics import cost, performance, usage
from analytics.answers import LIVE, OVERVIEW, SERIES, Question, answer
from analytics.choices import known_models, newest_call, people_over_time
from analytics.filters import Filters
from analytics.palette import slots
from budgets.spending import period
from workspaces.models import Workspace

Beside = Callable[[Filters, Workspace], dict[str, Any]]


def beside(query: Question, asked: Filters, workspace: Workspace) -> dict[str, Any]:
    found = BESIDE.get(query)
    return found(asked, workspace) if found else {}


def data(query: Question, asked: Filters, workspace: Workspace, tier: int, window: str = "") -> Any:
    return orjson.loads(answer(query, asked, workspace, tier, window).body)


def before(query: Question, asked: Filters, workspace: Workspace, tier: int) -> Any:
    """The same question of the window of equal length immediately before."""
    return data(query, asked.previous, workspace, tier, "previous:")


def usage_overview(asked: Filters, workspace: Workspace) -> dict[str, Any]:
    return {
        "calls": data(usage.calls_over_time, asked, workspace, SERIES),
        "people": data(people_over_time, asked, workspace, OVERVIEW),
    }


def calls_over_time(asked: Filters, workspace: Workspace) -> dict[str, Any]:
    return {"before": before(usage.calls_over_time, asked, workspace, SERIES), "newest": newest(asked)}


def cost_overview(asked: Filters, workspace: Workspace) -> dict[str, Any]:
    return {
        "costs": data(cost.trend, replace(asked, limit=SERIES_SHOWN), workspace, SERIES),
        "before": before(cost.overview, asked, workspace, OVERVIEW),
        "month": month(asked, workspace),
        "now": datetime.now(UTC),
    }


def cost_trend(asked: Filters, workspace: Workspace) -> dict[str, Any]:
    return {
        "before": before(cost.trend, replace(asked, limit=1), workspace, SERIES),
        "slots": model_slots(asked, workspace),
        "newest": newest(asked),
    }


def cost_by_model(asked: Filters, workspace: Workspace) -> dict[str, Any]:
    return {"slots": model_slots(asked, workspace)}


def performance_overview(asked: Filters, workspace: Workspace) -> dict[str, Any]:
    return {
        "latency": data(performance.latency, asked, workspace, SERIES),
        "throughput": data(performance.throughput, asked, workspace, SERIES),
        "errors": data(performance.errors, asked, workspace, LIVE),
    }


def latency(asked: Filters, workspace: Workspace) -> dict[str, Any]:
    return {"before": before(performance.latency, asked, workspace, SERIES), "newest": newest(asked)}


def newest(asked: Filters) -> Callable[[], datetime | None]:
    """Templates call it only where there is nothing to show."""
    return lambda: newest_call(asked.workspace_id)


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


def month(asked: Filters, workspace: Workspace) -> Any:
    """Spend by day of the workspace's running month, whatever the page is narrowed to."""
    now = datetime.now(UTC)
    start, _ = period(workspace, now)
    whole = Filters(asked.workspace_id, start=start, end=now, granularity="daily", limit=1, range="30d")
    return data(cost.trend, whole, workspace, SERIES, f"month {start:%Y-%m}:")


def model_slots(asked: Filters, workspace: Workspace) -> dict[str, int]:
    everything = Filters(asked.workspace_id, start=asked.start, end=asked.end, granularity="daily", range="30d")
    return slots(data(known_models, everything, workspace, OVERVIEW)["data"])
