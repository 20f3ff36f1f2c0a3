"""The price of a model on the price list, on one day and in certain circumstances."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import NamedTuple

import genai_prices
from genai_prices.decompose import compute_leaf_values
from genai_prices.types import (
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Provider,
    TieredPrices,
    TimeOfDateConstraint,
    Usage,
    calc_unit_price,
)

from prices.price_list import find_model, names_another_provider
from prices.usage import UNITS, Context, has_counts, is_of_every_call, usage_counts
from traces.row import COST_COLUMN_OF, Row

logger = logging.getLogger(__name__)

MILLION = 1_000_000
SAME_PRICE = {
    ("groq", "service_tier", "flex"): "Groq's flex tier has higher limits at the usual price",
}
"""Circumstances that leave a provider's prices as they are, and why."""


class Rates(NamedTuple):
    """USD per token, and per call."""

    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write: Decimal
    reasoning: Decimal | None = None
    """None: as output."""
    call: Decimal = Decimal(0)

    def set_cost(self, row: Row) -> None:
        """Prices a call with a few products. Its cache is part of its input, and reasoning of its output."""
        input_tokens, cost_usd = row.input_tokens or 0, self.call
        if row.cache_read_tokens:
            input_tokens -= row.cache_read_tokens
            row.cache_read_cost_usd = row.cache_read_tokens * self.cache_read
            cost_usd += row.cache_read_cost_usd
        if row.cache_write_tokens:
            input_tokens -= row.cache_write_tokens
            row.cache_write_cost_usd = row.cache_write_tokens * self.cache_write
            cost_usd += row.cache_write_cost_usd
        input_usd, output_usd = input_tokens * self.input, (row.output_tokens or 0) * self.output
        if self.reasoning is not None and row.reasoning_tokens:
            output_usd += row.reasoning_tokens * (self.reasoning - self.output)
        row.input_cost_usd, row.output_cost_usd = input_usd, output_usd
        row.cost_usd = cost_usd + input_usd + output_usd


RatesByInput = tuple[tuple[int, Rates], ...]
"""Rates with the number of input tokens above which they count, the largest first.

Empty if the price is not proportional to tokens.
"""


@dataclass(slots=True)
class ListPrice:
    provider: Provider
    model: ModelInfo
    context: Context
    price_id: str
    times: tuple[TimeOfDateConstraint, ...]
    """The times of the day at which the price changes."""
    rates: dict[tuple[bool, ...], RatesByInput]
    """By which of the times it is."""

    def set_cost(self, row: Row) -> bool:
        """Sets the cost of the call and its parts. Returns whether the list has a price for what it used."""
        if not (row.usage_details and has_counts(row.usage_details)):
            input_tokens = row.input_tokens or 0
            for above, rates in self.rates_at(row.timestamp):
                if input_tokens > above:
                    rates.set_cost(row)
                    return True
        return set_exact_cost(self, row)

    def rates_at(self, moment: datetime) -> RatesByInput:
        now = tuple(time.active(moment) for time in self.times) if self.times else ()
        rates = self.rates.get(now)
        if rates is None:
            rates = self.rates[now] = rates_by_input(self.model.get_prices(moment, dict(self.context)))
        return rates


@lru_cache(maxsize=16384)
def list_prices(models: tuple[str, ...], provider: str | None, context: Context, day: date) -> list[ListPrice]:
    """Returns the prices of that day under the names of a call, the best first.

    None are known if a name contradicts the provider: who served the call would be a guess.
    """
    if any(names_another_provider(provider, name) for name in models):
        return []
    prices: dict[str, ListPrice] = {}
    for listed, model in filter(None, (find_model(provider, name) for name in models)):
        if not knows(listed, model, context, day):
            continue
        price_id = ":".join(
            (f"genai-prices-{genai_prices.__version__}", f"{listed.id}/{model.id}", *dict(context).values())
        )
        prices.setdefault(price_id, ListPrice(listed, model, context, price_id, times_of(model), {}))
    return list(prices.values())


def knows(provider: Provider, model: ModelInfo, context: Context, day: date) -> bool:
    """Tells whether the list has a price for the circumstances. It answers with the usual price where it has none.

    What it takes from another provider's list, it prices as usual too.
    """
    unknown = {item for item in context if (provider.id, *item) not in SAME_PRICE}
    if unknown and any(model is own for own in provider.models):
        for variant in active_variants(model, day):
            unknown -= set(variant.when.items())
    return not unknown


def active_variants(model: ModelInfo, day: date) -> Iterator[PriceVariant]:
    for variant in model.price_variants or ():
        if variant.constraint is None or variant.constraint.active(noon_of(day)):
            yield variant


def noon_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


# --- Calls that used only tokens, at prices that are proportional to them ---


