"""Explains the difference between what somebody bills and what we counted, exactly: the reasons add up to it.

Each day and model is compared. What only one side has is a reason of its own. Where both have an amount, the difference
is split in this order: tokens that only one side counts, cached tokens that we priced in full, a constant factor, calls
without a price, rounding, and what is left.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from statistics import median
from typing import Literal, NamedTuple

Kind = Literal[
    "zone_shift",
    "missing_days",
    "not_billed",
    "untraced_days",
    "untraced_model",
    "untraced",
    "credits",
    "cached",
    "factor",
    "unpriced",
    "price",
    "rounding",
    "unexplained",
]
ZERO, ONE = Decimal(0), Decimal(1)
FEWEST_DAYS = 3
"""Fewer days with the same factor may be an accident."""
MOST_DAYS_SHARE = Decimal("0.6")
"""So many of the days must have the factor."""
SAME_FACTOR = Decimal("0.002")
"""Factors that differ by less, relative to them, are the same."""
SMALL = Decimal("0.0005")
"""What is left after a factor is called rounding up to this share of the amount."""
FACTOR_DIGITS = Decimal("0.0001")
ROUND_FACTORS = (Decimal("0.01"), Decimal("0.001"))
"""Contracts have factors with few digits. Such a factor is taken if it explains every amount but for rounding."""
FULL_PRICE = Decimal("0.95")
"""A price of cached tokens from here on, of that of other input, is in full."""
SAME_SHARE = Decimal("0.05")


class Cell(NamedTuple):
    """One model on one day, as both sides have it."""

    model: str
    day: date | None
    """None: a credit for no day."""
    calls: int = 0
    unpriced_calls: int = 0
    ours_usd: Decimal = ZERO
    theirs_usd: Decimal | None = None
    """None: they have no line."""
    lines: int = 0
    our_tokens: Mapping[str, Decimal] = {}
    """By class."""
    our_costs: Mapping[str, Decimal] = {}
    their_tokens: Mapping[str, Decimal] = {}
    """Only the classes whose tokens they say."""
    their_costs: Mapping[str, Decimal] = {}

    @property
    def theirs(self) -> Decimal:
        return self.theirs_usd or ZERO


@dataclass
class Reason:
    """A part of the difference, and the figures that show it."""

    kind: Kind
    model: str | None
    """None: of all models."""
    amount_usd: Decimal = ZERO
    """Theirs less ours."""
    ours_usd: Decimal = ZERO
    theirs_usd: Decimal = ZERO
    """The amounts of both sides on the days concerned."""
    days: list[date] = field(default_factory=list)
    calls: int = 0
    unpriced_calls: int = 0
    lines: int = 0
    factor: Decimal | None = None
    """Of the kind factor: theirs for each of our dollars. Of cached: what a cached token costs, of an input token."""
    fitting_days: int | None = None
    """Of how many of the compared days the factor is that."""
    compared_days: int | None = None
    has_tokens: bool = False
    """Whether both sides tell tokens, so that price and volume are told apart."""
    our_tokens: Decimal | None = None
    their_tokens: Decimal | None = None


class Pair(NamedTuple):
    expected: Decimal
    theirs: Decimal
    tolerance: Decimal


class Factor(NamedTuple):
    value: Decimal
    fitting: int
    compared: int


class Compared(NamedTuple):
    """A cell that both sides have, and what they would bill for their tokens at our prices."""

    cell: Cell
    cached_usd: Decimal
    expected: Decimal
    tolerance: Decimal

    @property
    def pair(self) -> Pair:
        return Pair(self.expected, self.cell.theirs, self.tolerance)


Reasons = dict[tuple[Kind, str | None], Reason]


def reconcile(cells: Sequence[Cell], rounding_usd: Decimal) -> list[Reason]:
    """Returns the reasons, the largest first. Their amounts add up to theirs less ours.

    `rounding_usd` is the smallest amount that their file can write, like 0.01.
    """
    reasons: Reasons = {}
    our_days = {cell.day for cell in cells if cell.calls}
    their_days = {cell.day for cell in cells if cell.theirs_usd is not None}
    our_models = {cell.model for cell in cells if cell.calls}
    both: dict[str, list[Cell]] = {}
    for cell in cells:
        if kind := kind_of_one_side(cell, our_days, their_days, our_models):
            of_all = kind in ("missing_days", "untraced_days", "credits")
            add(reasons, kind, None if of_all else cell.model, cell, cell.theirs - cell.ours_usd)
        else:
            both.setdefault(cell.model, []).append(cell)
    compare(reasons, both, rounding_usd)
    found = [reason for reason in reasons.values() if reason.amount_usd or reason.unpriced_calls]
    return sorted(found, key=lambda reason: (-abs(reason.amount_usd), reason.kind, reason.model or ""))


def kind_of_one_side(
    cell: Cell, our_days: set[date | None], their_days: set[date | None], our_models: set[str]
) -> Kind | None:
    """Returns why only one side has the cell; None where both have it."""
    if cell.theirs_usd is None:
        return "not_billed" if cell.day in their_days else "missing_days"
    if cell.calls:
        return None
    if cell.theirs_usd < 0:
        return "credits"
    if cell.model not in our_models:
        return "untraced_model"
    return "untraced" if cell.day in our_days else "untraced_days"


def add(reasons: Reasons, kind: Kind, model: str | None, cell: Cell, amount_usd: Decimal) -> Reason:
    reason = reasons.setdefault((kind, model), Reason(kind, model))
    reason.amount_usd += amount_usd
    reason.ours_usd += cell.ours_usd
    reason.theirs_usd += cell.theirs
    reason.calls += cell.calls
    reason.unpriced_calls += cell.unpriced_calls
    reason.lines += cell.lines
    if cell.day and cell.day not in reason.days:
        reason.days.append(cell.day)
    return reason


# --- Cells that both sides have ---


def compare(reasons: Reasons, both: Mapping[str, Sequence[Cell]], rounding_usd: Decimal) -> None:
    compared = {model: compared_cells(cells, rounding_usd) for model, cells in both.items()}
    of_all = constant_factor([one.pair for ones in compared.values() for one in ones if not one.cell.unpriced_calls])
    for model, ones in compared.items():
        priced = [one.pair for one in ones if not one.cell.unpriced_calls]
        factor = constant_factor(priced) or (fits(of_all, priced) if of_all else None)
        for one in ones:
            explain(reasons, model, one, factor)


def compared_cells(cells: Sequence[Cell], rounding_usd: Decimal) -> list[Compared]:
    share = cached_share(cells)
    ones = []
    for cell in cells:
        cached_usd = cached_effect(cell, share)
        expected = expected_usd(cell, cached_usd)
        ones.append(Compared(cell, cached_usd, expected, cell.lines * rounding_usd / 2))
    return ones


def explain(reasons: Reasons, model: str, one: Compared, factor: Factor | None) -> None:
    """Splits the difference of a cell. The parts add up to it."""
    cell, value = one.cell, factor.value if factor else ONE
    if one.cached_usd:
        reason = add(reasons, "cached", model, cell, one.cached_usd)
        reason.factor = cached_price_share(cell, one.cached_usd)
    if volume_usd := one.expected - one.cached_usd - cell.ours_usd:
        reason = add(reasons, "untraced" if volume_usd > 0 else "unexplained", model, cell, volume_usd)
        reason.has_tokens = True
        reason.our_tokens = (reason.our_tokens or ZERO) + sum(cell.our_tokens.values(), ZERO)
        reason.their_tokens = (reason.their_tokens or ZERO) + sum(cell.their_tokens.values(), ZERO)
    if factor:
        reason = add(reasons, "factor", model, cell, (value - 1) * one.expected)
        reason.factor, reason.fitting_days, reason.compared_days = factor
        reason.has_tokens = bool(cell.their_tokens)
    rest = cell.theirs - value * one.expected
    kind = kind_of_rest(one, rest, value)
    add(reasons, kind, None if kind == "rounding" else model, cell, rest)


def kind_of_rest(one: Compared, rest: Decimal, factor: Decimal) -> Kind:
    cell = one.cell
    if cell.unpriced_calls and rest > 0:
        return "unpriced"
    if abs(rest) <= one.tolerance + SMALL * abs(factor * one.expected):
        return "rounding"
    if cell.their_tokens:
        return "price"
    return "untraced" if rest > 0 else "unexplained"


# --- Tokens ---


def unit_price(tokens: Mapping[str, Decimal], costs: Mapping[str, Decimal], token_class: str) -> Decimal | None:
    count = tokens.get(token_class)
    return costs.get(token_class, ZERO) / count if count else None


def expected_usd(cell: Cell, cached_usd: Decimal) -> Decimal:
    """Returns what their tokens cost at our prices. Where they tell no tokens, these are our own."""
    usd = cell.ours_usd + cached_usd
    if cell.unpriced_calls or cell.their_tokens.keys() != {name for name, cost in cell.their_costs.items() if cost}:
        return usd
    moved = moved_tokens(cell)
    for token_class, count in cell.their_tokens.items():
        price = unit_price(cell.our_tokens, cell.our_costs, token_class)
        own = cell.our_tokens.get(token_class, ZERO) + moved.get(token_class, ZERO)
        if price is None:
            price = unit_price(cell.their_tokens, cell.their_costs, token_class)
        usd += (count - own) * (price or ZERO)
    return usd


def moved_tokens(cell: Cell) -> dict[str, Decimal]:
    """Returns how many of our input tokens they read from a cache, by how much each class changes."""
    more_cached = cell.their_tokens.get("cache_read", ZERO) - cell.our_tokens.get("cache_read", ZERO)
    less_input = cell.our_tokens.get("input", ZERO) - cell.their_tokens.get("input", ZERO)
    moved = min(more_cached, less_input)
    if moved <= 0 or "input" not in cell.their_tokens:
        return {}
    return {"cache_read": moved, "input": -moved}


def cached_effect(cell: Cell, share: Decimal | None) -> Decimal:
    """Returns by how much their price of cached tokens lowers our cost, which has them in full; at most 0."""
    if moved := moved_tokens(cell).get("cache_read"):
        ours = unit_price(cell.our_tokens, cell.our_costs, "input")
        theirs = unit_price(cell.their_tokens, cell.their_costs, "cache_read")
        # What we count as cached already has its own price.
        cached = unit_price(cell.our_tokens, cell.our_costs, "cache_read") or theirs
        return moved * (cached - ours) if ours and cached and cached < ours else ZERO
    if share is None or not has_full_price(cell):
        return ZERO
    return -cell.our_costs["cache_read"] * (1 - share)


def has_full_price(cell: Cell) -> bool:
    """Tells whether we priced cached tokens like other input."""
    cached = unit_price(cell.our_tokens, cell.our_costs, "cache_read")
    other = unit_price(cell.our_tokens, cell.our_costs, "input")
    return bool(cached and other and cached >= FULL_PRICE * other)


def cached_share(cells: Sequence[Cell]) -> Decimal | None:
    """Returns which share of the price of other input explains all days, where we priced cached tokens in full."""
    shares = [
        1 - (cell.ours_usd - cell.theirs) / cell.our_costs["cache_read"]
        for cell in cells
        if not cell.their_tokens and has_full_price(cell)
    ]
    if len(shares) < FEWEST_DAYS:
        return None
    middle = median(shares)
    fitting = sum(abs(share - middle) <= SAME_SHARE for share in shares)
    return middle if ZERO <= middle < FULL_PRICE and fitting >= MOST_DAYS_SHARE * len(shares) else None


def cached_price_share(cell: Cell, cached_usd: Decimal) -> Decimal | None:
    moved = moved_tokens(cell).get("cache_read") or cell.our_tokens.get("cache_read")
    price = unit_price(cell.our_tokens, cell.our_costs, "input")
    return (1 + cached_usd / (moved * price)).quantize(FACTOR_DIGITS) if moved and price else None


# --- A constant factor ---


def constant_factor(pairs: Sequence[Pair]) -> Factor | None:
    """Returns the factor that most of the days have; None where there is none, or where it is 1."""
    usable = [pair for pair in pairs if pair.expected > 0 and pair.theirs > 0]
    best = most_frequent_ratio(usable)
    if best is None:
        return None
    found = fitting(usable, best)
    value = roundest(sum((pair.theirs for pair in found), ZERO) / sum((pair.expected for pair in found), ZERO), found)
    is_clear = len(found) >= FEWEST_DAYS and len(found) >= MOST_DAYS_SHARE * len(usable)
    if not is_clear or abs(value - 1) < SAME_FACTOR or len(found) <= len(fitting(usable, ONE)):
        return None
    return Factor(value, len(found), len(usable))


def roundest(ratio: Decimal, pairs: Sequence[Pair]) -> Decimal:
    for digits in ROUND_FACTORS:
        value = ratio.quantize(digits)
        if all(abs(pair.theirs - value * pair.expected) <= pair.tolerance for pair in pairs):
            return value
    return ratio.quantize(FACTOR_DIGITS)


def most_frequent_ratio(pairs: Sequence[Pair]) -> Decimal | None:
    """Returns the ratio near which most ratios lie, of the amounts that are large enough to have a clear one."""
    ratios = sorted(pair.theirs / pair.expected for pair in pairs if pair.tolerance <= SAME_FACTOR * pair.theirs)
    ratios = ratios or sorted(pair.theirs / pair.expected for pair in pairs)

    def near(ratio: Decimal) -> int:
        return bisect_right(ratios, ratio * (1 + SAME_FACTOR)) - bisect_left(ratios, ratio * (1 - SAME_FACTOR))

    return max(ratios, key=near, default=None)


def fitting(pairs: Iterable[Pair], factor: Decimal) -> list[Pair]:
    return [
        pair
        for pair in pairs
        if abs(pair.theirs - factor * pair.expected) <= pair.tolerance + SAME_FACTOR * abs(factor * pair.expected)
    ]


def fits(factor: Factor, pairs: Sequence[Pair]) -> Factor | None:
    """Returns the factor of all models for one of them, whose days are too few to have one, if most of them fit."""
    found = len(fitting(pairs, factor.value))
    is_better = found > len(fitting(pairs, ONE)) and found >= MOST_DAYS_SHARE * len(pairs)
    return Factor(factor.value, found, len(pairs)) if is_better else None
