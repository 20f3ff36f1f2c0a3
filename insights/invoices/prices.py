"""Makes a price of the workspace from an invoice: with its effect before it is saved, and a job that applies it."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, NamedTuple

from django.db import transaction
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from analytics.field_types import PricedCostUsd
from insights.invoices.importing import window_of
from insights.invoices.models import Invoice, Repricing
from insights.invoices.tasks import reprice
from insights.ledger import LedgerLine, ledger_lines
from prices.list_price import MILLION, ListPrice, Rates, list_prices, named_prices
from prices.models import PriceOverride
from prices.overrides import override_for, overrides_of, rates_of
from prices.usage import UNITS
from traces.filters import Filters, FilterValues
from traces.row import Row
from web.problems import Problem
from workspaces.audit import record

MOST_USD_PER_MILLION = Decimal("99999999")
DIGITS = Decimal("0.000001")
ZERO = Decimal(0)
PRICED_CLASSES = ("input", "output", "cache_read", "cache_write")
ONE_HOUR = "cache_write_1h_tokens"
NOT_IN_NAMES = frozenset("*?[\0")
"""A price with them would be for other models too."""
UsdPerMillion = Annotated[Decimal, Field(ge=0, le=MOST_USD_PER_MILLION, allow_inf_nan=False)]


class NewPrice(BaseModel):
    """The price of a model from the first day of an invoice on: a factor of today's price, or prices in USD."""

    model_config = ConfigDict(extra="forbid")

    model: Annotated[str, Field(min_length=1, max_length=200, description="Our model.")]
    factor: Annotated[
        Decimal | None,
        Field(gt=0, le=100, allow_inf_nan=False, description="0.9 makes 90 % of the price of the first day."),
    ] = None
    input_usd_per_million: Annotated[UsdPerMillion | None, Field(description="Instead of a factor.")] = None
    output_usd_per_million: UsdPerMillion | None = None
    cache_read_usd_per_million: Annotated[UsdPerMillion | None, Field(description="By default as input.")] = None
    cache_write_usd_per_million: Annotated[UsdPerMillion | None, Field(description="By default as input.")] = None
    dry_run: Annotated[bool, Field(description="Only says what would change.")] = False


class PriceEffect(TypedDict):
    provider: str
    model: str
    valid_from: datetime
    input_usd_per_million: float
    output_usd_per_million: float
    cache_read_usd_per_million: float | None
    cache_write_usd_per_million: float | None
    cache_write_1h_usd_per_million: float | None
    calls: int
    """Of the model, from the first day of the invoice until now, or until a newer price of the workspace counts."""
    unpriced_calls: int
    before_usd: PricedCostUsd
    after_usd: float
    """What the tokens of these calls cost at the new price, from the sums of tokens. These do not tell cache writes for
    an hour apart, which have the price of the others here."""
    not_in_price_usd: float
    """What audio, images, searches and fees cost now: the price is for tokens only, so these would cost nothing."""
    repricing_id: str | None
    """The job that applies it; null for a dry run."""


class Prices(NamedTuple):
    """USD for a million tokens. None: as input."""

    input: Decimal
    output: Decimal
    cache_read: Decimal | None
    cache_write: Decimal | None
    cache_write_1h: Decimal | None = None
    """None: as every cache write."""

    def of(self, token_class: str) -> Decimal:
        price: Decimal | None = getattr(self, token_class)
        return self.input if price is None else price


def price(invoice: Invoice, new: NewPrice, author: str, now: datetime) -> PriceEffect:
    """Returns the effect of the price, and makes it unless it is a dry run. Raises 422 Problems."""
    prices = prices_of(invoice, new)
    found = effect(invoice, new.model, prices, now)
    if not new.dry_run:
        check_waiting(invoice, new.model)
        found["repricing_id"] = str(make(invoice, new.model, prices, author, now).pk)
    return found


def check_waiting(invoice: Invoice, model: str) -> None:
    """Raises a 409 Problem while an earlier price of the model is not applied yet: a factor would count twice."""
    waiting = Repricing.objects.filter(
        workspace_id=invoice.workspace_id, provider=invoice.provider, model=model, finished_at=None
    )
    if waiting.exists():
        raise Problem(409, "Calls of this model are being priced by an earlier price. Wait until that is done.")


def prices_of(invoice: Invoice, new: NewPrice) -> Prices:
    has_prices = new.input_usd_per_million is not None or new.output_usd_per_million is not None
    if (new.factor is None) == (not has_prices):
        raise bad_price("factor", "give either a factor, or the prices of input and output")
    if NOT_IN_NAMES & {*new.model}:
        raise bad_price("model", "must be one model: it must not contain *, ?, [ or NUL")
    if new.factor is not None:
        found = current_prices(invoice, new.model)
        return Prices(*(None if one is None else (one * new.factor).quantize(DIGITS) for one in found))  # type: ignore[arg-type]
    if new.input_usd_per_million is None or new.output_usd_per_million is None:
        missing = "input" if new.input_usd_per_million is None else "output"
        raise bad_price(f"{missing}_usd_per_million", "is required beside the other")
    cache = (new.cache_read_usd_per_million, new.cache_write_usd_per_million)
    read, write = (None if value is None else value.quantize(DIGITS) for value in cache)
    return Prices(new.input_usd_per_million.quantize(DIGITS), new.output_usd_per_million.quantize(DIGITS), read, write)


