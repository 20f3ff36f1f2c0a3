"""What a call cost: the workspace's own price, else the client's figure, else the price list at the call's time."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

import genai_prices
from django.db import connections
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, ModelPrice, PriceContext, TieredPrices, TimeOfDateConstraint

from prices.models import PriceOverride
from traces.row import CALL_OPERATIONS, Row
from workspaces.models import columns_of

logger = logging.getLogger(__name__)

MILLION = 1_000_000
STANDARD_TIERS = frozenset({"default", "standard", "auto"})
PROVIDERS_OF_PRICE_LIST = {"azure.ai.openai": "azure", "azure.ai.inference": "azure"}
"""genai-prices takes every name with "openai" in it for OpenAI."""


class Rates(NamedTuple):
    """USD per token, and per call."""

    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write: Decimal
    call: Decimal = Decimal(0)

    def cost_usd(self, row: Row) -> Decimal:
        cache_read, cache_write = row.cache_read_tokens or 0, row.cache_write_tokens or 0
        plain = max((row.input_tokens or 0) - cache_read - cache_write, 0)
        return (
            self.call
            + plain * self.input
            + cache_read * self.cache_read
            + cache_write * self.cache_write
            + (row.output_tokens or 0) * self.output
        )


@dataclass(slots=True)
class Call:
    """A row to be priced, and what else of it decides the price."""

    row: Row
    models: tuple[str, ...]
    """As the client wrote them, the one used before the one asked for."""
    reported_cost_usd: Decimal | None = None
    service_tier: str | None = None


def price(workspace_id: UUID, rows: Sequence[Row]) -> None:
    """Sets cost_usd, cost_source and price_id of the calls among the rows; a reported cost is known by its source."""
    price_calls(
        overrides_of(workspace_id),
        [
            Call(
                row,
                (row.model,) if row.model else (),
                row.cost_usd if row.cost_source == "reported" else None,
            )
            for row in rows
            if row.operation in CALL_OPERATIONS
        ],
    )


OVERRIDE_COLUMNS = columns_of(PriceOverride)
OVERRIDES = f"""
SELECT {", ".join(OVERRIDE_COLUMNS)}
FROM prices_priceoverride
WHERE workspace_id = %s
ORDER BY valid_from DESC, id
"""  # noqa: S608 (built from the model, never from input)


def overrides_of(workspace_id: UUID) -> list[PriceOverride]:
    """The newest first. In SQL, since composing the query costs ten times what it takes, in every request."""
    database = PriceOverride.objects.db
    with connections[database].cursor() as cursor:
        cursor.execute(OVERRIDES, [workspace_id])
        return [PriceOverride.from_db(database, OVERRIDE_COLUMNS, found) for found in cursor.fetchall()]


def price_calls(overrides: Sequence[PriceOverride], calls: Sequence[Call]) -> None:
    for call in calls:
        row = call.row
        row.cost_usd, row.cost_source, row.price_id = None, "unknown", None
        if has_usage(row) and (override := overriding(overrides, row)):
            row.cost_usd, row.cost_source = rates_of(override).cost_usd(row), "override"
            row.price_id = f"override:{override.pk}"
        elif call.reported_cost_usd is not None:
            row.cost_usd, row.cost_source = call.reported_cost_usd, "reported"
        elif has_usage(row):
            price_by_list(call)


def has_usage(row: Row) -> bool:
    return row.input_tokens is not None or row.output_tokens is not None


def overriding(overrides: Sequence[PriceOverride], row: Row) -> PriceOverride | None:
    """The newest that was valid at the call's time."""
    for override in overrides:
        if (
            override.valid_from <= row.timestamp
            and override.provider in ("", row.provider)
            and fnmatchcase(row.model or "", override.model_pattern)
        ):
            return override
    return None


