import math
import random

import pytest

from benchmarks.methods import comparisons
from methods.comparison import (
    Arm,
    Bucket,
    always_valid,
    always_valid_of,
    compare_means,
    compare_percentiles,
    compare_rates,
    fixed,
    interval_of_mean,
    interval_of_rate,
    of_larger,
    percentile,
    student_t,
    users_of,
)


def arm(*values: float) -> Arm:
    return Arm(len(values), sum(values), sum(value * value for value in values))


def rate(errors: int, calls: int) -> Arm:
    return Arm(calls, errors, errors)


def test_twice_the_cost_is_a_ratio_of_two() -> None:
    found = compare_means(arm(*[1.0, 3.0] * 100), arm(*[2.0, 6.0] * 100))
    assert (found.a, found.b, found.verdict) == (2, 4, "higher")
    assert found.difference.estimate == 2
    assert found.ratio.estimate == 2
    assert 1.8 < found.ratio.low < 2 < found.ratio.high < 2.22


def test_the_interval_of_a_difference_is_that_of_welch() -> None:
    # Variances of the means 1/3 each with 2 degrees of freedom: 4 together, whose t is 2.776. Means that are far larger
    # leave nothing of the correction for skewed values.
    found = compare_means(arm(1001, 1002, 1003), arm(1002, 1003, 1004))
    assert found.difference.high - 1 == pytest.approx(2.776 * math.sqrt(2 / 3), rel=0.01)


@pytest.mark.parametrize(("freedom", "t"), [(1, 12.706), (2, 4.303), (5, 2.571), (10, 2.228), (30, 2.042), (1e9, 1.96)])
def test_students_t_is_that_of_the_tables(freedom: float, t: float) -> None:
    assert student_t(freedom) == pytest.approx(t, rel=0.003)


def test_swapping_the_arms_swaps_the_interval() -> None:
    a, b = arm(*[1.0, 3.0] * 60), arm(*[1.0, 4.0] * 60)
    one, other = compare_means(a, b), compare_means(b, a)
    assert (one.difference.low, one.difference.high) == pytest.approx((-other.difference.high, -other.difference.low))
    assert (one.ratio.low, one.ratio.high) == pytest.approx((1 / other.ratio.high, 1 / other.ratio.low))
    rates = [compare_rates(rate(5, 200), rate(9, 200)), compare_rates(rate(9, 200), rate(5, 200))]
    assert rates[0].difference.low == pytest.approx(-rates[1].difference.high, abs=1e-6)


def test_the_ratio_holds_one_exactly_when_the_difference_holds_zero() -> None:
    rng = random.Random(1)
    for _ in range(200):
        a, b = (comparisons.arm(comparisons.costs(300, 0.5, rng)) for _ in range(2))
        found = compare_means(a, b)
        assert (found.difference.low <= 0 <= found.difference.high) == (found.ratio.low <= 1 <= found.ratio.high)


def test_four_errors_in_fifty_against_none_differ_and_three_do_not() -> None:
    assert compare_rates(rate(0, 50), rate(4, 50)).difference.low > 0
    assert compare_rates(rate(0, 50), rate(3, 50)).difference.low < 0


def test_the_interval_of_rates_is_that_of_miettinen_and_nurminen() -> None:
    # Newcombe 1998, table II, method 6.
    found = compare_rates(rate(48, 80), rate(56, 70)).difference
    assert (found.low, found.high) == (pytest.approx(0.0528, abs=0.0005), pytest.approx(0.3382, abs=0.0005))
    # By symmetry A's likeliest rate is (1 - d) / 2, so the limit has (1 - d) / (1 + d) = 1.96^2 / 19 = 0.2022.
    found = compare_rates(rate(0, 10), rate(10, 10)).difference
    assert (found.low, found.high) == (pytest.approx(0.7978 / 1.2022, abs=0.001), 1)


def test_no_error_in_both_arms_leaves_an_interval_around_zero() -> None:
    found = compare_rates(rate(0, 300), rate(0, 300))
    assert found.difference.low < 0 < found.difference.high
    assert found.verdict == "no_difference_seen"


def test_below_a_hundred_calls_there_is_no_verdict() -> None:
    found = compare_means(arm(*[1.0, 1.1] * 20), arm(*[9.0, 9.1] * 200))
    assert (found.verdict, found.calls_missing) == ("too_few_calls", 60)


def test_an_arm_without_calls_has_no_average() -> None:
    found = compare_means(arm(), arm(1.0, 2.0))
    assert (found.a, found.b, found.difference, found.ratio) == (None, 1.5, None, None)
    assert (found.verdict, found.calls_missing) == ("too_few_calls", 100)


