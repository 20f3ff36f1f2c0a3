import random
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

import pytest

from methods.decomposition import Average, Spend, TokenClass, by_kind, by_value, explain_rate, explain_spend

Groups = dict[tuple[str | None, str], Spend]
AGENTS, MODELS, CLASSES = ("support", "search", "night", None), ("gpt-5", "haiku"), ("input", "output", "cached")


def spend(calls: int, tokens_per_call: int = 100, price: str = "0.01") -> Spend:
    tokens = calls * tokens_per_call
    return Spend(calls, {"input": TokenClass(tokens, tokens * Decimal(price))})


def kinds(before: Groups, after: Groups) -> dict[str, Decimal]:
    return {line.kind: line.amount for line in by_kind(explain_spend(before, after))}


SUPPORT, SEARCH = ("support", "gpt-5"), ("search", "haiku")


def test_twice_the_calls_are_volume() -> None:
    assert kinds({SUPPORT: spend(10)}, {SUPPORT: spend(20)}) == {"volume": 10}


def test_a_higher_price_is_price() -> None:
    assert kinds({SUPPORT: spend(10)}, {SUPPORT: spend(10, price="0.03")}) == {"price": 20}


def test_longer_prompts_are_tokens_of_their_class() -> None:
    [line] = by_kind(explain_spend({SUPPORT: spend(10)}, {SUPPORT: spend(10, tokens_per_call=150)}))
    assert (line.kind, line.token_class, line.amount) == ("tokens", "input", 5)


def test_more_calls_of_the_dear_agent_and_fewer_of_the_cheap_one_are_mix() -> None:
    # A call of the dear agent costs 2 dollars, one of the cheap agent 1 dollar.
    before = {SUPPORT: spend(10, price="0.02"), SEARCH: spend(10)}
    after = {SUPPORT: spend(15, price="0.02"), SEARCH: spend(5)}
    assert kinds(before, after) == {"mix": 5}


def test_an_agent_that_appears_and_one_that_goes_are_told_as_such() -> None:
    assert kinds({SUPPORT: spend(10)}, {SUPPORT: spend(10), SEARCH: spend(3)}) == {"new": 3}
    assert kinds({SUPPORT: spend(10), SEARCH: spend(3)}, {SUPPORT: spend(10)}) == {"gone": -3}


def test_all_at_once_adds_up() -> None:
    # Volume: 10 more of 20 calls. Tokens: 15 calls of 50 tokens more. Price: 15 calls of 150 tokens, a cent more each.
    before = {SUPPORT: spend(10), SEARCH: spend(10)}
    after = {SUPPORT: spend(15, 150, "0.02"), SEARCH: spend(15)}
    found = kinds(before, after)
    assert found == {"volume": 10, "tokens": Decimal("7.5"), "price": Decimal("22.5")}


def test_an_agent_that_changes_its_model_is_no_new_agent() -> None:
    before, after = {SUPPORT: spend(10)}, {("support", "haiku"): spend(10, price="0.03")}
    parts = explain_spend(before, after)
    agents = by_value(parts, lambda group: group[0], in_both=["support"])
    assert [(line.value, line.kind, line.amount) for line in agents] == [("support", "mix", 20)]
    models = by_value(parts, lambda group: group[1])
    assert [(line.value, line.kind, line.amount) for line in models] == [("haiku", "new", 30), ("gpt-5", "gone", -10)]


def test_the_largest_values_come_first_and_the_others_last() -> None:
    before = {(f"agent {i}", "gpt-5"): spend(10) for i in range(5)}
    after = {(f"agent {i}", "gpt-5"): spend(10, 100 + 10 * i) for i in range(5)}
    lines = by_value(explain_spend(before, after), lambda group: group[0], limit=2)
    assert [(line.value, line.kind, line.amount) for line in lines] == [
        ("agent 4", "tokens", 4),
        ("agent 3", "tokens", 3),
        (None, "others", 3),
    ]


def test_nothing_before_and_nothing_after_have_parts_too() -> None:
    assert kinds({}, {SUPPORT: spend(10)}) == {"new": 10}
    assert kinds({SUPPORT: spend(10)}, {}) == {"gone": -10}
    assert explain_spend({}, {}) == []


def random_spend(rng: random.Random) -> Spend:
    def token_class() -> TokenClass:
        tokens = rng.choice([0, rng.randrange(1, 100_000)])
        return TokenClass(tokens, Decimal(rng.randrange(0, 10**10)).scaleb(-10) if rng.random() < 0.9 else Decimal(0))

    return Spend(rng.randrange(1, 500), {name: token_class() for name in CLASSES if rng.random() < 0.8})


