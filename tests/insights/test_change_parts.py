"""The answer about a change, from made-up sums: as a client reads its digits, the parts add up; planted causes lead."""

import json
import random
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, get_args
from unittest.mock import patch
from uuid import UUID

import pytest

from analytics.answers import as_json
from insights import changes
from insights.change_parameters import Measure, Parameters
from traces.filters import Filters
from traces.row import COST_COLUMNS

FILTERS = Filters(UUID(int=0), datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC), "daily", limit=3)
CASES = 40
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
NONE = {
    **dict.fromkeys(("calls", "errors", "timed_calls", "priced_calls", *TOKENS), 0),
    **dict.fromkeys(("cost_usd", *COST_COLUMNS), Decimal(0)),
    "latency_ms": 0.0,
}


def answer(rows: list[dict[str, Any]], measure: Any = "cost_usd", limit: int = 3) -> Any:
    """Returns the answer as a client reads it: with all digits of its JSON."""
    parameters = Parameters(measure, "agent_id", "previous", None, None)
    filters = Filters(FILTERS.workspace_id, FILTERS.start, FILTERS.end, "daily", limit=limit)
    with patch.object(changes, "pairs", return_value=rows):
        body = as_json(changes.changes(parameters, filters))
    return json.loads(body, parse_float=Decimal, parse_int=Decimal)


def a_group(
    group: tuple[str | None, ...], before: dict[str, Any], after: dict[str, Any], is_listed: bool = True
) -> Any:
    keys = {f"dimension_{place}": name for place, name in enumerate(group, start=1)}
    sums = {
        f"{window}_{name}": value
        for window, values in (("before", before), ("after", after))
        for name, value in (NONE | values).items()
    }
    return {"is_listed": is_listed, **keys, **sums}


def random_sums(draw: random.Random) -> dict[str, Any]:
    """Returns the sums of a group, in one of four cases without a call."""
    calls = draw.choice([0, draw.randrange(1, 10), draw.randrange(1, 10**5), draw.randrange(1, 10**7)])
    if not calls:
        return {}
    parts = [Decimal(draw.randrange(10 ** draw.randrange(1, 15))).scaleb(-12) for _ in COST_COLUMNS]
    unsplit = draw.choice([Decimal(0), Decimal(draw.randrange(10**9)).scaleb(-9)])
    return {
        "calls": calls,
        "errors": draw.randrange(calls + 1),
        "timed_calls": draw.randrange(calls + 1),
        "latency_ms": draw.random() * calls * 1000,
        "priced_calls": draw.choice([calls, draw.randrange(calls + 1)]),
        "cost_usd": sum(parts) + unsplit,
        **dict(zip(COST_COLUMNS, parts, strict=True)),
        **{name: draw.randrange(10**8) for name in TOKENS},
    }


def check_random_changes(cases: int) -> None:
    """Groups appear and go, some have no name, and one is of all that are not explained one by one."""
    names: list[str | None] = ["a", "b", "c", "d", "e", None]
    for seed in range(cases):
        draw = random.Random(seed)
        groups = {(draw.choice(names), f"model-{draw.randrange(4)}") for _ in range(draw.randrange(1, 12))}
        rows = [a_group(group, random_sums(draw), random_sums(draw)) for group in sorted(groups, key=str)]
        rows += [a_group((None, None), random_sums(draw), random_sums(draw), is_listed=False)] * draw.randrange(2)
        measure = get_args(Measure)[seed % len(get_args(Measure))]
        found = answer(rows, measure)
        if found["change"] is None:
            assert None in (found["before"], found["after"])
            continue
        assert found["after"] - found["before"] == found["change"], (seed, measure)
        for lines in (found["steps"], found["contributions"]):
            assert sum(line["contribution"] for line in lines) == found["change"], (seed, measure)


def test_parts_of_random_changes_add_up_to_the_last_digit() -> None:
    check_random_changes(CASES)


CAUSES = ("new", "price", "mix", "tokens", "volume")
PER_SEED = 12


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("seed", range(PER_SEED))
def test_a_planted_cause_has_nine_tenths_of_the_change(cause: str, seed: int) -> None:
    """Of 60 changes; beside the cause, tokens and calls of all groups differ by up to half a percent."""
    draw = random.Random(seed)
    agents = {f"agent-{number}": draw.randrange(1000, 5000) for number in range(5)}
    rows = [planted(name, calls, cause, draw) for name, calls in agents.items()]
    if cause == "new":
        rows.append(a_group(("agent-new", "m"), {}, spent(4000, 900, Decimal("0.00001"))))
    found = answer(rows, limit=100)
    share = sum(line["contribution"] for line in found["steps"] if line["kind"] == cause) / found["change"]
    assert share >= Decimal("0.9"), found["steps"]


def planted(agent: str, calls: int, cause: str, draw: random.Random) -> Any:
    """Returns a group whose second window has the cause: dear calls move from half to all for a change of mix."""
    price = Decimal("0.00001") * (20 if agent == "agent-0" else 1)
    noise = 1 + (draw.random() - 0.5) / 100
    now = {
        "price": (calls, 500 * noise, price * (2 if agent == "agent-1" else 1)),
        "tokens": (calls, 1000 * noise, price),
        "volume": (calls * 2, 500 * noise, price),
        "mix": (calls * (5 if agent == "agent-0" else 1) // 2, 500 * noise, price),
        "new": (calls, 500 * noise, price),
    }[cause]
    return a_group((agent, "m"), spent(calls, 500, price), spent(*now))


def spent(calls: int, tokens: float, price: Decimal) -> dict[str, Any]:
    cost = calls * int(tokens) * price
    return {
        "calls": calls,
        "priced_calls": calls,
        "input_tokens": calls * int(tokens),
        "cost_usd": cost,
        "input_cost_usd": cost,
    }
