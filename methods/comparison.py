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
SAMPLE_SKEW = 15.0
"""The same for how much calls differ, where it is known from a few calls only."""
LARGEST_EXPONENT = 100.0
"""Of an interval that reaches anywhere: its square is still a number."""
SKEW = 60.0
"""Widens the interval of one average upwards, by how uncertain it is: a few dear calls may be missing from it."""
FEWEST_USERS = 5
"""Of each arm, where users are known, before there is an interval."""
BISECTIONS = 30

Verdict = Literal["too_few_calls", "no_difference_seen", "higher", "lower"]
"""Of B against A. no_difference_seen: the interval holds equality; a small difference may be there."""


class Users(NamedTuple):
    """Sums over the users of an arm; `users_of` makes them."""

    users: int
    residuals_squared: float
    """Of `(y - mean * n) / (1 - n / calls)`: n is a user's number of calls, y the sum of its values."""
    n_squared: float


def users_of(users: Sequence[tuple[int, float]]) -> Users:
    """Sums up each user's number of calls and sum of values. A user with most of the calls counts for more (CR3)."""
    calls, total = sum(n for n, _ in users), sum(y for _, y in users)
    mean = total / calls if calls else 0.0
    residuals = [(y - mean * n) / (1 - n / calls) for n, y in users] if len(users) > 1 else []
    return Users(len(users), sum(residual**2 for residual in residuals), sum(n * n for n, _ in users))


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
    def has_variance(self) -> bool:
        """One call, or a few users, say nothing about how others differ."""
        return self.calls > 1 and (self.users is None or self.users.users >= FEWEST_USERS)

    @property
    def variance_of_mean(self) -> float:
        """By user where there are at least two, since the calls of a user are alike."""
        if self.users and self.users.users > 1:
            users = self.users.users
            return self.users.residuals_squared * (users - 1) / users / self.calls**2
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
    def median_effect(self) -> float:
        """The design effect of the median, for an arm of logarithms: whether calls lie on the same side of it.

        With a correlation r of normal values, that of their sides is asin(r) * 2 / pi (Sheppard).
        """
        more = self.users.n_squared / self.calls - 1 if self.users and self.calls else 0.0
        alike = min((self.design_effect - 1) / more, 1.0) if more > 0 else 0.0
        return 1 + more * math.asin(alike) * 2 / math.pi

    @property
    def degrees_of_freedom(self) -> float:
        """The number of calls, or of users if all had equally many calls, less one."""
        if self.users:
            return max(self.calls**2 / self.users.n_squared - 1, 1.0)
        return max(self.calls - 1.0, 1.0)


def of_larger(sample: Arm, calls: int, total: float, n_squared: float | None) -> Arm:
    """Returns the arm of all calls, of which the sample is a part.

    How much calls differ, and how alike those of a user are, is that of the sample; how many calls a user has is not:
    `n_squared` is the sum over all users, of the square of their number of calls. None: users call as in the sample,
    only longer, which is the most that there can be.
    """
    skewed = 1 + SAMPLE_SKEW * sample.independent_variance / sample.mean**2 if sample.calls and sample.mean > 0 else 1.0
    per_call = sample.independent_variance * sample.calls * skewed
    squares = per_call * max(calls - 1, 0) + (total**2 / calls if calls else 0.0)
    if sample.users is None or not sample.calls:
        return Arm(calls, total, squares, sample.users)
    in_sample = sample.users.n_squared / sample.calls - 1
    among_all = in_sample * calls / sample.calls if n_squared is None else max(n_squared / calls - 1, 0.0)
    effect = 1 + (sample.design_effect - 1) * (among_all / in_sample if in_sample > 0 else 0.0)
    users = sample.users.users
    spread = per_call * effect * calls * users / max(users - 1, 1)
    return Arm(calls, total, squares, Users(users, spread, calls * (1 + among_all)))


class Interval(NamedTuple):
    estimate: float
    low: float
    high: float


class Comparison(NamedTuple):
    a: float | None
    b: float | None
    """Averages, rates or percentiles of both arms; null without calls."""
    difference: Interval | None
    """B minus A. Null with fewer than two calls, or five known users, in an arm."""
    ratio: Interval | None
    """B divided by A. Null where A or B is not above 0, and for rates."""
    verdict: Verdict
    calls_missing: int | None
    """With too_few_calls and no_difference_seen: about so many more calls of each arm are needed to tell a difference
    of this size; null where there is no difference at all, and where users are too few and not calls."""


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