def random_groups(rng: random.Random) -> Groups:
    return {(agent, model): random_spend(rng) for agent in AGENTS for model in MODELS if rng.random() < 0.7}


def cost(groups: Mapping[tuple[str | None, str], Spend]) -> Decimal:
    return sum((part.cost_usd for group in groups.values() for part in group.classes.values()), Decimal(0))


def test_contributions_add_up_to_the_last_digit() -> None:
    check_random_cases(200)


def check_random_cases(count: int) -> None:
    rng = random.Random(1)
    for _ in range(count):
        before, after = random_groups(rng), random_groups(rng)
        parts = explain_spend(before, after)
        for lines in (by_kind(parts), by_value(parts, lambda group: group[0], limit=rng.randrange(5))):
            assert sum((line.amount for line in lines), Decimal(0)) == cost(after) - cost(before)


CAUSES = ("new", "price", "mix", "tokens", "volume")


@pytest.mark.parametrize("cause", CAUSES)
def test_one_planted_cause_has_nine_tenths_of_the_change(cause: str) -> None:
    for seed in range(12):
        rng = random.Random(seed)
        before, after = planted(cause, rng)
        change = cost(after) - cost(before)
        found = kinds(before, after)
        share = sum((amount for kind, amount in found.items() if kind == cause), Decimal(0)) / change
        assert Decimal("0.9") <= share <= Decimal("1.1"), (seed, found)


def planted(cause: str, rng: random.Random) -> tuple[Groups, Groups]:
    """Makes two windows that differ by one cause, and by 0.1 % of noise in calls and tokens."""
    groups = [(agent, model) for agent in ("support", "search", "night") for model in MODELS]
    usual = {group: (rng.randrange(20_000, 50_000), rng.randrange(100, 200)) for group in groups}
    price = {group: Decimal(rng.randrange(1, 30)) for group in groups}
    new = {
        group: spend(round(calls * rng.uniform(0.999, 1.001)), tokens, f"{price[group] / 1000}")
        for group, (calls, tokens) in usual.items()
    }
    old = {group: spend(calls, tokens, f"{price[group] / 1000}") for group, (calls, tokens) in usual.items()}
    by_cost = sorted(groups, key=lambda group: price[group] * usual[group][1])
    cheap, dear = by_cost[0], by_cost[-1]
    calls, tokens = usual[dear]
    if cause == "new":
        new["launch", "gpt-5"] = spend(30_000, 150, "0.02")
    elif cause == "price":
        new[dear] = spend(calls, tokens, f"{price[dear] / 1000 * 2}")
    elif cause == "tokens":
        new[dear] = spend(calls, tokens * 2, f"{price[dear] / 1000}")
    elif cause == "mix":
        moved = usual[cheap][0] // 2
        new[dear] = spend(calls + moved, tokens, f"{price[dear] / 1000}")
        new[cheap] = spend(usual[cheap][0] - moved, usual[cheap][1], f"{price[cheap] / 1000}")
    else:
        new = {group: spend(n * 3 // 2, t, f"{price[group] / 1000}") for group, (n, t) in usual.items()}
    return old, new


def test_an_agent_that_became_slower_is_told_within_it() -> None:
    before = {"support": Average(10, 1000), "search": Average(10, 2000)}
    after = {"support": Average(10, 1500), "search": Average(10, 2000)}
    parts = explain_rate(before, after)
    assert parts is not None
    assert [(part.group, part.kind, part.amount) for part in parts] == [("support", "within", 25)]


def test_more_calls_of_the_slow_agent_are_mix() -> None:
    before = {"support": Average(10, 1000), "search": Average(10, 2000)}
    after = {"support": Average(5, 500), "search": Average(15, 3000)}
    parts = explain_rate(before, after)
    assert parts is not None
    assert {part.kind for part in parts} == {"mix"}
    assert sum(part.amount for part in parts) == 25


def test_a_rate_needs_calls_in_both_windows() -> None:
    assert explain_rate({}, {"support": Average(10, 1)}) is None
    assert explain_rate({"support": Average(10, 1)}, {"support": Average(0, 0)}) is None


def test_parts_of_a_rate_add_up_exactly_in_500_random_cases() -> None:
    rng = random.Random(2)
    for _ in range(500):
        before, after = (
            {agent: Average(rng.randrange(0, 50), rng.randrange(0, 5000)) for agent in "abcd" if rng.random() < 0.8}
            for _ in range(2)
        )
        parts = explain_rate(before, after)
        if parts is not None:
            assert sum((part.amount for part in parts), Fraction(0)) == rate(after) - rate(before)


def rate(groups: Mapping[str, Average]) -> Fraction:
    known = [group for group in groups.values() if group.calls]
    return Fraction(sum(int(group.total) for group in known), sum(group.calls for group in known))
