"""Reads the cost that a client reports: its total, or else the sum of its parts; and its parts by class.

Single attributes (LiteLLM, OpenInference) repeat the costs of cache and reasoning inside the costs of input and output.
The parts in a cost object (Langfuse) do not overlap. Where a total is given, it decides.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from ingest.values import MAX_COST_USD
from traces.text import NAME_LENGTH

ZERO = Decimal(0)
MAX_DECIMALS = 12
"""Clients add up prices as floats: 0.00032279999999999997 means 0.0003228."""
SMALLEST_COST_USD = Decimal(10) ** -MAX_DECIMALS

ATTRIBUTE = re.compile(
    r"^(?:gen_ai\.cost|llm\.cost|litellm\.cost)\.(.+)$|^(?:gen_ai|llm)\.usage\.(?:cost\.)?((?:\w+\.)*\w*cost\w*)$"
)
NO_PART = re.compile(r"total|discount|margin|original|currency|rate|per_")
WHOLES = {
    "input": "input",
    "input_tokens": "input",
    "prompt": "input",
    "prompt_tokens": "input",
    "output": "output",
    "output_tokens": "output",
    "completion": "output",
    "completion_tokens": "output",
    "tool_usage": "search",
}
OUTPUT_SIDE = re.compile(r"output|completion|reasoning|thought")
CLASSES = (
    (re.compile(r"cache.*(writ|creat)|ephemeral"), "cache_write"),
    (re.compile(r"cache"), "cache_read"),
    (re.compile(r"audio"), "audio"),
    (re.compile(r"image"), "image"),
    (re.compile(r"search|tool"), "search"),
    (OUTPUT_SIDE, "output"),
    (re.compile(r"input|prompt"), "input"),
)


@dataclass(slots=True)
class Amounts:
    """The parts of a cost as the client names them."""

    wholes: dict[str, Decimal] = field(default_factory=dict)
    """The costs of all input and of all output, and of tools."""
    details: list[tuple[str, str, Decimal]] = field(default_factory=list)
    """Class, side and amount of the other parts."""

    def details_of(self, side: str) -> Decimal:
        return sum((amount for _, own_side, amount in self.details if own_side == side), ZERO)

    def side(self, side: str) -> Decimal:
        """Returns the cost of the side if its details are inside it."""
        return self.wholes.get(side) or self.details_of(side)

    def total(self, overlap: bool) -> Decimal:
        if overlap:
            return self.side("input") + self.side("output") + self.wholes.get("search", ZERO)
        return sum(self.wholes.values(), ZERO) + sum((amount for _, _, amount in self.details), ZERO)


def cost_part_of(attribute: str) -> str | None:
    """Returns the name of the part of the cost that a single attribute holds."""
    match = ATTRIBUTE.match(attribute)
    name = part_name(match[1] or match[2]) if match else None
    return name if name and not NO_PART.search(name) and class_of(name) else None


def part_name(key: str) -> str:
    return re.sub(r"_?cost_?(usd)?$|^cost_", "", key[:NAME_LENGTH].lower())


@lru_cache(maxsize=1024)
def class_of(name: str) -> str | None:
    return WHOLES.get(name) or next((known for pattern, known in CLASSES if pattern.search(name)), None)


def usd(value: Any) -> Decimal | None:
    """Returns a cost above 0. A 0 is what clients write without a price."""
    if isinstance(value, bool):
        return None
    try:
        cost = Decimal(str(value))
    except InvalidOperation:
        return None
    return cost if cost.is_finite() and 0 < cost < MAX_COST_USD else None


def plain_cost(cost: Decimal) -> str | None:
    """Returns the cost in digits, without the errors of floats."""
    exponent = cost.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -MAX_DECIMALS:
        cost = cost.quantize(SMALLEST_COST_USD).normalize()
    return f"{cost:f}" if cost else None


def first_total(values: Iterable[Any]) -> str | None:
    return next((text for value in values if (cost := usd(value)) and (text := plain_cost(cost))), None)


def amounts_of(items: Iterable[tuple[str, Any]]) -> Amounts:
    amounts = Amounts()
    for name, value in items:
        cost, kind = usd(value), class_of(name)
        if cost is None or kind is None or NO_PART.search(name):
            continue
        if name in WHOLES:
            amounts.wholes[kind] = max(cost, amounts.wholes.get(kind, ZERO))
        else:
            amounts.details.append((kind, "output" if OUTPUT_SIDE.search(name) else "input", cost))
    return amounts


def by_class(amounts: Amounts, total: Decimal, overlap: bool) -> dict[str, str] | None:
    """Returns the parts by class; None if they are more than the total, as after a discount."""
    classes: dict[str, Decimal] = defaultdict(Decimal)
    for kind, side, amount in amounts.details:
        if not (overlap and side in amounts.wholes and kind == side):
            classes[kind] += amount
    for side, whole in amounts.wholes.items():
        inside = [amount for kind, own, amount in amounts.details if own == side and kind != side]
        classes[side] += whole - sum(inside, ZERO) if overlap else whole
    if min(classes.values(), default=ZERO) < 0 or sum(classes.values(), ZERO) > total + SMALLEST_COST_USD:
        return None
    return {kind: text for kind, amount in classes.items() if (text := plain_cost(amount))} or None


def reported_cost(
    total_text: str | None, amounts: Amounts, overlap: bool, needed: tuple[str, ...]
) -> tuple[str | None, dict[str, str] | None]:
    """Returns the cost and its parts. Without a total it is the sum of the parts, if each needed side has one."""
    if not amounts.wholes and not amounts.details:
        return total_text, None
    if total_text:
        total = Decimal(total_text)
        overlap = abs(total - amounts.total(True)) <= abs(total - amounts.total(False))
    elif all(amounts.side(side) for side in needed):
        total = amounts.total(overlap)
    else:
        return None, None
    if total >= MAX_COST_USD:
        return None, None
    return plain_cost(total), by_class(amounts, total, overlap)
