"""Explaining the difference between an invoice and what was counted."""

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from methods.reconciliation import Cell, Reason, reconcile

FIRST = date(2026, 11, 1)
CENT = Decimal("0.01")


def usd(text: Any) -> Decimal:
    return Decimal(str(text))


def cells(ours: list[Any], theirs: list[Any], model: str = "gpt-4o", **values: Any) -> list[Cell]:
    """Makes the cells of consecutive days. None: that side has nothing."""
    return [
        Cell(
            model,
            FIRST + timedelta(days=place),
            calls=0 if own is None else 10,
            ours_usd=usd(own or 0),
            theirs_usd=None if other is None else usd(other),
            lines=0 if other is None else 1,
            **values,
        )
        for place, (own, other) in enumerate(zip(ours, theirs, strict=True))
    ]


def amounts(reasons: list[Reason]) -> dict[tuple[str, str | None], Decimal]:
    return {(reason.kind, reason.model): reason.amount_usd.normalize() for reason in reasons}


def test_equal_amounts_need_no_reason() -> None:
    assert reconcile(cells([5, 6], [5, 6]), CENT) == []


def test_days_that_one_side_lacks_are_named() -> None:
    found = reconcile(cells([5, 6, None, 4], [5, None, 7, 4]), CENT)
    assert amounts(found) == {("untraced_days", None): usd(7), ("missing_days", None): usd(-6)}
    assert [reason.days for reason in found] == [[FIRST + timedelta(days=2)], [FIRST + timedelta(days=1)]]


def test_a_model_that_one_side_lacks_is_named() -> None:
    found = reconcile(
        [*cells([5], [5]), *cells([None], [3], "o3"), *cells([2], [None], "gpt-3.5"), *cells([None], [-1], "")], CENT
    )
    assert amounts(found) == {("untraced_model", "o3"): 3, ("not_billed", "gpt-3.5"): -2, ("credits", None): -1}


def test_a_discount_is_found_beside_a_day_of_other_traffic() -> None:
    found = reconcile(cells([10, 20, 30, 40, 50], [8, 16, 24, 32, 90]), CENT)
    assert amounts(found) == {("untraced", "gpt-4o"): 50, ("factor", "gpt-4o"): -30}
    factor = found[1]
    assert (factor.factor, factor.fitting_days, factor.compared_days) == (usd("0.8"), 4, 5)


def test_the_discount_of_all_models_counts_for_one_with_few_days() -> None:
    found = reconcile([*cells([10, 20, 30], [9, 18, 27]), *cells([40], [36], "o3")], CENT)
    assert amounts(found) == {("factor", "gpt-4o"): -6, ("factor", "o3"): -4}


def test_rounded_amounts_are_no_discount() -> None:
    ours = ["0.014", "0.026", "1.004", "2.047"]
    found = reconcile(cells(ours, ["0.01", "0.03", "1.00", "2.05"]), CENT)
    assert amounts(found) == {("rounding", None): usd("-0.001")}


def test_calls_without_a_price_explain_what_is_more() -> None:
    found = reconcile([*cells([1, 1, 1], [1, 1, 1]), *cells([5], [9], "o3", unpriced_calls=4)], CENT)
    assert amounts(found) == {("unpriced", "o3"): 4}
    assert found[0].unpriced_calls == 4


TOKENS = {"input": Decimal(1000), "output": Decimal(100)}
COSTS = {"input": Decimal(10), "output": Decimal(5)}


def with_tokens(their_tokens: dict[str, Any], their_costs: dict[str, Any], days: int = 4, **ours: Any) -> list[Cell]:
    values: dict[str, Any] = {"our_tokens": TOKENS, "our_costs": COSTS} | ours
    total = sum((usd(cost) for cost in their_costs.values()), Decimal(0))
    return cells(
        [sum(values["our_costs"].values(), Decimal(0))] * days,
        [total] * days,
        their_tokens={name: usd(count) for name, count in their_tokens.items()},
        their_costs={name: usd(cost) for name, cost in their_costs.items()},
        **values,
    )


def test_tokens_tell_traffic_without_traces_from_a_price() -> None:
    more = with_tokens({"input": 1200, "output": 120}, {"input": 12, "output": 6})
    assert amounts(reconcile(more, CENT)) == {("untraced", "gpt-4o"): 12}
    dearer = with_tokens({"input": 1000, "output": 100}, {"input": 12, "output": 6})
    assert amounts(reconcile(dearer, CENT)) == {("factor", "gpt-4o"): 12}
    both = with_tokens({"input": 2000, "output": 200}, {"input": 18, "output": 9})
    assert amounts(reconcile(both, CENT)) == {("untraced", "gpt-4o"): 60, ("factor", "gpt-4o"): -12}


def test_cached_tokens_that_no_client_reported_are_found_by_their_tokens() -> None:
    found = reconcile(
        with_tokens({"input": 400, "cache_read": 600, "output": 100}, {"input": 4, "cache_read": "0.6", "output": 5}),
        CENT,
    )
    assert amounts(found) == {("cached", "gpt-4o"): usd("-21.6")}
    assert found[0].factor == usd("0.1")


def test_cached_tokens_at_the_full_price_are_found_without_their_tokens() -> None:
    """A cached token costs a quarter of another, and its share differs from day to day: so it is no discount."""
    ours = [
        Cell(
            "gpt-4o",
            FIRST + timedelta(days=place),
            calls=1,
            ours_usd=usd(10),
            theirs_usd=usd(10) - usd(cached) * 3 / 4,
            lines=1,
            our_tokens={"input": usd(10 - cached) * 100, "cache_read": usd(cached) * 100},
            our_costs={"input": usd(10 - cached), "cache_read": usd(cached)},
        )
        for place, cached in enumerate((2, 4, 6, 8))
    ]
    found = reconcile(ours, CENT)
    assert amounts(found) == {("cached", "gpt-4o"): -15}
    assert found[0].factor == usd("0.25")


@pytest.mark.parametrize("seed", range(40))
def test_the_reasons_add_up_to_the_difference(seed: int) -> None:
    source = random.Random(seed)

    def amount() -> Decimal:
        return Decimal(source.randrange(-5, 10**6)) / 10**4

    made = [
        Cell(
            source.choice(["a", "b", "c", ""]),
            FIRST + timedelta(days=day),
            calls=(calls := source.choice([0, 1, 7])),
            unpriced_calls=source.choice([0, 0, 1]) if calls else 0,
            ours_usd=abs(amount()) if calls else Decimal(0),
            theirs_usd=amount() if not calls or source.random() < 0.8 else None,
            lines=source.randrange(0, 4),
            our_tokens=TOKENS,
            our_costs=COSTS,
            their_tokens={"input": abs(amount())} if (has_tokens := source.random() < 0.5) else {},
            their_costs={"input": abs(amount())} if has_tokens else {},
        )
        for day in range(12)
    ]
    difference = sum((cell.theirs - cell.ours_usd for cell in made), Decimal(0))
    found = sum((reason.amount_usd for reason in reconcile(made, CENT)), Decimal(0))
    assert abs(found - difference) < Decimal("1e-18")
