"""Prices calls: by the workspace's own price, else the client's figure, else the price list at the call's time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from operator import attrgetter

from prices.list_price import list_prices
from prices.models import PriceOverride
from prices.overrides import override_for, price_by_override
from prices.usage import context_of, has_usage
from traces.row import COST_COLUMN_OF, COST_COLUMNS, Row

cost_parts = attrgetter(*COST_COLUMNS)
NO_PARTS = (None,) * len(COST_COLUMNS)


@dataclass(slots=True)
class CallToPrice:
    """A row to be priced, and the other facts that decide its price."""

    row: Row
    models: tuple[str, ...]
    """As the client wrote them: first the used model, then the requested one."""
    reported_cost_usd: Decimal | None = None
    reported_parts: Mapping[str, Decimal] | None = None
    """The client's figure for some of the classes of COST_COLUMN_OF."""


def price_calls(overrides: Sequence[PriceOverride], calls: Sequence[CallToPrice]) -> None:
    """Prices the calls with these overrides of their workspace, the newest first."""
    for call in calls:
        row = call.row
        clear_price(row)
        row.cost_source = "unknown"
        is_known = has_usage(row)
        if is_known and (override := override_for(overrides, row, call.models)):
            price_by_override(row, override)
        elif call.reported_cost_usd is not None:
            price_by_report(call, call.reported_cost_usd)
        elif is_known:
            price_by_list(call)


def clear_price(row: Row) -> None:
    row.cost_usd = row.cost_source = row.price_id = None
    if cost_parts(row) != NO_PARTS:
        for column in COST_COLUMNS:
            setattr(row, column, None)


def price_by_report(call: CallToPrice, cost_usd: Decimal) -> None:
    """Takes the client's figure. Its parts count only if they are no more than the whole."""
    row, parts = call.row, call.reported_parts or {}
    row.cost_usd, row.cost_source = cost_usd, "reported"
    known = {column: parts[name] for name, column in COST_COLUMN_OF.items() if parts.get(name)}
    if sum(known.values()) <= cost_usd:
        for column, part_usd in known.items():
            setattr(row, column, part_usd)


def price_by_list(call: CallToPrice) -> None:
    row = call.row
    context = context_of(row.usage_details) if row.usage_details else ()
    for list_price in list_prices(call.models, row.provider, context, row.timestamp.astimezone(UTC).date()):
        if list_price.set_cost(row):
            row.cost_source, row.price_id = "genai-prices", list_price.price_id
            return