def always_valid_of(comparisons: int) -> Width:
    """Returns the same for several comparisons at once, of which hardly any may be wrong (Bonferroni)."""

    def width(a: Arm, b: Arm) -> float:
        return always_valid_width(min(a.effective_calls, b.effective_calls), ALPHA / comparisons)

    return width


def always_valid_width(calls: float, alpha: float = ALPHA) -> float:
    rho_squared = (-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / TIGHTEST_CALLS
    t = calls * rho_squared
    return math.sqrt(2 * (t + 1) / t * math.log(math.sqrt(t + 1) / alpha))


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


def interval_of_mean(arm: Arm, reach: float | None = None) -> Interval | None:
    """Returns the average of one arm with its interval: Student's, on the logarithm where the average is above 0.

    A skewed value, like a cost, has its average too low more often than too high, so it reaches further upwards.
    """
    if not arm.has_variance:
        return None
    mean, variance = arm.mean, arm.variance_of_mean
    reach = student_t(arm.degrees_of_freedom) if reach is None else reach
    if mean <= 0:
        return Interval(mean, mean - reach * math.sqrt(variance), mean + reach * math.sqrt(variance))
    relative = variance / mean**2
    below, above = reach * math.sqrt(relative), reach * math.sqrt(relative + SKEW * relative**2)
    return Interval(mean, mean * math.exp(-min(below, LARGEST_EXPONENT)), mean * math.exp(min(above, LARGEST_EXPONENT)))


def interval_of_rate(arm: Arm, reach: float | None = None) -> Interval | None:
    """Returns the rate of one arm with the interval of Agresti and Coull: Wilson's misses too often with few errors."""
    if not arm.has_variance:
        return None
    rate, calls = arm.mean, arm.effective_calls
    if reach is None:
        reach = rate_reach(arm, arm)
    middle = (rate + reach**2 / (2 * calls)) / (1 + reach**2 / calls)
    distance = reach * math.sqrt(middle * (1 - middle) / (calls + reach**2))
    return Interval(rate, max(min(middle - distance, rate), 0.0), min(max(middle + distance, rate), 1.0))


def compare_means(a: Arm, b: Arm, width: Width = fixed) -> Comparison:
    """Compares cost, tokens or a numeric score of a call: both intervals joined by MOVER, with Welch's freedom."""
    reach = width(a, b) if a.has_variance and b.has_variance else None
    one, other = (interval_of_mean(arm, reach) for arm in (a, b))
    if one is None or other is None:
        return too_few(a, b)
    return with_verdict(a, b, difference_by_mover(one, other), ratio_of_means(one, other), width)


def ratio_of_means(a: Interval, b: Interval) -> Interval | None:
    """Returns B / A with the interval of Donner and Zou: it holds 1 exactly when that of the difference holds 0.

    It has every ratio r for which the interval of B - r * A holds 0.
    """
    if a.estimate <= 0 or b.estimate <= 0:
        return None
    product = a.estimate * b.estimate
    rests = [
        (bound_a * (2 * a.estimate - bound_a), bound_b * (2 * b.estimate - bound_b))
        for bound_a, bound_b in ((a.high, b.low), (a.low, b.high))
    ]
    roots = [math.sqrt(max(product**2 - rest_a * rest_b, 0.0)) for rest_a, rest_b in rests]
    # As the smaller root is written, a rest of A of 0 divides nothing by it.
    return Interval(b.estimate / a.estimate, rests[0][1] / (product + roots[0]), (product + roots[1]) / rests[1][0])


def compare_rates(a: Arm, b: Arm, width: Width = fixed) -> Comparison:
    """Compares error rates, or scores that are yes or no: the score interval of Miettinen and Nurminen."""
    if not (a.has_variance and b.has_variance):
        return too_few(a, b)
    reach, change = rate_reach(a, b) if width is fixed else width(a, b), b.mean - a.mean
    low = boundary(lambda difference: rate_score(a, b, difference) <= reach, -1.0, change)
    high = boundary(lambda difference: rate_score(a, b, difference) >= -reach, 1.0, change)
    return with_verdict(a, b, Interval(change, low, high), None, width)


def rate_reach(a: Arm, b: Arm) -> float:
    """Returns by how many standard errors a fixed interval reaches. That of a rate is known, but for how alike a user's
    calls are: Student's t only where they are."""
    return fixed(a, b) if a.design_effect > 1 or b.design_effect > 1 else Z


def boundary(is_possible: Callable[[float], bool], outside: float, inside: float) -> float:
    """Returns the possible value nearest to `outside`."""
    if is_possible(outside):
        return outside
    for _ in range(BISECTIONS):
        middle = (outside + inside) / 2
        outside, inside = (outside, middle) if is_possible(middle) else (middle, inside)
    return inside


def rate_score(a: Arm, b: Arm, difference: float) -> float:
    """Returns by how many standard errors the rates differ more than by `difference`, if that were the truth."""
    calls_a, calls_b = a.effective_calls, b.effective_calls
    rate_a = likeliest_rate(a.mean, calls_a, b.mean, calls_b, difference)
    rate_b = rate_a + difference
    variance = rate_a * (1 - rate_a) / calls_a + rate_b * (1 - rate_b) / calls_b
    calls, surplus = calls_a + calls_b, b.mean - a.mean - difference
    if variance <= 1e-15:
        return math.copysign(math.inf, surplus) if surplus else 0.0
    return surplus / math.sqrt(variance * calls / (calls - 1))


def likeliest_rate(mean_a: float, calls_a: float, mean_b: float, calls_b: float, difference: float) -> float:
    """Returns A's likeliest rate if B's is higher by `difference`: where the likelihood stops rising."""
    low, high = max(0.0, -difference), min(1.0, 1.0 - difference)
    for _ in range(BISECTIONS):
        rate = (low + high) / 2
        slope = likelihood_slope(mean_a, calls_a, rate) + likelihood_slope(mean_b, calls_b, rate + difference)
        low, high = (rate, high) if slope > 0 else (low, rate)
    return (low + high) / 2


def likelihood_slope(mean: float, calls: float, rate: float) -> float:
    tiny = 1e-12
    return calls * (mean / max(rate, tiny) - (1 - mean) / max(1 - rate, tiny))


def too_few(a: Arm, b: Arm) -> Comparison:
    one, other = (arm.mean if arm.calls else None for arm in (a, b))
    missing = FEWEST_CALLS - min(a.calls, b.calls)
    return Comparison(one, other, None, None, "too_few_calls", missing if missing > 0 else None)


def with_verdict(a: Arm, b: Arm, difference: Interval, ratio: Interval | None, width: Width) -> Comparison:
    fewest = min(a.calls, b.calls)
    if fewest < FEWEST_CALLS:
        return Comparison(a.mean, b.mean, difference, ratio, "too_few_calls", FEWEST_CALLS - fewest)
    verdict = verdict_of(difference)
    missing = calls_missing(a, b, width) if verdict == "no_difference_seen" else None
    return Comparison(a.mean, b.mean, difference, ratio, verdict, missing)


def verdict_of(difference: Interval) -> Verdict:
    if difference.low > 0:
        return "higher"
    return "lower" if difference.high < 0 else "no_difference_seen"


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
    low, estimate, high = (value_at(buckets, ends, r) for r in (rank - distance, rank, rank + distance))
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
    design_effects: tuple[float, float] = (1.0, 1.0),
    reach: float = Z,
) -> Comparison:
    """Compares a percentile: the ratio from both intervals by MOVER on logarithms; the difference the same way.

    Where users are known, `design_effects` are those of the arms' latency, and `reach` is theirs too (`fixed`).
    """
    fewest = min(sum(bucket.calls for bucket in arm) for arm in (a, b))
    design_effect = max(design_effects)
    if is_experiment:
        reach = always_valid_width(max(fewest / design_effect, 1.0))
    one, other = (percentile(arm, q, reach, effect) for arm, effect in zip((a, b), design_effects, strict=True))
    if one is None or other is None:
        return Comparison(
            None, None, None, None, "too_few_calls", missing_for_percentile(fewest, q, reach, design_effect)
        )
    ratio = ratio_by_mover(one, other) if one.low > 0 and other.low > 0 else None
    difference = difference_by_mover(one, other)
    if fewest < FEWEST_CALLS:
        return Comparison(one.estimate, other.estimate, difference, ratio, "too_few_calls", FEWEST_CALLS - fewest)
    verdict = verdict_of(difference)
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
