"""Splits a change between two windows into its causes, so that the parts add up to the change to the last digit.

`explain_spend` splits spend into new and vanished groups, volume, mix, tokens per call and price. `explain_rate` splits
an average, such as latency or error rate, into mix and the change within groups. `by_value` sums the parts by the
values of one dimension. docs/methods.md has the formulas.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Generic, Literal, NamedTuple, TypeVar

Kind = Literal["new", "gone", "volume", "mix", "tokens", "price", "within", "others"]
"""
new, gone: a group that has calls in one of the windows only. volume: more calls, at the same cost per call.
mix: other shares of the groups. tokens: more tokens per call. price: more dollars per token.
within: the average of a group itself changed. others: the sum of the values that are not listed.
"""

Group = TypeVar("Group", bound=Hashable)
"""Such as (agent, model): one combination of the values of every dimension that is to be explained."""
Value = TypeVar("Value", bound=Hashable)

DECIMAL_PLACES = 12
"""Costs are stored with fewer digits, so rounding to these loses nothing of them."""


class TokenClass(NamedTuple):
    """What a window's calls used of one class: input, output, cached input. A fee per call counts calls as tokens."""

    tokens: int
    cost_usd: Decimal


@dataclass(frozen=True)
class Spend:
    """What the calls of one group used and cost in one window."""

    calls: int
    classes: Mapping[str, TokenClass] = field(default_factory=dict)

    @property
    def cost(self) -> Fraction:
        return sum((Fraction(part.cost_usd) for part in self.classes.values()), Fraction(0))


class Average(NamedTuple):
    """The calls of one group in one window, and the sum of what is averaged: ms or errors."""

    calls: int
    total: Decimal | int


class Part(NamedTuple, Generic[Group]):
    group: Group
    kind: Kind
    token_class: str | None
    """Of the kinds tokens and price."""
    amount: Fraction


class Contribution(NamedTuple, Generic[Value]):
    value: Value | None
    """None with the kind others; the group of calls without a value has the caller's own word for it."""
    kind: Kind
    token_class: str | None
    amount: Decimal
    """In dollars, ms or as a rate, like the change itself. All amounts together are the change, exactly."""


def explain_spend(before: Mapping[Group, Spend], after: Mapping[Group, Spend]) -> list[Part[Group]]:
    """Returns the parts of `sum of costs after - sum of costs before`."""
    nothing = Spend(0)
    pairs = {group: (before.get(group, nothing), after.get(group, nothing)) for group in (*before, *after)}
    in_both = {group: pair for group, pair in pairs.items() if pair[0].calls and pair[1].calls}
    parts = [part for group, pair in pairs.items() if group not in in_both for part in appeared_or_gone(group, *pair)]
    calls_before = sum(old.calls for old, _ in in_both.values())
    growth = Fraction(sum(new.calls for _, new in in_both.values()), calls_before or 1)
    for group, (old, new) in in_both.items():
        parts += spend_parts(group, old, new, growth)
    return [part for part in parts if part.amount]


def appeared_or_gone(group: Group, old: Spend, new: Spend) -> list[Part[Group]]:
    kind: Kind = "new" if new.calls or new.cost else "gone"
    return [Part(group, kind, None, new.cost - old.cost)]


def spend_parts(group: Group, old: Spend, new: Spend, growth: Fraction) -> list[Part[Group]]:
    """Splits the change of a group that has calls in both windows.

    Volume: its calls grow like all calls. Mix: they grow more or less than that. Both at the old cost per call.
    """
    per_call = old.cost / old.calls
    parts: list[Part[Group]] = [
        Part(group, "volume", None, old.calls * (growth - 1) * per_call),
        Part(group, "mix", None, (new.calls - old.calls * growth) * per_call),
    ]
    for name in sorted({*old.classes, *new.classes}):
        parts += class_parts(group, name, old, new)
    return parts


def class_parts(group: Group, name: str, old: Spend, new: Spend) -> list[Part[Group]]:
    """Splits what a class costs more per call: into more tokens at the old price, and the same tokens at a new price.

    A class without tokens before has no old price; then all of it is tokens.
    """
    unused = TokenClass(0, Decimal(0))
    used, now = old.classes.get(name, unused), new.classes.get(name, unused)
    at_old_usage = Fraction(used.cost_usd) * new.calls / old.calls
    change = Fraction(now.cost_usd) - at_old_usage
    if not used.tokens:
        return [Part(group, "tokens" if now.tokens else "price", name, change)]
    price = Fraction(used.cost_usd) / used.tokens
    more_tokens = (now.tokens - Fraction(used.tokens) * new.calls / old.calls) * price
    return [Part(group, "tokens", name, more_tokens), Part(group, "price", name, change - more_tokens)]


