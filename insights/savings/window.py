"""What the kinds of savings share: the window, its calls by agent and model, and what a kind has found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from ingest.model_names import base_model
from prices.list_price import Rates
from prices.models import PriceOverride
from prices.overrides import overrides_of
from prices.what_if import CallSums, Target, rates_at, sums_cost
from traces import sums
from traces.bucket_series import bucket_sql
from traces.db import rows
from traces.filters import Filters, FilterValues
from workspaces.models import Workspace

LENGTH = timedelta(days=28)
"""Whole weeks, so that each weekday counts the same."""
MONTH = timedelta(days=365) / 12
FEWEST_DAYS = 5
"""Calls on fewer days of the window are no habit: a first day, or one evaluation."""
RECENT = timedelta(days=7)
"""What did not happen for so long costs nothing any more."""
LEAST_USD = Decimal("0.5")
"""Of a line of the window. Less cannot save a dollar a month."""
FEWEST_CALLS = 100
"""From so many calls on, a line is known that costs less: it may be the cheaper way."""
MOST_LINES = 2_000
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")


class Found(NamedTuple):
    """What a kind has found in the window. Amounts are of the window; the interval is what is sure of them."""

    kind: str
    filters: Mapping[str, str]
    """The filters of the list of traces that shows the calls behind it."""
    usd: Decimal
    low_usd: Decimal
    high_usd: Decimal
    calls: int
    facts: Mapping[str, Any] = {}
    """What its sentence says."""


class Line(NamedTuple):
    """The calls of one agent to one model."""

    agent_id: str
    provider: str | None
    model: str | None
    operation: str
    calls: int
    errors: int
    priced_calls: int
    cost_usd: Decimal
    squared_cost: Decimal
    failed_cost_usd: Decimal
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    days: int
    """On so many days (UTC) there were calls."""
    last_day: datetime

    @property
    def filters(self) -> dict[str, str]:
        named = {"agent_id": self.agent_id, "provider": self.provider, "model": self.model}
        return {name: value for name, value in named.items() if value is not None}

    @property
    def names(self) -> tuple[str, str | None, str | None]:
        return self.agent_id, self.provider, self.model

    def sums(self, at: datetime) -> CallSums:
        counts: dict[str, Any] = {name: getattr(self, name) for name in TOKENS}
        return CallSums(self.operation, self.priced_calls, at, **counts)


LINES = """
SELECT
    agent_id,
    provider,
    model,
    operation,
    sum(calls)::bigint AS calls,
    sum(errors)::bigint AS errors,
    sum(priced_calls)::bigint AS priced_calls,
    sum(cost_usd) AS cost_usd,
    sum(squared_cost) AS squared_cost,
    coalesce(sum(cost_usd) FILTER (WHERE status <> 'success'), 0) AS failed_cost_usd,
    {tokens},
    count(DISTINCT {bucket}) AS days,
    max({bucket}) AS last_day
FROM {calls} AS calls
GROUP BY agent_id, provider, model, operation
HAVING sum(cost_usd) >= %(least)s OR sum(priced_calls) >= %(fewest)s
ORDER BY sum(cost_usd) DESC, agent_id, provider, model, operation
LIMIT %(most)s
"""


@dataclass
class SavingWindow:
    """The time that the kinds look at, and what several of them need of it."""

    workspace: Workspace
    start: datetime
    end: datetime
    notes: list[str] = field(default_factory=list)
    """What could not be looked at."""
    loops: list[Found] | None = None
    """Those that were found, once somebody has looked."""

    @property
    def workspace_id(self) -> UUID:
        return self.workspace.pk

    @property
    def zone(self) -> ZoneInfo:
        return self.workspace.zone

    @property
    def filters(self) -> Filters:
        return Filters(self.workspace_id, self.start, self.end, granularity="daily")

    def narrowed(self, **values: str) -> Filters:
        filters = self.filters
        chosen = {name: FilterValues((value,)) for name, value in values.items()}
        return Filters(filters.workspace_id, self.start, self.end, granularity="daily", values=chosen)

    @property
    def per_month(self) -> Decimal:
        """Returns what an amount of the window is multiplied by."""
        return Decimal(str(MONTH / (self.end - self.start)))

    @cached_property
    def overrides(self) -> list[PriceOverride]:
        return overrides_of(self.workspace_id)

    @cached_property
    def lines(self) -> list[Line]:
        """Returns the dearest agents and models."""
        names = ("agent_id", "provider", "model", "operation", "status")
        measures = ("calls", "errors", "priced_calls", "cost_usd", "squared_cost", *TOKENS)
        found = rows(
            LINES,
            self.filters.params | {"least": LEAST_USD, "fewest": FEWEST_CALLS, "most": MOST_LINES},
            calls=sums.calls_sql(self.filters, *names, *measures, by_bucket=True),
            bucket=bucket_sql(self.filters),
            tokens=", ".join(f"sum({name})::bigint AS {name}" for name in TOKENS),
        )
        return [Line(**row) for row in found]

    @property
    def habits(self) -> list[Line]:
        """Returns the lines that are no matter of a few days, and go on."""
        return [line for line in self.lines if self.is_habit(line.days, line.last_day)]

    def is_habit(self, days: int, last_day: datetime) -> bool:
        return days >= min(FEWEST_DAYS, (self.end - self.start).days) and last_day >= self.end - RECENT

    def target(self, provider: str | None, model: str | None, tier: str | None = None) -> Target:
        return Target(provider, model or "", base_model(model) or "", tier)

    def rates(self, provider: str | None, model: str | None) -> Rates | None:
        """Returns today's rates for inputs of usual length; None where there are none."""
        found = rates_at(self.target(provider, model), self.overrides, (), self.end)
        return found[-1][1] if found else None

    def cost_as(self, line: Line, target: Target) -> Decimal | None:
        """Returns what the calls of a line would have cost."""
        return sums_cost(target, self.overrides, line.sums(self.end))
