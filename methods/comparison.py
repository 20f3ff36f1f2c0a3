"""Compares two groups of calls, A and B: averages, rates and percentiles, each with a 95 % interval.

Everything comes from counts, sums, sums of squares and histograms, never from rows. An interval is either *fixed*, for
one look at a closed window, or *always valid*, for an experiment at which people look again and again.
docs/methods.md has the sources of the formulas and how often the intervals hold the truth.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import NormalDist
from typing import Literal, NamedTuple

CONFIDENCE = 0.95
ALPHA = 1 - CONFIDENCE
Z = NormalDist().inv_cdf(1 - ALPHA / 2)
FEWEST_CALLS = 100
"""Of each arm, before an experiment has a verdict."""
TIGHTEST_CALLS = 1000
"""The always-valid interval is tightest after about so many calls of an arm."""
MOST_CALLS = 10**9

Verdict = Literal["too_few_calls", "no_difference_seen", "higher", "lower"]
"""Of B against A. no_difference_seen: the interval holds equality; a small difference may be there."""


class Users(NamedTuple):
    """Sums over the users of an arm, where n is a user's number of calls and y the sum of its values."""

    count: int
    y_squared: float
    n_y: float
    n_squared: float


@dataclass(frozen=True)
class Arm:
    """The values of one group's calls: costs, tokens or scores; for a rate 1 for an error and 0 for a success."""

    calls: int
    total: float
    squares: float
    """Sum of the squared values; for a rate the same as `total`."""
    users: Users | None = None
    """None: users are not known, and calls count as independent."""

    @property
    def mean(self) -> float:
        return self.total / self.calls

    @property
    def variance_of_mean(self) -> float:
        """By user where there are at least two, since the calls of a user are alike."""
        if self.users and self.users.count > 1:
            users, mean = self.users, self.mean
            squares = users.y_squared - 2 * mean * users.n_y + mean * mean * users.n_squared
            return max(squares, 0.0) * users.count / (users.count - 1) / self.calls**2
        return self.independent_variance

    @property
    def independent_variance(self) -> float:
        if self.calls < 2:
            return 0.0
        return max(self.squares - self.total**2 / self.calls, 0.0) / (self.calls - 1) / self.calls

    @property
    def design_effect(self) -> float:
        """By how much the calls of a user are alike: 1 for independent calls, 4 if four say as much as one."""
        independent = self.independent_variance
        return max(self.variance_of_mean / independent, 1.0) if independent else 1.0

    @property
    def effective_calls(self) -> float:
        """The number of independent calls that would say as much."""
        return self.calls / self.design_effect

    @property
    def degrees_of_freedom(self) -> float:
        """What the variance is known from: users or calls. Users count by their calls; a few large ones are few."""
        if self.users and self.users.count > 1 and self.users.n_squared:
            return max(min(self.users.count, 2 * self.calls**2 / self.users.n_squared) - 1, 1.0)
        return max(self.calls - 1.0, 1.0)


class Interval(NamedTuple):
    estimate: float
    low: float
    high: float


class Comparison(NamedTuple):
    a: float | None
    b: float | None
    """Averages, rates or percentiles of both arms; null without calls."""
    difference: Interval | None
    """B minus A. Null with fewer than two calls in an arm."""
    ratio: Interval | None
    """B divided by A. Null where A or B is not above 0, and for rates."""
    verdict: Verdict
    calls_missing: int | None
    """With too_few_calls and no_difference_seen: about so many more calls of each arm are needed to tell a difference
    of this size; null where there is no difference at all."""


Width = Callable[[Arm, Arm], float]
"""By how many standard errors an interval reaches to each side."""


def fixed(a: Arm, b: Arm) -> float:
    """For one look: Student's t with the degrees of freedom of Welch and Satterthwaite."""
    variances = [(arm.variance_of_mean, arm.degrees_of_freedom) for arm in (a, b)]
    bottom = sum(variance**2 / freedom for variance, freedom in variances)
    freedom = sum(variance for variance, _ in variances) ** 2 / bottom if bottom else math.inf
    return student_t(freedom)


def always_valid(a: Arm, b: Arm) -> float:
    """For any number of looks: the confidence sequence of Robbins' normal mixture, in its asymptotic form."""
    return always_valid_width(min(a.effective_calls, b.effective_calls))