def explain_rate(before: Mapping[Group, Average], after: Mapping[Group, Average]) -> list[Part[Group]] | None:
    """Returns the parts of `average after - average before`; None if a window has no calls.

    Shares and averages of both windows count half each, so it does not matter which window is the first. A group that
    is in one window only changes the mix.
    """
    calls_before, calls_after = sum(a.calls for a in before.values()), sum(a.calls for a in after.values())
    if not calls_before or not calls_after:
        return None
    overall = (whole_average(before, calls_before) + whole_average(after, calls_after)) / 2
    parts: list[Part[Group]] = []
    for group in dict.fromkeys((*before, *after)):
        old, new = before.get(group, Average(0, 0)), after.get(group, Average(0, 0))
        if not (old.calls or new.calls):
            continue
        rate_before, rate_after = average(old if old.calls else new), average(new if new.calls else old)
        share_before, share_after = Fraction(old.calls, calls_before), Fraction(new.calls, calls_after)
        mix = (share_after - share_before) * ((rate_before + rate_after) / 2 - overall)
        within = (share_before + share_after) / 2 * (rate_after - rate_before)
        parts += [Part(group, "mix", None, mix), Part(group, "within", None, within)]
    return [part for part in parts if part.amount]


def whole_average(averages: Mapping[Group, Average], calls: int) -> Fraction:
    return sum((Fraction(part.total) for part in averages.values() if part.calls), Fraction(0)) / calls


def average(part: Average) -> Fraction:
    return Fraction(part.total) / part.calls


def by_value(
    parts: Sequence[Part[Group]],
    value_of: Callable[[Group], Value],
    in_both: Iterable[Value] = (),
    limit: int = 10,
    places: int = DECIMAL_PLACES,
) -> list[Contribution[Value]]:
    """Sums the parts by a value of each group, and returns the largest first. What is cut is one line: others.

    `in_both` are the values that have calls in both windows. A group of theirs that is new or gone is a change of mix:
    an agent that changes its model is no new agent. The amounts are rounded to `places` digits; the largest
    takes the rest, so that the sum stays exact.
    """
    known, sums = set(in_both), dict[tuple[Value, Kind, str | None], Fraction]()
    for part in parts:
        value = value_of(part.group)
        kind: Kind = "mix" if part.kind in ("new", "gone") and value in known else part.kind
        key = (value, kind, part.token_class)
        sums[key] = sums.get(key, Fraction(0)) + part.amount
    listed = largest_values(sums, limit)
    contributions = [(value, kind, name, amount) for (value, kind, name), amount in sums.items() if value in listed]
    rest = sum((amount for (value, _, _), amount in sums.items() if value not in listed), Fraction(0))
    contributions.sort(key=lambda line: (listed[line[0]], -abs(line[3])))
    lines = [Contribution[Value](value, kind, name, Decimal(0)) for value, kind, name, _ in contributions]
    if len(listed) < len({value for value, _, _ in sums}):
        lines.append(Contribution(None, "others", None, Decimal(0)))
    amounts = rounded([*(amount for *_, amount in contributions), rest][: len(lines)], places)
    return [line._replace(amount=amount) for line, amount in zip(lines, amounts, strict=True)]


def by_kind(parts: Sequence[Part[Group]], places: int = DECIMAL_PLACES) -> list[Contribution[str]]:
    """Sums the parts by their kind, the largest first: the steps of a waterfall."""
    sums: dict[tuple[Kind, str | None], Fraction] = defaultdict(Fraction)
    for part in parts:
        sums[part.kind, part.token_class] += part.amount
    ordered = sorted(sums.items(), key=lambda item: -abs(item[1]))
    amounts = rounded([amount for _, amount in ordered], places)
    return [Contribution(None, kind, name, amount) for ((kind, name), _), amount in zip(ordered, amounts, strict=True)]


def largest_values(sums: Mapping[tuple[Value, Kind, str | None], Fraction], limit: int) -> dict[Value, int]:
    """Returns the values that contribute most, with their rank."""
    totals: dict[Value, Fraction] = defaultdict(Fraction)
    for (value, _, _), amount in sums.items():
        totals[value] += amount
    ordered = sorted(totals, key=lambda value: -abs(totals[value]))
    return {value: rank for rank, value in enumerate(ordered[:limit])}


def rounded(amounts: Sequence[Fraction], places: int) -> list[Decimal]:
    """Rounds amounts so that their sum is the rounded sum: the largest takes what the others lost."""
    unit = 10**places
    units = [round(amount * unit) for amount in amounts]
    if units:
        largest = max(range(len(units)), key=lambda i: abs(units[i]))
        units[largest] += round(sum(amounts, Fraction(0)) * unit) - sum(units)
    return [Decimal(number).scaleb(-places) for number in units]
