"""Prices many calls at once, as if they had been made with another model, service tier, cache share or price list.

Most prices are proportional to tokens, so that the sums of many calls cost what the calls cost together. Where a price
is higher for long inputs, or changes within the day, calls are summed by the side of it on which they are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from prices.list_price import ListPrice, Rates, RatesByInput, list_prices, times_of
from prices.models import PriceOverride
from prices.overrides import override_for, rates_of
from prices.price_list import find_model
from prices.pricing import CallToPrice, price_calls
from prices.providers import is_known, provider_name, provider_of_models
from prices.usage import BATCH, CONTEXT_KEYS, Context, context_of
from traces.row import Row

DAY = timedelta(days=1)
MOST_CHANGES = 12
"""So many changes of a price within a window are told apart."""
HOUR = timedelta(hours=1)
HOURS = (0, 2, 5, 8, 12, 20)
"""One hour between any two moments of the day at which a price of the list changes."""


class Target(NamedTuple):
    """What the calls are priced as. A part that is None stays as each call has it."""

    provider: str | None
    model: str
    """As a client would send it."""
    shown: str
    """As the product shows it: without the date of its release."""
    tier: str | None = None
    cache_share: Decimal | None = None
    """The share of the input that is read from a cache, from 0 to 1."""
    price_at: datetime | None = None
    """The moment whose prices count, instead of that of each call."""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.model,)


@dataclass(frozen=True, slots=True)
class CallSums:
    """The sums of calls that are all priced by the same rates."""

    operation: str
    calls: int
    at: datetime
    """A moment at which the price of all of them is the same."""
    context: Context = ()
    above: int = 0
    """Each call has more input tokens than this, and is on the same side of every threshold as a call with one more."""
    input_tokens: int | Decimal = 0
    output_tokens: int = 0
    cache_read_tokens: int | Decimal = 0
    cache_write_tokens: int | Decimal = 0
    reasoning_tokens: int = 0


def provider_and_model(text: str) -> tuple[str | None, str]:
    """Reads `provider/model`, with the provider in any spelling, or `model`."""
    first, slash, rest = text.partition("/")
    return (provider_name(first), rest) if slash and is_known(first) and rest else (provider_of_models(text), text)


def tier_context(tier: str) -> Context:
    """Returns the circumstances of a service tier; none for the usual one."""
    return context_of({"service_tier": tier})


def context_for(target: Target, own: Context) -> Context:
    """Returns the circumstances in which a call is priced. A tier that is given replaces the tier of the call."""
    if target.tier is None:
        return own
    kept = tuple(item for item in own if item[0] not in ("service_tier", BATCH[0]))
    return (*tier_context(target.tier), *kept)


# --- The rates ---


def override_at(target: Target, overrides: Sequence[PriceOverride], moment: datetime) -> PriceOverride | None:
    row = Row(moment, "", "", "chat", "", provider=target.provider, model=target.shown)
    return override_for(overrides, row, target.names)


def listed_at(target: Target, context: Context, moment: datetime) -> list[ListPrice]:
    return list_prices(target.names, target.provider, context, moment.astimezone(UTC).date())


def rates_at(target: Target, overrides: Sequence[PriceOverride], context: Context, moment: datetime) -> RatesByInput:
    """Returns the rates of the target, by the input tokens above which they count; empty where there are none."""
    moment = target.price_at or moment
    if override := override_at(target, overrides, moment):
        return ((-1, rates_of(override)),)
    found = (price.rates_at(moment) for price in listed_at(target, context_for(target, context), moment))
    return next((rates for rates in found if rates), ())


def thresholds(target: Target, overrides: Sequence[PriceOverride], moments: Sequence[datetime]) -> list[int]:
    """Returns the numbers of input tokens above which a call has another price, at one of the moments."""
    contexts: tuple[Context, ...] = ((), tier_context("batch"), tier_context("flex"), tier_context("priority"))
    found = {
        above for moment in moments for context in contexts for above, _ in rates_at(target, overrides, context, moment)
    }
    return sorted(above for above in found if above > 0)


def changes_within_day(target: Target, overrides: Sequence[PriceOverride], moment: datetime) -> bool:
    """Returns whether the price depends on the time of the day."""
    if target.price_at or override_at(target, overrides, moment):
        return False
    return any(times_of(price.model) for price in listed_at(target, (), moment))


def price_changes(
    targets: Sequence[Target], overrides: Sequence[PriceOverride], start: datetime, end: datetime
) -> list[datetime]:
    """Returns the moments within the window at which the price of one of the targets changes."""
    found = {
        moment for target in targets if not target.price_at for moment in changes_of(target, overrides, start, end)
    }
    return sorted(found)


def changes_of(
    target: Target, overrides: Sequence[PriceOverride], start: datetime, end: datetime
) -> Iterator[datetime]:
    of_overrides = {moment for one in overrides for moment in (one.valid_from, one.valid_until) if moment}
    moments = sorted({*midnights(start, end), *(moment for moment in of_overrides if start < moment < end)})
    known = price_key(target, overrides, start)
    for moment in moments:
        if (current := price_key(target, overrides, moment)) != known:
            known = current
            yield moment


def midnights(start: datetime, end: datetime) -> Iterator[datetime]:
    day = datetime.combine(start.astimezone(UTC).date(), time(), UTC) + DAY
    while day < end:
        yield day
        day += DAY


def price_key(target: Target, overrides: Sequence[PriceOverride], moment: datetime) -> object:
    """Returns something that is the same as long as the prices of the target are."""
    if override := override_at(target, overrides, moment):
        return override.pk
    day = datetime.combine(moment.astimezone(UTC).date(), time(), UTC)
    contexts = {(), *(((key, value),) for key, value in known_contexts(target))}
    return {
        context: [price.rates_at(day + hour * HOUR) for price in listed_at(target, context, day) for hour in HOURS]
        for context in contexts
    }


def known_contexts(target: Target) -> set[tuple[str, str]]:
    """Returns the circumstances for which the list has prices of the target."""
    found = find_model(target.provider, target.model)
    variants = (found[1].price_variants or ()) if found else ()
    return {item for variant in variants for item in variant.when.items()}


# --- The cost ---


def sums_cost(target: Target, overrides: Sequence[PriceOverride], sums: CallSums) -> Decimal | None:
    """Returns what the calls would have cost; None where nobody knows the price."""
    rates = rates_at(target, overrides, sums.context, sums.at)
    found = next((one for above, one in rates if sums.above >= above), None)
    return cost_by(found, shared(sums, target.cache_share)) if found else None


def highest_cost(target: Target, overrides: Sequence[PriceOverride], sums: CallSums) -> Decimal | None:
    """Returns what the calls would have cost at most, had each of them the dearest rates for long inputs."""
    rates = rates_at(target, overrides, sums.context, sums.at)
    return max((cost_by(one, shared(sums, target.cache_share)) for _, one in rates), default=None)


def shared(sums: CallSums, cache_share: Decimal | None) -> CallSums:
    """Returns the sums with another share of the input read from the cache.

    Of what is not read from it, so much is written to it as before.
    """
    if cache_share is None:
        return sums
    return replace(
        sums,
        cache_read_tokens=sums.input_tokens * cache_share,
        cache_write_tokens=sums.cache_write_tokens * (1 - cache_share),
    )


def cost_by(rates: Rates, sums: CallSums) -> Decimal:
    plain = sums.input_tokens - sums.cache_read_tokens - sums.cache_write_tokens
    usd = plain * rates.input + sums.cache_read_tokens * rates.cache_read + sums.cache_write_tokens * rates.cache_write
    usd += sums.output_tokens * rates.output + sums.calls * rates.call
    if rates.reasoning is not None:
        usd += sums.reasoning_tokens * (rates.reasoning - rates.output)
    return Decimal(usd)


def call_cost(target: Target, overrides: Sequence[PriceOverride], row: Row) -> Decimal | None:
    """Returns what one call would have cost. It changes the row. Its cache is only known to be what it was."""
    if target.cache_share is not None:
        return None
    row.provider, row.model = target.provider, target.shown
    row.timestamp = target.price_at or row.timestamp
    if target.tier is not None:
        kept = {key: value for key, value in (row.usage_details or {}).items() if key != CONTEXT_KEYS[0]}
        row.usage_details = kept | {CONTEXT_KEYS[0]: target.tier}
    price_calls(overrides, [CallToPrice(row, target.names)])
    return row.cost_usd