def always_valid_width(calls: float) -> float:
    rho_squared = (-2 * math.log(ALPHA) + math.log(1 - 2 * math.log(ALPHA))) / TIGHTEST_CALLS
    t = calls * rho_squared
    return math.sqrt(2 * (t + 1) / t * math.log(math.sqrt(t + 1) / ALPHA))


def student_t(freedom: float) -> float:
    """Returns the two-sided quantile of Student's t, by the expansion of Abramowitz and Stegun, 26.7.5."""
    if freedom < 3:
        return {1: 12.706, 2: 4.303}[max(int(freedom), 1)]
    terms = (
        (Z**3 + Z) / 4,
        (5 * Z**5 + 16 * Z**3 + 3 * Z) / 96,
        (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / 384,
        (79 * Z**9 + 776 * Z**7 + 1482 * Z**5 - 1920 * Z**3 - 945 * Z) / 92160,
    )
    return Z + sum(term / freedom ** (i + 1) for i, term in enumerate(terms))


def compare_means(a: Arm, b: Arm, width: Width = fixed) -> Comparison:
    """Compares cost, tokens or a numeric score of a call. The ratio is computed on the logarithm by the delta method."""
    if min(a.calls, b.calls) < 2:
        return too_few(a, b)
    reach = width(a, b)
    change, error = b.mean - a.mean, math.sqrt(a.variance_of_mean + b.variance_of_mean)
    difference = Interval(change, change - reach * error, change + reach * error)
    return with_verdict(a, b, difference, ratio_of_means(a, b, reach), width)


def ratio_of_means(a: Arm, b: Arm, reach: float) -> Interval | None:
    if a.mean <= 0 or b.mean <= 0:
        return None
    estimate = b.mean / a.mean
    error = math.sqrt(a.variance_of_mean / a.mean**2 + b.variance_of_mean / b.mean**2)
    factor = math.exp(min(reach * error, 700.0))
    return Interval(estimate, estimate / factor, estimate * factor)


def compare_rates(a: Arm, b: Arm, width: Width = fixed) -> Comparison:
    """Compares error rates, or scores that are yes or no: Newcombe's interval from the two of Wilson."""
    if min(a.calls, b.calls) < 2:
        return too_few(a, b)
    reach = width(a, b)
    rate_a, rate_b = (wilson(arm.mean, arm.effective_calls, reach) for arm in (a, b))
    change = b.mean - a.mean
    below = math.hypot(b.mean - rate_b.low, rate_a.high - a.mean)
    above = math.hypot(rate_b.high - b.mean, a.mean - rate_a.low)
    return with_verdict(a, b, Interval(change, change - below, change + above), None, width)


def wilson(rate: float, calls: float, reach: float = Z) -> Interval:
    """Returns the interval of a rate; its limits are within 0 and 1 even if there was no error at all."""
    weight = reach**2 / calls
    center = (rate + weight / 2) / (1 + weight)
    half = reach / (1 + weight) * math.sqrt(rate * (1 - rate) / calls + weight / (4 * calls))
    return Interval(rate, min(max(center - half, 0.0), rate), max(min(center + half, 1.0), rate))


def too_few(a: Arm, b: Arm) -> Comparison:
    values = [arm.mean if arm.calls else None for arm in (a, b)]
    return Comparison(*values, None, None, "too_few_calls", FEWEST_CALLS - min(a.calls, b.calls))


def with_verdict(a: Arm, b: Arm, difference: Interval, ratio: Interval | None, width: Width) -> Comparison:
    fewest = min(a.calls, b.calls)
    if fewest < FEWEST_CALLS:
        return Comparison(a.mean, b.mean, difference, ratio, "too_few_calls", FEWEST_CALLS - fewest)
    verdict = verdict_of(ratio or difference, 1.0 if ratio else 0.0)
    missing = calls_missing(a, b, width) if verdict == "no_difference_seen" else None
    return Comparison(a.mean, b.mean, difference, ratio, verdict, missing)


def verdict_of(interval: Interval, equality: float) -> Verdict:
    if interval.low > equality:
        return "higher"
    return "lower" if interval.high < equality else "no_difference_seen"


def calls_missing(a: Arm, b: Arm, width: Width) -> int | None:
    """Returns how many more calls of each arm would show a difference as large as the present one."""
    change, now = abs(b.mean - a.mean), min(a.calls, b.calls)
    error = math.sqrt(a.variance_of_mean + b.variance_of_mean)
    share = min(a.effective_calls, b.effective_calls) / now

    def tells(calls: int) -> bool:
        reach = Z if width is fixed else always_valid_width(calls * share)
        return reach * error * math.sqrt(now / calls) < change

    if not tells(MOST_CALLS):
        return None
    too_few_calls, enough = now, MOST_CALLS
    while enough - too_few_calls > max(enough // 100, 1):
        middle = (too_few_calls + enough) // 2
        too_few_calls, enough = (too_few_calls, middle) if tells(middle) else (middle, enough)
    return max(enough - now, 1)


class Bucket(NamedTuple):
    """Calls whose value is above `low` and at most `high`, such as a latency in ms."""

    low: float
    high: float
    calls: int


def percentile(buckets: Sequence[Bucket], q: float, reach: float = Z, design_effect: float = 1.0) -> Interval | None:
    """Returns a percentile with its interval: the values at the ranks `nq +- z * sqrt(nq(1 - q))`.

    `buckets` are ordered. Null where there are so few calls that a rank lies outside of them.
    """
    ends = list(accumulate(bucket.calls for bucket in buckets))
    calls = ends[-1] if ends else 0
    rank, distance = calls * q, reach * math.sqrt(calls * q * (1 - q) * design_effect)
    if rank - distance <= 0 or rank + distance >= calls:
        return None
    low, estimate, high = (value_at(buckets, ends, r) for r in (rank - distance, rank, rank + distance + 1))
    return Interval(estimate, min(low, estimate), max(high, estimate))


def value_at(buckets: Sequence[Bucket], ends: Sequence[int], rank: float) -> float:
    """Returns the value of a rank, as if the values of a bucket were evenly spread over it."""
    rank = min(rank, ends[-1])
    index = next(i for i, end in enumerate(ends) if end >= rank and buckets[i].calls)
    bucket = buckets[index]
    share = (rank - (ends[index] - bucket.calls)) / bucket.calls
    return bucket.low + (bucket.high - bucket.low) * min(max(share, 0.0), 1.0)


def compare_percentiles(
    a: Sequence[Bucket],
    b: Sequence[Bucket],
    q: float,
    is_experiment: bool = False,
    design_effect: float = 1.0,
) -> Comparison:
    """Compares a percentile: the ratio from both intervals by MOVER on logarithms; the difference the same way.

    `design_effect` is that of the arms' latency where users are known, the larger of both (`Arm.design_effect`).
    """
    fewest = min(sum(bucket.calls for bucket in arm) for arm in (a, b))
    effective = max(fewest / design_effect, 1.0)
    reach = always_valid_width(effective) if is_experiment else Z
    one, other = (percentile(arm, q, reach, design_effect) for arm in (a, b))
    if one is None or other is None:
        return Comparison(
            None, None, None, None, "too_few_calls", missing_for_percentile(fewest, q, reach, design_effect)
        )
    ratio = ratio_by_mover(one, other) if one.low > 0 and other.low > 0 else None
    difference = difference_by_mover(one, other)
    if fewest < FEWEST_CALLS:
        return Comparison(one.estimate, other.estimate, difference, ratio, "too_few_calls", FEWEST_CALLS - fewest)
    verdict = verdict_of(ratio or difference, 1.0 if ratio else 0.0)
    return Comparison(one.estimate, other.estimate, difference, ratio, verdict, None)


def missing_for_percentile(calls: int, q: float, reach: float, design_effect: float) -> int:
    """Returns the calls without which a rank of the interval lies beyond all values, or the fewest of a verdict."""
    tail = max((1 - q) / q, q / (1 - q))
    return max(math.ceil(reach**2 * design_effect * tail) + 1, FEWEST_CALLS) - calls


def difference_by_mover(a: Interval, b: Interval) -> Interval:
    change = b.estimate - a.estimate
    below = math.hypot(b.estimate - b.low, a.high - a.estimate)
    above = math.hypot(b.high - b.estimate, a.estimate - a.low)
    return Interval(change, change - below, change + above)


def ratio_by_mover(a: Interval, b: Interval) -> Interval:
    logs = (Interval(*(math.log(value) for value in interval)) for interval in (a, b))
    return Interval(*(math.exp(value) for value in difference_by_mover(*logs)))
