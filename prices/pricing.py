"""Prices calls: by the workspace's own price, else the client's figure, else the price list at the call's time."""

import logging
from collections.abc import Iterator, Sequence
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
"""Without these genai-prices finds OpenAI for every name with "openai" in it."""

OVERRIDE_COLUMNS = columns_of(PriceOverride)
OVERRIDES = """
SELECT {columns}
FROM prices_priceoverride
WHERE workspace_id = %s
ORDER BY valid_from DESC, id
"""


class Rates(NamedTuple):
    """USD per token, and per call."""

    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write: Decimal
    call: Decimal = Decimal(0)

    def cost_usd(self, row: Row) -> Decimal:
        cache_read, cache_write = row.cache_read_tokens or 0, row.cache_write_tokens or 0
        uncached = max((row.input_tokens or 0) - cache_read - cache_write, 0)
        return (
            self.call
            + uncached * self.input
            + cache_read * self.cache_read
            + cache_write * self.cache_write
            + (row.output_tokens or 0) * self.output
        )


@dataclass(slots=True)
class CallToPrice:
    """A row to be priced, and the other facts that decide its price."""

    row: Row
    models: tuple[str, ...]
    """As the client wrote them: first the used model, then the requested one."""
    reported_cost_usd: Decimal | None = None
    service_tier: str | None = None


def price(workspace_id: UUID, rows: Sequence[Row]) -> None:
    """Sets cost_usd, cost_source and price_id of the calls among the rows.

    A row whose cost_source is `reported` holds the client's figure in cost_usd.
    """
    price_calls(
        overrides_of(workspace_id),
        [
            CallToPrice(
                row,
                (row.model,) if row.model else (),
                row.cost_usd if row.cost_source == "reported" else None,
            )
            for row in rows
            if row.operation in CALL_OPERATIONS
        ],
    )


def price_calls(overrides: Sequence[PriceOverride], calls: Sequence[CallToPrice]) -> None:
    """Prices the calls with these overrides of their workspace, the newest first."""
    for call in calls:
        row = call.row
        row.cost_usd, row.cost_source, row.price_id = None, "unknown", None
        if has_usage(row) and (override := override_for(overrides, row)):
            row.cost_usd, row.cost_source = rates_of(override).cost_usd(row), "override"
            row.price_id = f"override:{override.pk}"
        elif call.reported_cost_usd is not None:
            row.cost_usd, row.cost_source = call.reported_cost_usd, "reported"
        elif has_usage(row):
            price_by_list(call)


def has_usage(row: Row) -> bool:
    return row.input_tokens is not None or row.output_tokens is not None


# --- Overrides ---


def overrides_of(workspace_id: UUID) -> list[PriceOverride]:
    """Returns the overrides, the newest first. The ORM would take ten times as long as PostgreSQL to make the query."""
    database = PriceOverride.objects.db
    with connections[database].cursor() as cursor:
        cursor.execute(OVERRIDES.format(columns=", ".join(OVERRIDE_COLUMNS)), [workspace_id])
        return [PriceOverride.from_db(database, OVERRIDE_COLUMNS, values) for values in cursor.fetchall()]


def override_for(overrides: Sequence[PriceOverride], row: Row) -> PriceOverride | None:
    """Returns the newest override that was valid at the call's time."""
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


# --- The price list ---


@dataclass(slots=True, frozen=True)
class ListPrice:
    """A model's price on the list, on one day."""

    model: ModelInfo
    tier: str | None
    price_id: str
    rates: Rates | None
    """None if the price is not proportional to the tokens, or not the same all day."""

    def cost_usd(self, row: Row) -> Decimal | None:
        if self.rates:
            return self.rates.cost_usd(row)
        return exact_cost_usd(self.model.get_prices(row.timestamp, context_of(self.tier)), row)


def price_by_list(call: CallToPrice) -> None:
    row = call.row
    tier = call.service_tier if call.service_tier not in STANDARD_TIERS else None
    models = (*call.models, row.model) if row.model else call.models
    for list_price in list_prices(models, row.provider, tier, row.timestamp.astimezone(UTC).date()):
        cost_usd = list_price.cost_usd(row)
        if cost_usd is not None:
            row.cost_usd, row.cost_source, row.price_id = cost_usd, "genai-prices", list_price.price_id
            return


@lru_cache(maxsize=16384)
def list_prices(models: tuple[str, ...], provider: str | None, tier: str | None, day: date) -> list[ListPrice]:
    """Returns the prices of that day that fit, the best first."""
    prices: dict[str, ListPrice] = {}
    for provider_id, model in listed_models(models, provider):
        price_id = f"genai-prices-{genai_prices.__version__}:{provider_id}/{model.id}"
        price_id += f":{tier}" if tier else ""
        prices.setdefault(price_id, ListPrice(model, tier, price_id, rates_on(day, model, tier)))
    return list(prices.values())


def listed_models(models: tuple[str, ...], provider: str | None) -> Iterator[tuple[str, ModelInfo]]:
    """Yields each listed model with its provider on the list: first models of the call's provider, then of any."""
    for provider_id in dict.fromkeys((PROVIDERS_OF_PRICE_LIST.get(provider or "", provider), None)):
        for name in models:
            try:
                listed_provider, model = get_snapshot().find_provider_model(
                    name.rpartition("/")[2], None, provider_id, None
                )
            except LookupError:
                continue
            yield listed_provider.id, model


def context_of(tier: str | None) -> PriceContext | None:
    return {"service_tier": tier} if tier else None


def rates_on(day: date, model: ModelInfo, tier: str | None) -> Rates | None:
    dated_prices = [*(model.price_variants or ()), *(() if isinstance(model.prices, ModelPrice) else model.prices)]
    if any(isinstance(price.constraint, TimeOfDateConstraint) for price in dated_prices):
        return None
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return proportional_rates(model.get_prices(noon, context_of(tier)))


def proportional_rates(model_price: ModelPrice) -> Rates | None:
    """Returns the rates, found by pricing a million tokens of each kind; None if a price is not proportional.

    With rates the cost of a call is the sum of five products.
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
