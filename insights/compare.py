"""Answers `/api/v1/insights/compare`: slices of the calls side by side, each figure with its 95 % interval.

`arms.py` sums up each slice, `methods/comparison.py` compares the sums. docs/insights.md explains the figures.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, NamedTuple

from pydantic import Field
from typing_extensions import TypedDict

from analytics import query, query_parameters
from analytics.splits import in_sentence
from insights import arms, compare_words
from insights.arms import MOST_ROWS, SliceSums, Variance
from insights.compare_parameters import NAMES, Parameters, Slice
from methods.comparison import (
    Arm,
    Bucket,
    Comparison,
    Interval,
    Verdict,
    Width,
    compare_means,
    compare_percentiles,
    compare_rates,
    fixed,
    interval_of_mean,
    interval_of_rate,
    percentile,
    student_t,
    too_few,
)
from traces.filters import Filters

PERCENT = 100
MEDIAN = 0.5
SCORE_NAMES = 5
RATES = ("error_rate",)
PERCENTILES = {
    "p50_latency_ms": ("latencies", MEDIAN, "median"),
    "p95_latency_ms": ("latencies", 0.95, "tail"),
    "p99_latency_ms": ("latencies", 0.99, "tail"),
    "p50_first_token_ms": ("first_tokens", MEDIAN, "median"),
    "p95_first_token_ms": ("first_tokens", 0.95, "tail"),
}
"""Each with its histogram, its share of the calls, and the latencies that say how alike a user's calls are."""


class IntervalAnswer(TypedDict):
    estimate: float
    low: float
    high: float


class SliceAnswer(TypedDict):
    slice: str
    """a, b, c or d."""
    dimension: str | None
    """Null: it is a window."""
    value: str | None
    start: datetime
    end: datetime
    calls: int
    unpriced_calls: int
    """Not in the cost per call."""
    users: int | None
    """Who called. Null where no user is known, or their number is not."""
    variance: Annotated[
        Variance,
        Field(
            description="by_user: the calls of a user are not independent, and all rows were read. by_user_sample: "
            f"from a sample of the calls, as the window has more than {MOST_ROWS:,}. by_call: no user is known."
        ),
    ]
    sampled_calls: int
    """From whose rows the variance comes."""


class SliceValue(TypedDict):
    slice: str
    calls: int
    """That have this measure: a price, a latency, a score."""
    value: IntervalAnswer | None
    """With its 95 % interval. Null without calls, or where they are too few for an interval."""
    estimate: float | None
    """The value also where there is no interval."""


class Against(TypedDict):
    slice: str
    difference: IntervalAnswer | None
    """Less slice a; of a rate in points."""
    ratio: IntervalAnswer | None
    """Divided by slice a. Null for rates, and where one is not above 0."""
    verdict: Annotated[Verdict, Field(description="Of this slice against slice a.")]
    calls_missing: int | None
    """About so many more calls of each slice would tell a difference of this size. Null with a verdict, where there is
    no difference at all, and with too_few_calls where only users are too few: five of each slice are needed."""
    words: str


class MeasureAnswer(TypedDict):
    measure: str
    """A name as of `/api/v1/query`, or tokens per call; a score is named score.<name>."""
    slices: list[SliceValue]
    against_first: list[Against]


class CompareAnswer(TypedDict):
    by: str | None
    words: str
    """The largest difference, in a sentence."""
    slices: list[SliceAnswer]
    measures: list[MeasureAnswer]


class Compared(NamedTuple):
    """A measure of all slices: each with its interval, and its comparison with the first."""

    calls: list[int]
    values: list[Interval | None]
    estimates: list[float | None]
    comparisons: list[Comparison]


# --- Slices ---