def rates_of(override: PriceOverride) -> Rates:
    read, write = override.cache_read_usd_per_million, override.cache_write_usd_per_million
    usd = (
        override.input_usd_per_million,
        override.output_usd_per_million,
        override.input_usd_per_million if read is None else read,
        override.input_usd_per_million if write is None else write,
    )
    return Rates(*(Decimal(value) / MILLION for value in usd))


def price_by_list(call: Call) -> None:
    row = call.row
    tier = call.service_tier if call.service_tier not in STANDARD_TIERS else None
    models = (*call.models, row.model) if row.model else call.models
    for found in listed(models, row.provider, tier, row.timestamp.astimezone(UTC).date()):
        cost_usd = found.cost_usd(row)
        if cost_usd is not None:
            row.cost_usd, row.cost_source, row.price_id = cost_usd, "genai-prices", found.price_id
            return


@dataclass(slots=True, frozen=True)
class Listed:
    model: ModelInfo
    tier: str | None
    price_id: str
    rates: Rates | None
    """None where the price is not proportional, or not the same all day."""

    def cost_usd(self, row: Row) -> Decimal | None:
        if self.rates:
            return self.rates.cost_usd(row)
        return exact_cost_usd(self.model.get_prices(row.timestamp, context(self.tier)), row)


@lru_cache(maxsize=16384)
def listed(models: tuple[str, ...], provider: str | None, tier: str | None, day: date) -> list[Listed]:
    """The prices of that day that fit, the best first."""
    found: dict[str, Listed] = {}
    for wanted in dict.fromkeys((PROVIDERS_OF_PRICE_LIST.get(provider or "", provider), None)):
        for model in models:
            try:
                priced_provider, priced = get_snapshot().find_provider_model(
                    model.rpartition("/")[2], None, wanted, None
                )
            except LookupError:
                continue
            price_id = f"genai-prices-{genai_prices.__version__}:{priced_provider.id}/{priced.id}"
            price_id += f":{tier}" if tier else ""
            found.setdefault(price_id, Listed(priced, tier, price_id, rates_on(day, priced, tier)))
    return list(found.values())


def context(tier: str | None) -> PriceContext | None:
    return {"service_tier": tier} if tier else None


def rates_on(day: date, model: ModelInfo, tier: str | None) -> Rates | None:
    changing = [*(model.price_variants or ()), *(() if isinstance(model.prices, ModelPrice) else model.prices)]
    if any(isinstance(price.constraint, TimeOfDateConstraint) for price in changing):
        return None
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return proportional_rates(model.get_prices(noon, context(tier)))


def proportional_rates(model_price: ModelPrice) -> Rates | None:
    """The list's price taken apart by pricing a million of each, so that a call costs five products.

    None where a price is not proportional.
    """
    prices = [value for value in vars(model_price).values() if value is not None]
    if any(isinstance(value, TieredPrices) for value in prices):
        return None

    def usd(**tokens: int) -> Decimal:
        return model_price.calc_price(genai_prices.Usage(**tokens))["total_price"]

    try:
        call = usd(input_tokens=0, output_tokens=0)
        return Rates(
            (usd(input_tokens=MILLION) - call) / MILLION,
            (usd(output_tokens=MILLION) - call) / MILLION,
            (usd(input_tokens=MILLION, cache_read_tokens=MILLION) - call) / MILLION,
            (usd(input_tokens=MILLION, cache_write_tokens=MILLION) - call) / MILLION,
            call,
        )
    except ValueError:
        return None


def exact_cost_usd(model_price: ModelPrice, row: Row) -> Decimal | None:
    try:
        return model_price.calc_price(
            genai_prices.Usage(
                input_tokens=row.input_tokens or 0,
                output_tokens=row.output_tokens or 0,
                cache_read_tokens=row.cache_read_tokens or 0,
                cache_write_tokens=row.cache_write_tokens or 0,
            )
        )["total_price"]
    except ValueError as error:
        logger.info("no price for a call: %s", error)
        return None
