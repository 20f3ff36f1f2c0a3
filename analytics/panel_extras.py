"""Makes data that a panel shows in addition to its endpoint's answer: sparklines, the previous window, colours.

The JSON of the endpoint does not contain it. analytics/catalogue.py names the function of each panel.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from analytics import cost, performance, usage
from analytics.answers import LIVE_TTL_SECONDS, OVERVIEW_TTL_SECONDS, SERIES_TTL_SECONDS, Question, answer_data
from analytics.forecasts import forecast_data
from analytics.page_questions import known_names, users_and_agents_over_time
from analytics.palette import colour_slots
from budgets.spending import period
from traces.filters import LABEL_PREFIX, Filters
from traces.sums import NAMED_BY_DAYS
from workspaces.models import Workspace

PanelExtras = Callable[[Filters, Workspace], dict[str, Any]]

SERIES_SHOWN = 8
"""The largest number of series in a chart. All others are one more series, named other."""


def no_extras(filters: Filters, workspace: Workspace) -> dict[str, Any]:
    return {}


def usage_overview(filters: Filters, workspace: Workspace) -> dict[str, Any]:
    return {
        "calls": answer_data(usage.calls_over_time, filters, workspace, SERIES_TTL_SECONDS),
        "users_and_agents": answer_data(users_and_agents_over_time, filters, workspace, OVERVIEW_TTL_SECONDS),
    }


def usage_calls_over_time(filters: Filters, workspace: Workspace) -> dict[str, Any]:
    return {"previous": previous(usage.calls_over_time, filters, workspace, SERIES_TTL_SECONDS)}


def usage_tokens(filters: Filters, workspace: Workspace) -> dict[str, Any]:
    return {"previous": previous(usage.tokens, filters, workspace, SERIES_TTL_SECONDS)}


def agent_distribution(filters: Filters, workspace: Workspace) -> dict[str, Any]:
    return {"slots": slots_of("agent_id", filters, workspace)}


def cost_overview(filters: Filters, workspace: Workspace) -> dict[str, Any]:
    return {
        "costs": answer_data(cost.trend, replace(filters, limit=SERIES_SHOWN), workspace, SERIES_TTL_SECONDS),
        "previous": previous(cost.overview, filters, workspace, OVERVIEW_TTL_SECONDS),
        "month": running_month(filters, workspace),
        "now": datetime.now(UTC),
    }


def cost_trend(filters: Filters, workspace: Workspace) -> dict[str, Any]:
    return {
        "previous": previous(cost.trend, replace(filters, limit=1), workspace, SERIES_TTL_SECONDS),
        "slots": model_slots(filters, workspace),
    }


def cost_by_model(filters: Filters, workspace: Workspace) -> dict[str, Any]:
    return {"slots": model_slots(filters, workspace)}


def cost_budget(filters: Filters, workspace: Workspace) -> dict[str, Any]:
    return {"past_error": forecast_data(workspace)["past_error"], "month": running_month(filters, workspace)}


def performance_overview(filters: Filters, workspace: Workspace) -> dict[str, Any]:
    return {
        "latency": answer_data(performance.latency, filters, workspace, SERIES_TTL_SECONDS),
        "throughput": answer_data(performance.throughput, filters, workspace, SERIES_TTL_SECONDS),
        "errors": answer_data(performance.errors, filters, workspace, LIVE_TTL_SECONDS),
    }


def performance_latency(filters: Filters, workspace: Workspace) -> dict[str, Any]:
    return {"previous": previous(performance.latency, filters, workspace, SERIES_TTL_SECONDS)}


def performance_first_token(filters: Filters, workspace: Workspace) -> dict[str, Any]:
    return {"previous": previous(performance.first_token, filters, workspace, SERIES_TTL_SECONDS)}


def performance_tokens_per_second(filters: Filters, workspace: Workspace) -> dict[str, Any]:
    return {"previous": previous(performance.tokens_per_second, filters, workspace, SERIES_TTL_SECONDS)}


def performance_throughput(filters: Filters, workspace: Workspace) -> dict[str, Any]:
    return {"previous": previous(usage.calls_over_time, filters, workspace, SERIES_TTL_SECONDS)}


def previous(question: Question, filters: Filters, workspace: Workspace, ttl_seconds: int) -> Any:
    """Returns the same question's answer for the window of equal length immediately before."""
    return answer_data(question, filters.previous, workspace, ttl_seconds, "previous:")


def running_month(filters: Filters, workspace: Workspace) -> Any:
    """Returns the spend of each day of the workspace's running month, whatever filters the page has."""
    now = datetime.now(UTC)
    start, _ = period(workspace, now)
    whole = Filters(
        filters.workspace_id, start=start, end=now, granularity="daily", limit=1, range="30d", zone=workspace.zone
    )
    return answer_data(cost.trend, whole, workspace, SERIES_TTL_SECONDS, f"month {start:%Y-%m}:")


def model_slots(filters: Filters, workspace: Workspace) -> dict[str, int]:
    return slots_of("model", filters, workspace)


def slots_of(dimension: str, filters: Filters, workspace: Workspace) -> dict[str, int]:
    """Returns the colours of the names of a dimension, by first appearance."""
    if dimension not in NAMED_BY_DAYS and dimension != "user_id" and not dimension.startswith(LABEL_PREFIX):
        return {}
    all_stored_time = Filters(
        filters.workspace_id, start=filters.start, end=filters.end, granularity="daily", range="30d"
    )
    names = answer_data(known_names(dimension), all_stored_time, workspace, OVERVIEW_TTL_SECONDS)["data"]
    return colour_slots(names)