def largest_slices(by: str, filters: Filters) -> tuple[Slice, ...]:
    """Returns the two values of the dimension with the most calls."""
    parameters = query_parameters.Parameters(("calls",), (by,), order="-calls")
    found = query.figures(parameters, replace(filters, limit=len(NAMES))).groups
    values = [value for (value,) in found if value]
    return tuple(Slice(name, by, value) for name, value in zip(NAMES, values[:2], strict=False))


def name_of(one: Slice) -> str:
    return f"slice {one.name}" if one.value is None else one.value


# --- Measures ---


def of_means(arms: Sequence[Arm], width: Width = fixed) -> Compared:
    return compared_arms(arms, width, interval_of_mean, compare_means)


def of_rates(arms: Sequence[Arm], factor: float = 1, width: Width = fixed) -> Compared:
    """Compares rates, which are shares of 1, or percent with a factor of 100."""
    found = compared_arms(arms, width, interval_of_rate, compare_rates)
    return Compared(
        found.calls,
        [scaled(value, factor) for value in found.values],
        [None if value is None else value * factor for value in found.estimates],
        [scaled_comparison(each, factor) for each in found.comparisons],
    )


def compared_arms(
    arms: Sequence[Arm],
    width: Width,
    interval: Callable[[Arm, float | None], Interval | None],
    compare: Callable[[Arm, Arm, Width], Comparison],
) -> Compared:
    reaches = [None if width is fixed or not arm.calls else width(arm, arm) for arm in arms]
    return Compared(
        [arm.calls for arm in arms],
        [interval(arm, reach) if arm.calls else None for arm, reach in zip(arms, reaches, strict=True)],
        [arm.mean if arm.calls else None for arm in arms],
        [compare(arms[0], arm, width) for arm in arms[1:]],
    )


def scaled(interval: Interval | None, factor: float) -> Interval | None:
    return None if interval is None else Interval(*(value * factor for value in interval))


def scaled_comparison(found: Comparison, factor: float) -> Comparison:
    a, b = (None if value is None else value * factor for value in (found.a, found.b))
    return found._replace(a=a, b=b, difference=scaled(found.difference, factor))


def of_percentiles(found: Sequence[list[Bucket]], q: float, alike: Sequence[Arm]) -> Compared:
    pairs = list(zip(found, alike, strict=True))
    return Compared(
        [sum(bucket.calls for bucket in buckets) for buckets in found],
        [percentile_of_one(buckets, q, arm) for buckets, arm in pairs],
        [point(buckets, q) for buckets in found],
        [compared_percentile(pairs[0], pair, q) for pair in pairs[1:]],
    )


def percentile_of_one(buckets: Sequence[Bucket], q: float, alike: Arm) -> Interval | None:
    if alike.users is None:
        return percentile(buckets, q)
    if not alike.has_variance:
        return None
    return percentile(buckets, q, student_t(alike.degrees_of_freedom), effect_of(alike, q))


def effect_of(alike: Arm, q: float) -> float:
    return alike.median_effect if q == MEDIAN else alike.design_effect


def compared_percentile(first: tuple[list[Bucket], Arm], other: tuple[list[Bucket], Arm], q: float) -> Comparison:
    (one, arm_a), (two, arm_b) = first, other
    if arm_a.users is None and arm_b.users is None:
        return compare_percentiles(one, two, q)
    if not (arm_a.has_variance and arm_b.has_variance):
        return too_few(arm_a, arm_b)._replace(a=point(one, q), b=point(two, q))
    effects = effect_of(arm_a, q), effect_of(arm_b, q)
    return compare_percentiles(one, two, q, design_effects=effects, reach=fixed(arm_a, arm_b))


def point(buckets: Sequence[Bucket], q: float) -> float | None:
    """Returns the percentile alone: an interval that reaches nowhere."""
    found = percentile(buckets, q, 0.0)
    return found.estimate if found else None


