"""Measures how often the intervals of comparisons hold the truth, on made-up calls whose truth is known."""

import math
import random
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from methods.comparison import (
    Arm,
    Bucket,
    Interval,
    Width,
    compare_means,
    compare_percentiles,
    compare_rates,
    users_of,
)

CALLS = (50, 300, 2000)
SIGMAS = (0.5, 1.5)
ERROR_RATE, MOST_CALLS_OF_USER, USER_SIGMA = 0.02, 200, 0.5
BUCKETS_PER_DOUBLING = 32
LOOKS, CALLS_BETWEEN_LOOKS = 100, 50
NO_CALLS = Arm(0, 0.0, 0.0)


class Call(NamedTuple):
    user: int
    value: float


def arm(calls: Sequence[Call], by_user: bool = False) -> Arm:
    values = [call.value for call in calls]
    users = users_of(sums_by_user(calls)) if by_user else None
    return Arm(len(values), sum(values), sum(value * value for value in values), users)


def sums_by_user(calls: Sequence[Call]) -> list[tuple[int, float]]:
    sums: dict[int, tuple[int, float]] = {}
    for user, value in calls:
        n, y = sums.get(user, (0, 0.0))
        sums[user] = n + 1, y + value
    return list(sums.values())


def costs(calls: int, sigma: float, rng: random.Random) -> list[Call]:
    return [Call(i, math.exp(rng.gauss(0, sigma))) for i in range(calls)]


def errors(calls: int, rate: float, rng: random.Random) -> list[Call]:
    return [Call(i, float(rng.random() < rate)) for i in range(calls)]


def costs_of_users(calls: int, sigma: float, rng: random.Random) -> list[Call]:
    """Users have 1 to 200 calls each, many of them few, and differ in what their calls cost."""
    made: list[Call] = []
    while len(made) < calls:
        user, level = len(made), rng.gauss(0, USER_SIGMA)
        count = round(math.exp(rng.uniform(0, math.log(MOST_CALLS_OF_USER))))
        made += [Call(user, math.exp(level + rng.gauss(0, sigma))) for _ in range(count)]
    return made[:calls]


def histogram(values: Sequence[float]) -> list[Bucket]:
    """Returns the counts in the product's buckets of latency."""
    counts: dict[int, int] = {}
    for value in values:
        index = math.ceil(BUCKETS_PER_DOUBLING * math.log2(value)) - 1
        counts[index] = counts.get(index, 0) + 1
    return [Bucket(2 ** (i / 32), 2 ** ((i + 1) / 32), counts[i]) for i in sorted(counts)]


class Coverage(NamedTuple):
    case: str
    calls: int
    share: float | None
    """Of the intervals that hold the truth; None where there are too few calls for any."""
    intervals: int


Sample = Callable[[int, random.Random], list[Call]]
Answer = Callable[[Arm, Arm], Interval | None]


def coverages(calls: int, runs: int, rng: random.Random) -> list[Coverage]:
    """Returns how often the intervals of two equal arms hold equality."""
    found = [coverage(f"error rate, {ERROR_RATE:.0%}", error_calls, rate_difference, 0, calls, runs, rng)]
    for sigma in SIGMAS:
        found += cost_coverages(sigma, calls, runs, rng)
    return found


def cost_coverages(sigma: float, calls: int, runs: int, rng: random.Random) -> list[Coverage]:
    def alone(n: int, source: random.Random) -> list[Call]:
        return costs(n, sigma, source)

    def grouped(n: int, source: random.Random) -> list[Call]:
        return costs_of_users(n, sigma, source)

    name = f"cost, sigma {sigma}"
    return [
        coverage(f"{name}, difference", alone, mean_difference, 0, calls, runs, rng),
        coverage(f"{name}, ratio", alone, mean_ratio, 1, calls, runs, rng),
        coverage(f"{name}, users, difference", grouped, mean_difference, 0, calls, runs, rng, by_user=True),
        coverage(f"{name}, users, ratio", grouped, mean_ratio, 1, calls, runs, rng, by_user=True),
        percentile_coverage(f"{name}, median", sigma, 0.5, calls, runs, rng),
        percentile_coverage(f"{name}, p95", sigma, 0.95, calls, runs, rng),
    ]


def error_calls(calls: int, rng: random.Random) -> list[Call]:
    return errors(calls, ERROR_RATE, rng)


def rate_difference(a: Arm, b: Arm) -> Interval | None:
    return compare_rates(a, b).difference


def mean_difference(a: Arm, b: Arm) -> Interval | None:
    return compare_means(a, b).difference


def mean_ratio(a: Arm, b: Arm) -> Interval | None:
    return compare_means(a, b).ratio


def coverage(
    case: str,
    sample: Sample,
    answer: Answer,
    truth: float,
    calls: int,
    runs: int,
    rng: random.Random,
    by_user: bool = False,
) -> Coverage:
    answers = (answer(arm(sample(calls, rng), by_user), arm(sample(calls, rng), by_user)) for _ in range(runs))
    return share_that_holds(case, calls, truth, answers)


def percentile_coverage(case: str, sigma: float, q: float, calls: int, runs: int, rng: random.Random) -> Coverage:
    def latencies() -> list[Bucket]:
        return histogram([1000 * call.value for call in costs(calls, sigma, rng)])

    answers = (compare_percentiles(latencies(), latencies(), q).ratio for _ in range(runs))
    return share_that_holds(case, calls, 1, answers)


def share_that_holds(case: str, calls: int, truth: float, answers: Iterable[Interval | None]) -> Coverage:
    holds = [interval.low <= truth <= interval.high for interval in answers if interval]
    return Coverage(case, calls, sum(holds) / len(holds) if holds else None, len(holds))


def false_verdicts(width: Width, experiments: int, rng: random.Random) -> float:
    """Returns the share of experiments with equal arms that are called different at one of their 100 looks."""
    return sum(is_called_different(width, rng) for _ in range(experiments)) / experiments


def is_called_different(width: Width, rng: random.Random) -> bool:
    a, b = NO_CALLS, NO_CALLS
    for _ in range(LOOKS):
        a, b = (grown(one, costs(CALLS_BETWEEN_LOOKS, SIGMAS[0], rng)) for one in (a, b))
        if compare_means(a, b, width).verdict in ("higher", "lower"):
            return True
    return False


def grown(before: Arm, calls: Sequence[Call]) -> Arm:
    more = arm(calls)
    return Arm(before.calls + more.calls, before.total + more.total, before.squares + more.squares)