def times_of(model: ModelInfo) -> tuple[TimeOfDateConstraint, ...]:
    dated_prices = [*(model.price_variants or ()), *(() if isinstance(model.prices, ModelPrice) else model.prices)]
    constraints = (price.constraint for price in dated_prices)
    return tuple(constraint for constraint in constraints if isinstance(constraint, TimeOfDateConstraint))


def rates_by_input(model_price: ModelPrice) -> RatesByInput:
    prices = named_prices(model_price)
    if not is_for_tokens(prices):
        return ()
    starts = {tier.start for price in prices.values() if isinstance(price, TieredPrices) for tier in price.tiers}
    rates = [(above, proportional_rates(prices, above)) for above in (*sorted(starts, reverse=True), -1)]
    known = tuple((above, one) for above, one in rates if one)
    return known if len(known) == len(rates) else ()


def named_prices(model_price: ModelPrice) -> dict[str, Decimal | TieredPrices]:
    return {key: price for key, price in vars(model_price).items() if price is not None}


def is_for_tokens(prices: Mapping[str, object]) -> bool:
    """Tells whether the price is for what every call has, and not only for hours, pages or characters."""
    return not prices or any(is_of_every_call(UNITS.unit_for_price_key(key).usage_key) for key in prices)


def proportional_rates(prices: Mapping[str, Decimal | TieredPrices], above: int) -> Rates | None:
    """Returns the rates for more input tokens than `above`, found by pricing a million tokens of each kind."""
    model_price = ModelPrice(**{key: price_above(price, above) for key, price in prices.items()})

    def usd(**tokens: int) -> Decimal:
        return model_price.calc_price(Usage(**tokens))["total_price"]

    try:
        call = usd(input_tokens=0, output_tokens=0)
        return Rates(
            (usd(input_tokens=MILLION) - call) / MILLION,
            (usd(output_tokens=MILLION) - call) / MILLION,
            (usd(input_tokens=MILLION, cache_read_tokens=MILLION) - call) / MILLION,
            (usd(input_tokens=MILLION, cache_write_tokens=MILLION) - call) / MILLION,
            (usd(output_tokens=MILLION, output_reasoning_tokens=MILLION) - call) / MILLION
            if "output_reasoning_mtok" in prices
            else None,
            call,
        )
    except ValueError:
        return None


def price_above(price: Decimal | TieredPrices, above: int) -> Decimal:
    if not isinstance(price, TieredPrices):
        return price
    return next((tier.price for tier in reversed(price.tiers) if tier.start <= above), price.base)


# --- All other calls, by the list's own arithmetic ---


def set_exact_cost(list_price: ListPrice, row: Row) -> bool:
    model, context = list_price.model, dict(list_price.context)
    counts = usage_counts(row)
    prices = named_prices(model.get_prices(row.timestamp, context))
    if not is_for_tokens(prices) and not any(counts.get(UNITS.unit_for_price_key(key).usage_key) for key in prices):
        return False
    try:
        usage = Usage(**counts)
        price = model.calc_price(
            usage, list_price.provider, genai_request_timestamp=row.timestamp, price_context=context
        )
        parts = parts_usd(prices, usage)
    except ValueError as error:
        logger.info("no price for a call: %s", error)
        return False
    row.cost_usd = price.total_price
    for column, part_usd in parts.items():
        setattr(row, column, part_usd)
    return True


def parts_usd(prices: Mapping[str, Decimal | TieredPrices], usage: Usage) -> dict[str, Decimal]:
    """Returns the part of each column of COST_COLUMNS in the cost, as `ModelPrice.calc_price` adds them up."""
    parts = {"input_cost_usd": Decimal(0), "output_cost_usd": Decimal(0)}
    units = {unit.usage_key: unit for unit in map(UNITS.unit_for_price_key, prices) if unit.usage_key != "requests"}
    for usage_key, count in compute_leaf_values(set(units), usage, units).items():
        column = cost_column(usage_key)
        if column and count:
            unit = units[usage_key]
            part = calc_unit_price(prices[unit.price_key], count, usage.input_tokens, unit.per)
            parts[column] = parts.get(column, Decimal(0)) + part
    return parts


@cache
def cost_column(usage_key: str) -> str | None:
    """Returns the column for the cost of a unit. None: it belongs to no class."""
    dimensions = UNITS.units[usage_key].dimensions
    if dimensions["family"] == "tool_calls":
        return COST_COLUMN_OF["search"] if "search" in usage_key else None
    modality = dimensions.get("modality")
    if modality in ("audio", "image"):
        return COST_COLUMN_OF[modality]
    if modality == "video":
        return None
    return COST_COLUMN_OF.get(dimensions.get("token_type", "")) or COST_COLUMN_OF.get(dimensions.get("direction", ""))