def bad_price(field: str, message: str) -> Problem:
    return Problem(422, "The price is not valid.", [{"loc": ["body", field], "msg": message}])


def current_prices(invoice: Invoice, model: str) -> Prices:
    """Returns the price on the first day of the invoice: the workspace's own, else that of the list."""
    start, _ = window_of(invoice.first_day, invoice.last_day)
    if override := override_for(overrides_of(invoice.workspace_id), a_call(invoice, model, start), [model]):
        return prices_of_rates(rates_of(override), override.cache_write_1h_usd_per_million)
    for listed in list_prices((model,), invoice.provider, (), invoice.first_day):
        rates = listed.rates_at(start)
        if len(rates) == 1 and not rates[0][1].call and rates[0][1].reasoning is None:
            return prices_of_rates(rates[0][1], one_hour_price(listed, start))
    raise bad_price("factor", "the model has no single price for each token on the first day: give its prices instead")


def a_call(invoice: Invoice, model: str, at: datetime) -> Row:
    return Row(at, "", "", "chat", "", provider=invoice.provider, model=model)


def prices_of_rates(rates: Rates, one_hour: Decimal | None) -> Prices:
    input_usd, output_usd, read, write = (getattr(rates, name) * MILLION for name in PRICED_CLASSES)
    return Prices(input_usd, output_usd, read, write, one_hour)


def one_hour_price(listed: ListPrice, at: datetime) -> Decimal | None:
    """Returns the list's price of cache writes for an hour, where it differs."""
    found = named_prices(listed.model.get_prices(at, {})).get(UNITS.units[ONE_HOUR].price_key)
    return found if isinstance(found, Decimal) else None


def effect(invoice: Invoice, model: str, prices: Prices, now: datetime) -> PriceEffect:
    start, end = span_of(invoice, now)
    end = min([end, *later_prices(invoice, model, start)])
    values = {"provider": FilterValues((invoice.provider,)), "model": FilterValues((model,))}
    filters = Filters(invoice.workspace_id, start, end, granularity="monthly", limit=1, values=values)
    lines = ledger_lines(filters, has_prices=False)
    groups = {line["timestamp"]: line for line in lines}.values()
    costs = [Decimal(line["cost_usd"]) for line in lines if line["cost_usd"] is not None]
    return {
        "provider": invoice.provider,
        "model": model,
        "valid_from": start,
        **prices_answer(prices),  # type: ignore[typeddict-item]
        "calls": sum(line["calls"] for line in groups),
        "unpriced_calls": sum(line["unpriced_calls"] for line in groups),
        "before_usd": sum(costs, ZERO) if costs else None,
        "after_usd": after_usd(lines, prices),
        "not_in_price_usd": not_in_price(lines),
        "repricing_id": None,
    }


def span_of(invoice: Invoice, now: datetime) -> tuple[datetime, datetime]:
    start, end = window_of(invoice.first_day, invoice.last_day)
    return start, max(end, now)


def later_prices(invoice: Invoice, model: str, start: datetime) -> list[datetime]:
    """Returns from when on newer prices of the workspace count for the model."""
    overrides = [one for one in overrides_of(invoice.workspace_id) if one.valid_from > start]
    return [one.valid_from for one in overrides if override_for([one], a_call(invoice, model, one.valid_from), [model])]


def prices_answer(prices: Prices) -> dict[str, Decimal | None]:
    return {f"{name}_usd_per_million": price for name, price in prices._asdict().items()}


def after_usd(lines: Iterable[LedgerLine], prices: Prices) -> Decimal:
    return sum(
        (
            Decimal(line["tokens"]) * prices.of(line["token_class"]) / MILLION
            for line in lines
            if line["token_class"] in PRICED_CLASSES and line["tokens"]
        ),
        ZERO,
    )


def not_in_price(lines: Iterable[LedgerLine]) -> Decimal:
    return sum(
        (
            Decimal(line["cost_usd"])
            for line in lines
            if line["token_class"] not in (*PRICED_CLASSES, "other") and line["cost_usd"] is not None
        ),
        ZERO,
    )


def make(invoice: Invoice, model: str, prices: Prices, author: str, now: datetime) -> Repricing:
    """Stores the price and orders the job. A price of the same day for the same model is changed: the older one of two
    would count."""
    start, end = span_of(invoice, now)
    with transaction.atomic():
        price, is_new = PriceOverride.objects.update_or_create(
            workspace_id=invoice.workspace_id,
            provider=invoice.provider,
            model_pattern=model,
            valid_from=start,
            defaults={**prices_answer(prices), "valid_until": None},
        )
        after = prices_answer(prices) | {"valid_from": start}
        record(invoice.workspace, author, "price.create" if is_new else "price.change", str(price), after=after)
        repricing = Repricing.objects.create(
            workspace_id=invoice.workspace_id,
            invoice=invoice,
            provider=invoice.provider,
            model=model,
            start=start,
            end=end.astimezone(UTC),
            requested_by=author,
        )
        reprice.defer(repricing_id=str(repricing.pk))
    return repricing