def compared_measures(found: Sequence[SliceSums]) -> dict[str, Compared]:
    measures = {
        name: of_rates(values, PERCENT) if name in RATES else of_means(values)
        for name in arms.VALUES
        if (values := [one.arms[name] for one in found])
    }
    for name, (histogram, q, effect) in PERCENTILES.items():
        buckets = [getattr(one, histogram) for one in found]
        if any(buckets):
            measures[name] = of_percentiles(buckets, q, [one.alike[effect] for one in found])
    return {name: measures[name] for name in compare_words.NAMES if name in measures} | compared_scores(found)


def compared_scores(found: Sequence[SliceSums]) -> dict[str, Compared]:
    """Compares the scores that the first slice and another have; those with the most scores first."""
    nothing = Arm(0, 0.0, 0.0)
    names = [name for name in found[0].scores if any(name in one.scores for one in found[1:])][:SCORE_NAMES]
    return {
        f"{compare_words.SCORE}{name}": (of_rates if are_booleans else of_means)(
            [one.scores[name].arm if name in one.scores else nothing for one in found]
        )
        for name in names
        for are_booleans in [all(one.scores[name].are_booleans for one in found if name in one.scores)]
    }


# --- The answer ---


def compare(parameters: Parameters, filters: Filters) -> CompareAnswer:
    slices = parameters.slices or largest_slices(parameters.by or "", filters)
    narrowed = [one.filters(filters) for one in slices]
    found = [arms.slice_sums(each) for each in narrowed]
    measures = compared_measures(found) if len(slices) > 1 else {}
    answers = [measure_answer(name, compared, slices) for name, compared in measures.items()]
    return {
        "by": parameters.by,
        "words": lead(parameters, slices, measures),
        "slices": [slice_answer(*each) for each in zip(slices, narrowed, found, strict=True)],
        "measures": answers,
    }


def lead(parameters: Parameters, slices: Sequence[Slice], measures: dict[str, Compared]) -> str:
    """Returns the first measure that tells the slices apart: the measures are in the order in which people ask."""
    if len(slices) < 2:
        what = in_sentence(parameters.by or "")
        few = "Only one value" if slices else "No value"
        return f"{few} of {what} has calls in this window: there is nothing to compare."
    sentences = [
        (name, place, found) for name, each in measures.items() for place, found in enumerate(each.comparisons)
    ]
    clear = [one for one in sentences if one[2].verdict in ("higher", "lower")]
    name, place, found = (clear or sentences)[0]
    return compare_words.sentence(name, found, name_of(slices[place + 1]), name_of(slices[0]))


def slice_answer(one: Slice, filters: Filters, found: SliceSums) -> SliceAnswer:
    return {
        "slice": one.name,
        "dimension": one.dimension,
        "value": one.value,
        "start": filters.start,
        "end": filters.end,
        "calls": found.calls,
        "unpriced_calls": found.unpriced_calls,
        "users": found.users,
        "variance": found.variance,
        "sampled_calls": found.sampled_calls,
    }


def measure_answer(name: str, compared: Compared, slices: Sequence[Slice]) -> MeasureAnswer:
    columns = zip(slices, compared.calls, compared.values, compared.estimates, strict=True)
    return {
        "measure": name,
        "slices": [
            {"slice": one.name, "calls": calls, "value": interval_answer(value), "estimate": estimate}
            for one, calls, value, estimate in columns
        ],
        "against_first": [
            against(name, one, slices[0], found) for one, found in zip(slices[1:], compared.comparisons, strict=True)
        ],
    }


def against(measure: str, one: Slice, first: Slice, found: Comparison) -> Against:
    return {
        "slice": one.name,
        "difference": interval_answer(found.difference),
        "ratio": interval_answer(found.ratio),
        "verdict": found.verdict,
        "calls_missing": found.calls_missing,
        "words": compare_words.sentence(measure, found, name_of(one), name_of(first)),
    }


def interval_answer(interval: Interval | None) -> IntervalAnswer | None:
    return None if interval is None else {"estimate": interval.estimate, "low": interval.low, "high": interval.high}
