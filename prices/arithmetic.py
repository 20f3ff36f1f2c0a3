"""Shows how the cost of a call is made up, line by line, and where its price comes from."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple
from uuid import UUID

from prices.list_price import MILLION, cost_column
from prices.models import PriceOverride
from prices.usage import UNITS
from traces.row import COST_CLASSES, COST_COLUMN_OF

LABELS = {
    "input": "Input",
    "output": "Output",
    "cache_read": "Read from the cache",
    "cache_write": "Written to the cache",
    "audio": "Audio",
    "image": "Images",
    "search": "Searches",
    "other": "Not itemised",
}
COUNTED_IN_COLUMNS = {"cache_read": "cache_read_tokens", "cache_write": "cache_write_tokens"}

Source = Literal["override", "reported", "genai-prices", "unknown"]


class CostLine(NamedTuple):
    label: str
    units: int | None
    """Tokens, or searches. None if it is not known."""
    unit: Literal["tokens", "searches", ""]
    usd_per_unit: Decimal | None
    """Per million tokens or per search: an average where the class has several prices, as for two kinds of cache."""
    cost_usd: Decimal


class PriceSource(NamedTuple):
    source: Source
    description: str
    valid_at: datetime | None
    """The time for which the price was looked up, or since when the workspace's own price is valid."""


def cost_lines(call: Mapping[str, Any]) -> list[CostLine]:
    """Returns the lines of a call, a row of `traces`. Their amounts add up to its cost."""
    if call["cost_usd"] is None:
        return []
    amounts = {name: call[COST_COLUMN_OF[name]] for name in COST_CLASSES}
    lines = [line(name, counts_of(call).get(name), amount) for name, amount in amounts.items() if amount is not None]
    rest = call["cost_usd"] - sum(line.cost_usd for line in lines)
    return [*lines, line("other", None, rest)] if rest or not lines else lines


def line(name: str, count: int | None, amount: Decimal) -> CostLine:
    unit: Literal["tokens", "searches", ""] = "searches" if name == "search" else "tokens" if count else ""
    per = 1 if name == "search" else MILLION
    return CostLine(LABELS[name], count or None, unit if count else "", amount * per / count if count else None, amount)


def counts_of(call: Mapping[str, Any]) -> dict[str, int]:
    """Returns the units of each class. Input and output are the tokens that no other class has."""
    counts = {name: call[column] or 0 for name, column in COUNTED_IN_COLUMNS.items()}
    rest = {"input": (call["input_tokens"] or 0) - sum(counts.values()), "output": call["output_tokens"] or 0}
    for key, count in (call["usage_details"] or {}).items():
        if key not in UNITS.units or not isinstance(count, int):
            continue
        name = class_of(key)
        if name in ("audio", "image", "search"):
            counts[name] = counts.get(name, 0) + count
            direction = UNITS.units[key].dimensions.get("direction", "")
            if direction in rest and call[COST_COLUMN_OF[name]] is not None:
                rest[direction] -= count
    return counts | rest


def class_of(usage_key: str) -> str | None:
    column = cost_column(usage_key)
    return next((name for name, its_column in COST_COLUMN_OF.items() if its_column == column), None)


def price_source(workspace_id: UUID, call: Mapping[str, Any]) -> PriceSource:
    """Returns where the price of the call comes from, in words."""
    source: Source = call["cost_source"] or "unknown"
    price_id = call["price_id"] or ""
    if source == "override":
        return override_source(workspace_id, price_id.partition(":")[2])
    if source == "reported":
        return PriceSource(source, "The cost that the client reported.", None)
    if source == "genai-prices":
        lists, _, model = price_id.partition(":")
        version = lists.removeprefix("genai-prices-")
        return PriceSource(source, f"Price list genai-prices {version}, {model}.", call["timestamp"])
    return PriceSource("unknown", "No price is known for this call, so it is in no sum.", None)


def override_source(workspace_id: UUID, key: str) -> PriceSource:
    override = PriceOverride.objects.filter(workspace_id=workspace_id, pk=key).first() if key.isdecimal() else None
    if override is None:
        return PriceSource("override", "A price of this workspace that has been deleted since.", None)
    return PriceSource("override", f"This workspace's own price for {override}.", override.valid_from)
