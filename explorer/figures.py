"""Computes what the answers about one user and one agent have in common: figures, their change, a series, and parts."""

from dataclasses import replace
from typing import Any

from typing_extensions import TypedDict

from analytics import query
from analytics.change import Change, change
from analytics.field_types import BucketStart, LatencyMs, PricedCostUsd
from analytics.query_parameters import Parameters
from traces.buckets import Granularity
from traces.filters import Filters, FilterValues


class Figures(TypedDict):
    calls: int
    errors: int
    """Calls whose status is error or timeout."""
    error_rate: float | None
    """In percent; null without a call."""
    cost_usd: PricedCostUsd
    unpriced_calls: int
    input_tokens: int
    output_tokens: int
    unique_users: int
    avg_latency_ms: LatencyMs
    p50_latency_ms: LatencyMs
    p95_latency_ms: LatencyMs


class FiguresChange(TypedDict):
    calls: Change
    errors: Change
    error_rate: Change
    cost_usd: Change
    unpriced_calls: Change
    input_tokens: Change
    output_tokens: Change
    unique_users: Change
    avg_latency_ms: Change
    p50_latency_ms: Change
    p95_latency_ms: Change


class Point(TypedDict):
    timestamp: BucketStart
    calls: int
    errors: int
    cost_usd: PricedCostUsd


class ModelFigures(TypedDict):
    provider: str | None
    model: str | None
    calls: int
    errors: int
    avg_latency_ms: LatencyMs
    cost_usd: PricedCostUsd


class AgentFigures(TypedDict):
    agent_id: str
    calls: int
    errors: int
    avg_latency_ms: LatencyMs
    cost_usd: PricedCostUsd


class ReleaseFigures(TypedDict):
    release: str | None
    calls: int
    errors: int
    avg_latency_ms: LatencyMs
    cost_usd: PricedCostUsd


class OfWindow(TypedDict):
    figures: Figures
    change_from_previous: FiguresChange
    granularity: Granularity
    series: list[Point]


PART_MEASURES = ("calls", "errors", "avg_latency_ms", "cost_usd")
POINT_MEASURES = ("calls", "errors", "cost_usd")


def narrowed(filters: Filters, name: str, value: str) -> Filters:
    """Returns the filters with one more: only this value of the dimension `name`."""
    return replace(filters, values={**filters.values, name: FilterValues((value,))})


def of_window(filters: Filters) -> OfWindow:
    totals = totals_of(filters, tuple(Figures.__annotations__))
    return {
        "figures": totals["now"],
        "change_from_previous": totals["change"],
        "granularity": filters.granularity,
        "series": series(filters, POINT_MEASURES),
    }


def totals_of(filters: Filters, measures: tuple[str, ...], **narrowing: Any) -> dict[str, Any]:
    """Returns the measures of the window, and their change."""
    parameters = Parameters(measures, order=f"-{measures[0]}", compare="previous", **narrowing)
    totals = query.answer(parameters, filters)["totals"]
    before = totals.pop("previous")
    return {"now": totals, "change": {name: change(totals[name], before[name]) for name in measures}}


def series(filters: Filters, measures: tuple[str, ...], **narrowing: Any) -> list[Any]:
    parameters = Parameters(measures, order=f"-{measures[0]}", is_series=True, **narrowing)
    return query.answer(parameters, filters)["data"]


def parts(filters: Filters, by: tuple[str, ...], order: str, measures: tuple[str, ...], **narrowing: Any) -> list[Any]:
    """Returns the measures of the `limit` largest groups."""
    return query.answer(Parameters(measures, by=by, order=order, **narrowing), filters)["data"]


def models(filters: Filters) -> list[ModelFigures]:
    return parts(filters, ("provider", "model"), "-cost_usd", PART_MEASURES)


def agents(filters: Filters) -> list[AgentFigures]:
    return parts(filters, ("agent_id",), "-calls", PART_MEASURES)


def releases(filters: Filters) -> list[ReleaseFigures]:
    return parts(filters, ("release",), "-calls", PART_MEASURES)
