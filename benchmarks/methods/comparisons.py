"""Measures how often the intervals of comparisons hold the truth, on made-up calls whose truth is known."""

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from methods.comparison import (
    Arm,
    Bucket,
    Comparison,
    Interval,
    Width,
    compare_means,
    compare_percentiles,
    compare_rates,
    fixed,
    interval_of_mean,
    interval_of_rate,
    of_larger,
    users_of,
)

CALLS = (50, 300, 2000)
SIGMAS = (0.5, 1.5)
ERROR_RATE, MOST_CALLS_OF_USER, USER_SIGMA = 0.02, 200, 0.5
BUCKETS_PER_DOUBLING = 32
LOOKS, CALLS_BETWEEN_LOOKS = 100, 50


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


def errors_of_users(calls: int, rate: float, rng: random.Random) -> list[Call]:
    """Users have 1 to 200 calls each, and differ in how often their calls fail."""
    levels: dict[int, float] = {}

    def fails(call: Call) -> float:
        level = levels.setdefault(call.user, rate * math.exp(rng.gauss(0, USER_SIGMA) - USER_SIGMA**2 / 2))
        return float(rng.random() < level)

    return [call._replace(value=fails(call)) for call in costs_of_users(calls, 0.0, rng)]


class Coverage(NamedTuple):
    case: str
    calls: int
    share: float | None
    """Of the intervals that hold the truth; None where there are too few calls for any."""
    intervals: int


Sample = Callable[[int, random.Random], list[Call]]
Answer = Callable[[Arm, Arm], Interval | None]
DEARER = 3.0
"""B's calls cost so many times A's, where arms differ: intervals of skewed values are then hardest."""
SAMPLE_SHARE = 0.1


def coverages(calls: int, runs: int, rng: random.Random) -> list[Coverage]:
    """Returns how often the intervals hold the truth."""
    found = []
    for name, sample, by_user in (("error rate, 2%", errors, False), ("error rate, 2%, users", errors_of_users, True)):
        made = of_rate(sample)
        found += [
            coverage(f"{name}, one arm", made, rate_of_one, ERROR_RATE, calls, runs, rng, by_user),
            coverage(f"{name}, difference", made, rate_difference, 0, calls, runs, rng, by_user),
        ]
    for sigma in SIGMAS:
        found += cost_coverages(sigma, calls, runs, rng)
    return [*found, unequal_spreads(calls, runs, rng)]


def of_rate(sample: Callable[[int, float, random.Random], list[Call]]) -> Sample:
    return lambda calls, rng: sample(calls, ERROR_RATE, rng)


def cost_coverages(sigma: float, calls: int, runs: int, rng: random.Random) -> list[Coverage]:
    found = []
    for sample, by_user, name in (
        (costs, False, f"cost, sigma {sigma}"),
        (costs_of_users, True, f"cost, sigma {sigma}, users"),
    ):
        made, mean = of_sigma(sample, sigma), mean_cost(sigma, by_user)
        found += [
            coverage(f"{name}, one arm", made, mean_of_one, mean, calls, runs, rng, by_user),
            coverage(f"{name}, difference", made, mean_difference, 0, calls, runs, rng, by_user),
            coverage(f"{name}, ratio", made, mean_ratio, 1, calls, runs, rng, by_user),
            coverage(f"{name}, 3 times, difference", made, dearer_difference, 2 * mean, calls, runs, rng, by_user),
            coverage(f"{name}, 3 times, ratio", made, dearer_ratio, DEARER, calls, runs, rng, by_user),
            *(percentile_coverages(name, made, q, calls, runs, rng, by_user) for q in (0.5, 0.95)),
        ]
    return [*found, sample_coverage(sigma, calls, runs, rng)]


def of_sigma(sample: Callable[[int, float, random.Random], list[Call]], sigma: float) -> Sample:
    return lambda calls, rng: sample(calls, sigma, rng)


def mean_cost(sigma: float, by_user: bool) -> float:
    return math.exp(sigma**2 / 2 + (USER_SIGMA**2 / 2 if by_user else 0))


def rate_of_one(a: Arm, b: Arm) -> Interval | None:
    return interval_of_rate(a) if b.has_variance else None


def rate_difference(a: Arm, b: Arm) -> Interval | None:
    return compare_rates(a, b).difference


def mean_of_one(a: Arm, b: Arm) -> Interval | None:
    """Returns nothing where there is nothing to compare it with: then the page shows none."""
    return interval_of_mean(a) if b.has_variance else None


def mean_difference(a: Arm, b: Arm) -> Interval | None:
    return compare_means(a, b).difference


def mean_ratio(a: Arm, b: Arm) -> Interval | None:
    return compare_means(a, b).ratio


def dearer(arm: Arm, factor: float = DEARER) -> Arm:
    """Returns the arm with all values multiplied."""
    users = arm.users and arm.users._replace(residuals_squared=arm.users.residuals_squared * factor**2)
    return Arm(arm.calls, arm.total * factor, arm.squares * factor**2, users)


def dearer_difference(a: Arm, b: Arm) -> Interval | None:
    return compare_means(a, dearer(b)).difference


def dearer_ratio(a: Arm, b: Arm) -> Interval | None:
    return compare_means(a, dearer(b)).ratio


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


