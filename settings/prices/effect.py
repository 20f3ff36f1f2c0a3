"""Says what a price of the workspace would change in the last 30 days, from sums of tokens."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from typing_extensions import TypedDict

from prices.models import PriceOverride
from prices.overrides import override_for, overrides_of, rates_of
from prices.providers import provider_name
from prices.what_if import CallSums, cost_by
from traces import sums
from traces.db import rows
from traces.filters import Filters
from traces.row import Row
from web.problems import check_deadline
from workspaces.models import Workspace

PREVIEWED = timedelta(days=30)
MOST_MODELS = 20
MOST_SEGMENTS = 24
"""Prices of a workspace change a few times a month. The preview leaves out calls before the last of this number."""
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
OUTSIDE = ("audio_cost_usd", "image_cost_usd", "search_cost_usd")
ZERO = Decimal(0)


class ModelEffect(TypedDict):
    provider: str | None
    model: str | None
    calls: int
    before_usd: float | None
    """Null where none of the calls has a price now."""
    after_usd: float


class PriceEffect(TypedDict):
    start: datetime
    end: datetime
    is_from_now_on: bool
    """The price counts for coming calls only: the amounts show it as if it had counted in the last 30 days."""
    calls: int
    unpriced_calls: int
    """Of these calls, those that have no price now."""
    before_usd: float | None
    after_usd: float
    """These sums do not tell cache writes for an hour apart, which have the price of the others here."""
    not_in_price_usd: float
    """What audio, images and searches cost now: the price is for tokens only, so these would cost nothing."""
    models: list[ModelEffect]
    """At most 20, those whose cost changes most first."""


class Group(NamedTuple):
    """The calls of one provider and model in a part of the window."""

    provider: str | None
    model: str | None
    calls: int
    priced_calls: int
    cost_usd: Decimal
    tokens: tuple[int, ...]
    outside_usd: Decimal


class UnpricedModel(TypedDict):
    provider: str | None
    model: str
    unpriced_calls: int


def effect(workspace: Workspace, new: PriceOverride, now: datetime) -> PriceEffect:
    """Returns the effect of the price, which is not stored yet."""
    is_from_now_on = new.valid_from >= now - timedelta(minutes=5)
    start = now - PREVIEWED if is_from_now_on else max(new.valid_from, now - PREVIEWED)
    others = [] if is_from_now_on else overrides_of(workspace.id)
    overrides = [one for one in others if one.valid_from > new.valid_from]
    first = as_if_valid_at(new, start)
    groups = [
        (group, after)
        for part_start, part_end in parts(overrides, start, min(now, new.valid_until or now))
        for group, after in priced(workspace, part_start, part_end, [*overrides, first], first)
    ]
    return answer(start, now, is_from_now_on, groups)


def as_if_valid_at(new: PriceOverride, start: datetime) -> PriceOverride:
    """Returns the price as if it were valid from the start of the preview on, if it is later."""
    values = {field.attname: getattr(new, field.attname) for field in new._meta.concrete_fields}
    provider = provider_name(new.provider) or new.provider
    return PriceOverride(**values | {"valid_from": min(new.valid_from, start), "provider": provider})


def parts(overrides: Sequence[PriceOverride], start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Splits the window where other prices begin or end."""
    changes = {moment for one in overrides for moment in (one.valid_from, one.valid_until) if moment}
    moments = [start, *sorted(moment for moment in changes if start < moment < end), end]
    return [pair for pair in pairwise(moments) if pair[0] < pair[1]][-MOST_SEGMENTS:]


def priced(
    workspace: Workspace, start: datetime, end: datetime, overrides: Sequence[PriceOverride], new: PriceOverride
) -> Iterator[tuple[Group, Decimal]]:
    """Yields the groups that get the new price, and what they cost by it."""
    check_deadline()
    for group in groups_of(workspace, start, end):
        call = Row(start, "", "", "chat", "", provider=group.provider, model=group.model)
        if override_for(overrides, call, ()) is new:
            yield group, cost_by(rates_of(new), CallSums("chat", group.calls, start, (), 0, *group.tokens))


def groups_of(workspace: Workspace, start: datetime, end: datetime) -> list[Group]:
    filters = Filters(workspace.id, start, end, granularity="monthly")
    found = rows(
        """
        SELECT
            provider,
            model,
            sum(calls)::bigint AS calls,
            sum(priced_calls)::bigint AS priced_calls,
            sum(cost_usd) AS cost_usd,
            sum(input_tokens)::bigint AS input_tokens,
            sum(output_tokens)::bigint AS output_tokens,
            sum(cache_read_tokens)::bigint AS cache_read_tokens,
            sum(cache_write_tokens)::bigint AS cache_write_tokens,
            sum(audio_cost_usd + image_cost_usd + search_cost_usd) AS outside_usd
        FROM {calls} AS calls
        GROUP BY 1, 2
        """,
        filters.params,
        calls=sums.calls_sql(filters, "provider", "model", "calls", "priced_calls", "cost_usd", *TOKENS, *OUTSIDE),
    )
    return [
        Group(
            *(one["provider"], one["model"], one["calls"], one["priced_calls"], one["cost_usd"] or ZERO),
            tuple(one[name] or 0 for name in TOKENS),
            one["outside_usd"] or ZERO,
        )
        for one in found
    ]


def answer(
    start: datetime, end: datetime, is_from_now_on: bool, groups: Sequence[tuple[Group, Decimal]]
) -> PriceEffect:
    return {
        "start": start,
        "end": end,
        "is_from_now_on": is_from_now_on,
        "calls": sum(group.calls for group, _ in groups),
        "unpriced_calls": sum(group.calls - group.priced_calls for group, _ in groups),
        "before_usd": cost_before([group for group, _ in groups]),
        "after_usd": float(sum((after for _, after in groups), ZERO)),
        "not_in_price_usd": float(sum((group.outside_usd for group, _ in groups), ZERO)),
        "models": models_of(groups)[:MOST_MODELS],
    }


def cost_before(groups: Sequence[Group]) -> float | None:
    """Returns what the calls cost now; null where none of them has a price."""
    has_prices = any(group.priced_calls for group in groups)
    return float(sum((group.cost_usd for group in groups), ZERO)) if has_prices else None


def models_of(groups: Sequence[tuple[Group, Decimal]]) -> list[ModelEffect]:
    by_model: defaultdict[tuple[str | None, str | None], list[tuple[Group, Decimal]]] = defaultdict(list)
    for group, after in groups:
        by_model[group.provider, group.model].append((group, after))
    found: list[ModelEffect] = [
        {
            "provider": provider,
            "model": model,
            "calls": sum(group.calls for group, _ in of_model),
            "before_usd": cost_before([group for group, _ in of_model]),
            "after_usd": float(sum((after for _, after in of_model), ZERO)),
        }
        for (provider, model), of_model in by_model.items()
    ]
    return sorted(found, key=lambda one: -abs(one["after_usd"] - (one["before_usd"] or 0)))


def unpriced_models(workspace: Workspace, now: datetime) -> list[UnpricedModel]:
    """Returns the models with the most calls without a price in the last 30 days."""
    groups = [group for group in groups_of(workspace, now - PREVIEWED, now) if group.model]
    found: list[UnpricedModel] = [
        {"provider": group.provider, "model": group.model or "", "unpriced_calls": group.calls - group.priced_calls}
        for group in groups
        if group.calls > group.priced_calls
    ]
    return sorted(found, key=lambda one: -one["unpriced_calls"])[:MOST_MODELS]