def test_free_calls_have_a_difference_but_no_ratio() -> None:
    found = compare_means(arm(*[0.0] * 200), arm(*[1.0, 1.1] * 100))
    assert found.ratio is None
    assert found.verdict == "higher"


def test_a_difference_that_is_not_seen_yet_says_how_many_calls_are_missing() -> None:
    found = compare_rates(rate(4, 200), rate(8, 200))
    assert found.verdict == "no_difference_seen"
    calls = round(1.05 * (200 + found.calls_missing))
    assert compare_rates(rate(calls // 50, calls), rate(calls // 25, calls)).verdict == "higher"
    assert compare_rates(rate(4, 200), rate(4, 200)).calls_missing is None


def test_the_calls_of_a_user_are_not_independent() -> None:
    # Ten users with ten equal calls each are ten values, not a hundred.
    users = [(10, 10.0 * level) for level in range(1, 11)]
    calls = [level for level in range(1, 11) for _ in range(10)]
    alone = arm(*calls)
    grouped = Arm(alone.calls, alone.total, alone.squares, users_of(users))
    assert grouped.variance_of_mean == pytest.approx(arm(*range(1, 11)).variance_of_mean * 10 / 9, rel=0.12)
    assert grouped.design_effect == pytest.approx(11)
    assert grouped.effective_calls == pytest.approx(100 / 11)


def test_fewer_than_five_users_have_no_interval() -> None:
    def of_users(count: int) -> Arm:
        values = [float(i % 3) for i in range(100 * count)]
        users = [(100, sum(values[100 * i : 100 * i + 100])) for i in range(count)]
        return Arm(len(values), sum(values), sum(value**2 for value in values), users_of(users))

    assert compare_means(of_users(4), of_users(9)).difference is None
    assert compare_means(of_users(5), of_users(9)).difference


def test_an_always_valid_interval_is_wider_than_a_fixed_one_and_has_the_formulas_width() -> None:
    a = arm(*[1.0, 3.0] * 500)
    assert always_valid(a, a) > fixed(a, a)
    # t = 1000 * rho^2 = -2 ln 0.05 + ln(1 - 2 ln 0.05) = 7.937
    assert always_valid(a, a) == pytest.approx(math.sqrt(2 * 8.937 / 7.937 * math.log(math.sqrt(8.937) / 0.05)), 1e-3)


@pytest.mark.parametrize("kind", comparisons.EXPERIMENTS, ids=lambda kind: kind.name)
def test_looking_again_and_again_rarely_finds_a_difference_of_equal_arms(kind: comparisons.Experiments) -> None:
    assert comparisons.false_verdicts(always_valid, kind, 2, random.Random(1)) == 0


def test_percentiles_of_a_histogram_are_at_their_rank() -> None:
    buckets = [Bucket(10.0 * i, 10.0 * (i + 1), 100) for i in range(10)]
    found = percentile(buckets, 0.5)
    assert found.estimate == 50
    # 1.96 * sqrt(1000 / 4) = 31 ranks are 3.1 ms.
    assert (found.low, found.high) == (pytest.approx(46.9, abs=0.01), pytest.approx(53.1, abs=0.01))


def test_twice_the_latency_is_a_ratio_of_two() -> None:
    one = [Bucket(10.0 * i, 10.0 * (i + 1), 100) for i in range(10)]
    other = [Bucket(2 * low, 2 * high, calls) for low, high, calls in one]
    found = compare_percentiles(one, other, 0.95)
    assert found.ratio.estimate == pytest.approx(2)
    assert found.verdict == "higher"
    assert compare_percentiles(one, one, 0.95).verdict == "no_difference_seen"


def test_a_percentile_of_few_calls_says_how_many_are_missing() -> None:
    found = compare_percentiles([Bucket(1.0, 2.0, 150)], [Bucket(1.0, 2.0, 150)], 0.99)
    assert found.verdict == "too_few_calls"
    enough = 150 + found.calls_missing
    assert compare_percentiles([Bucket(1.0, 2.0, enough)], [Bucket(1.0, 2.0, enough)], 0.99).ratio
    assert compare_percentiles([], [], 0.5).calls_missing == 100


HARD_CASES = [
    ("one arm", comparisons.mean_of_one, comparisons.mean_cost(1.5, by_user=False)),
    ("difference", comparisons.mean_difference, 0.0),
    ("ratio of 3", comparisons.dearer_ratio, 3.0),
    ("difference of 3 times", comparisons.dearer_difference, 2 * comparisons.mean_cost(1.5, by_user=False)),
]


@pytest.mark.parametrize(("case", "answer", "truth"), HARD_CASES, ids=[case for case, *_ in HARD_CASES])
def test_intervals_of_costs_that_differ_much_hold_the_truth(
    case: str, answer: comparisons.Answer, truth: float
) -> None:
    """As `python -m benchmarks.methods` measures at length: of 95 % intervals, more than 87 of 100."""
    sample = comparisons.of_sigma(comparisons.costs, 1.5)
    found = comparisons.coverage(case, sample, answer, truth, 300, 100, random.Random(1))
    assert found.share > 0.87


def test_arms_of_which_one_differs_more_have_an_interval_that_holds_the_truth() -> None:
    assert comparisons.unequal_spreads(300, 100, random.Random(1)).share > 0.87


def test_the_average_of_one_arm_has_an_interval_that_reaches_further_upwards() -> None:
    found = interval_of_mean(arm(*[1.0] * 90, *[50.0] * 10))
    assert found.estimate == pytest.approx(5.9)
    assert 0 < found.estimate - found.low < found.high - found.estimate
    assert interval_of_mean(arm(1.0)) is None
    symmetric = interval_of_mean(arm(*[-1.0, -3.0] * 50))
    assert symmetric.estimate - symmetric.low == pytest.approx(symmetric.high - symmetric.estimate)


def test_the_rate_of_one_arm_has_the_interval_of_agresti_and_coull() -> None:
    # 0 of 10: the middle is z^2 / 2 / (10 + z^2) = 0.1388 of 13.84 calls, so it reaches to 0.1388 + 1.96 * 0.0929.
    found = interval_of_rate(rate(0, 10))
    assert (found.low, found.high) == (pytest.approx(0, abs=1e-9), pytest.approx(0.3209, abs=0.0001))
    assert interval_of_rate(rate(10, 10)).high == 1


@pytest.mark.parametrize("calls", [50, 300, 2000])
def test_the_interval_of_a_rate_of_two_percent_holds_it_in_92_to_99_of_100_cases(calls: int) -> None:
    chances = [math.comb(calls, k) * 0.02**k * 0.98 ** (calls - k) for k in range(calls // 10)]
    held = [
        k
        for k in range(calls // 10)
        if interval_of_rate(rate(k, calls)).low <= 0.02 <= interval_of_rate(rate(k, calls)).high
    ]
    assert 0.92 <= sum(chances[k] for k in held) <= 0.99


def test_an_interval_that_reaches_anywhere_is_still_a_number() -> None:
    few = arm(*[0.0] * 49, 1e6)
    found = compare_means(few, few)
    assert math.isfinite(found.ratio.high)
    assert found.ratio.low < 1 < found.ratio.high


def test_a_sample_tells_how_calls_differ_and_sums_how_many_there_are() -> None:
    sample = arm(*[99.0, 101.0] * 50)
    whole = of_larger(sample, 1000, 100_000.0, None)
    assert (whole.calls, whole.mean) == (1000, 100)
    assert whole.variance_of_mean == pytest.approx(sample.variance_of_mean / 10, rel=0.001)
    # Of a few calls that differ much, dear ones may be missing.
    few = arm(*[0.0] * 95, *[100.0] * 5)
    assert of_larger(few, 1000, 5000.0, None).variance_of_mean > 1.5 * few.variance_of_mean / 10


def test_users_with_more_calls_than_in_the_sample_say_less() -> None:
    """Ten users of ten equal calls are ten values; with a hundred calls each they are still ten."""
    calls = [comparisons.Call(user, 1000.0 + user) for user in range(10) for _ in range(10)]
    sample = comparisons.arm(calls, by_user=True)
    whole = of_larger(sample, 1000, 10 * sample.total, 10 * 100.0**2)
    assert whole.variance_of_mean == pytest.approx(sample.variance_of_mean, rel=0.02)
    at_most = of_larger(sample, 1000, 10 * sample.total, None)
    assert at_most.variance_of_mean == pytest.approx(sample.variance_of_mean, rel=0.1)
    alone = of_larger(sample, 1000, 10 * sample.total, 1000.0)
    assert alone.design_effect == pytest.approx(1)


def test_the_sides_of_a_median_are_less_alike_than_the_values() -> None:
    calls = [comparisons.Call(user, user + place / 3) for user in range(10) for place in range(10)]
    found = comparisons.arm(calls, by_user=True)
    assert 1 < found.median_effect < found.design_effect
    assert arm(1.0, 2.0).median_effect == 1


def test_several_comparisons_at_once_have_wider_intervals() -> None:
    a = arm(*[1.0, 3.0] * 500)
    assert always_valid_of(1)(a, a) == always_valid(a, a)
    assert always_valid_of(3)(a, a) > always_valid(a, a)