def unequal_spreads(calls: int, runs: int, rng: random.Random) -> Coverage:
    """Both arms cost the same on average, but the calls of one differ more."""
    factor = math.exp((SIGMAS[0] ** 2 - SIGMAS[1] ** 2) / 2)

    def answer() -> Interval | None:
        a, b = (arm(costs(calls, sigma, rng)) for sigma in SIGMAS)
        return compare_means(a, dearer(b, factor)).difference

    return share_that_holds("cost, sigma 0.5 and 1.5, difference", calls, 0, (answer() for _ in range(runs)))


def percentile_coverages(
    name: str, sample: Sample, q: float, calls: int, runs: int, rng: random.Random, by_user: bool
) -> Coverage:
    def answer() -> Interval | None:
        arms = [[call._replace(value=1000 * call.value) for call in sample(calls, rng)] for _ in range(2)]
        one, other = (histogram([call.value for call in made]) for made in arms)
        if not by_user:
            return compare_percentiles(one, other, q).ratio
        alike = [alike_calls(made, q) for made in arms]
        if not all(each.has_variance for each in alike):
            return None
        first, second = (each.median_effect if q == 0.5 else each.design_effect for each in alike)
        return compare_percentiles(one, other, q, design_effects=(first, second), reach=fixed(*alike)).ratio

    what = "median" if q == 0.5 else f"p{q:.0%}".removesuffix("%")
    return share_that_holds(f"{name}, {what}", calls, 1, (answer() for _ in range(runs)))


def alike_calls(calls: Sequence[Call], q: float) -> Arm:
    """Says how alike the calls of a user are: for a median by their logarithms, as few slow calls do not move it."""
    return arm([call._replace(value=math.log(call.value)) for call in calls] if q == 0.5 else calls, by_user=True)


def sample_coverage(sigma: float, calls: int, runs: int, rng: random.Random) -> Coverage:
    """The totals are those of all calls, how they differ is that of a tenth of the calls."""

    def part(made: Sequence[Call]) -> Arm:
        whole = arm(made, by_user=True)
        sample = arm([call for call in made if rng.random() < SAMPLE_SHARE], by_user=True)
        return of_larger(sample, whole.calls, whole.total, whole.users.n_squared if whole.users else None)

    def answer() -> Interval | None:
        a, b = (part(costs_of_users(calls, sigma, rng)) for _ in range(2))
        return compare_means(a, b).difference

    case = f"cost, sigma {sigma}, users, from a sample"
    return share_that_holds(case, calls, 0, (answer() for _ in range(runs)))


def share_that_holds(case: str, calls: int, truth: float, answers: Iterable[Interval | None]) -> Coverage:
    holds = [interval.low <= truth <= interval.high for interval in answers if interval]
    return Coverage(case, calls, sum(holds) / len(holds) if holds else None, len(holds))


class Experiments(NamedTuple):
    """What the calls of both arms of an experiment are like."""

    name: str
    sample: Sample
    compare: Callable[[Arm, Arm, Width], Comparison] = compare_means
    by_user: bool = False


EXPERIMENTS = (
    Experiments("cost, sigma 0.5", of_sigma(costs, SIGMAS[0])),
    Experiments("cost, sigma 1.5", of_sigma(costs, SIGMAS[1])),
    Experiments("cost, sigma 0.5, users", of_sigma(costs_of_users, SIGMAS[0]), by_user=True),
    Experiments("cost, sigma 1.5, users", of_sigma(costs_of_users, SIGMAS[1]), by_user=True),
    Experiments("error rate, 2%", of_rate(errors), compare_rates),
    Experiments("error rate, 2%, users", of_rate(errors_of_users), compare_rates, by_user=True),
)


def false_verdicts(width: Width, kind: Experiments, experiments: int, rng: random.Random) -> float:
    """Returns the share of experiments with equal arms that are called different at one of their 100 looks."""
    return sum(is_called_different(width, kind, rng) for _ in range(experiments)) / experiments


def is_called_different(width: Width, kind: Experiments, rng: random.Random) -> bool:
    arrived = [kind.sample(LOOKS * CALLS_BETWEEN_LOOKS, rng) for _ in range(2)]
    if kind.by_user:
        for calls in arrived:
            rng.shuffle(calls)  # users come at any time
    growing = [Growing() for _ in arrived]
    for look in range(LOOKS):
        for arm, calls in zip(growing, arrived, strict=True):
            arm.add(calls[look * CALLS_BETWEEN_LOOKS : (look + 1) * CALLS_BETWEEN_LOOKS])
        a, b = (arm.arm(kind.by_user) for arm in growing)
        if kind.compare(a, b, width).verdict in ("higher", "lower"):
            return True
    return False


@dataclass
class Growing:
    """An arm to which calls are added, as an experiment's sums by user."""

    calls: int = 0
    total: float = 0.0
    squares: float = 0.0
    users: dict[int, tuple[int, float]] = field(default_factory=dict)

    def add(self, calls: Sequence[Call]) -> None:
        for user, value in calls:
            n, y = self.users.get(user, (0, 0.0))
            self.users[user] = n + 1, y + value
            self.calls, self.total, self.squares = self.calls + 1, self.total + value, self.squares + value * value

    def arm(self, by_user: bool) -> Arm:
        return Arm(self.calls, self.total, self.squares, users_of([*self.users.values()]) if by_user else None)
