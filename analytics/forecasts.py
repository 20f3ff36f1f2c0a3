"""Answers the question what a period will cost, through the cache."""

from decimal import Decimal
from typing import Any

import orjson

from analytics import cache
from analytics.answers import OVERVIEW_TTL_SECONDS, as_json
from budgets.forecast_answer import ForecastPeriod, forecast_answer
from traces import engines
from traces.filters import DIMENSION_BY_NAME, FilterValues
from workspaces.models import Workspace


def cached_forecast(
    workspace: Workspace, values: dict[str, FilterValues], period: ForecastPeriod, limit_usd: Decimal | None = None
) -> cache.Answer:
    def question() -> bytes:
        return as_json(engines.recompute_if_hour_closed(lambda: forecast_answer(workspace, values, period, limit_usd)))

    names = [*(name for name in DIMENSION_BY_NAME if name in values), *sorted(values.keys() - DIMENSION_BY_NAME.keys())]
    key = repr((period, limit_usd, [(name, *map(sorted, values[name])) for name in names]))
    return cache.cached(workspace, f"forecast:{key}", OVERVIEW_TTL_SECONDS, question)


def forecast_data(workspace: Workspace) -> Any:
    """Returns the forecast of the workspace's month as parsed JSON, for templates."""
    return orjson.loads(cached_forecast(workspace, {}, "month").body)
