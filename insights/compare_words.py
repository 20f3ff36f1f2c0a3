"""Puts a comparison into words. A sentence calls no difference large, small or significant: it says the interval."""

from collections.abc import Callable

from methods.comparison import FEWEST_USERS, Comparison, Interval
from web.number_text import MINUS, Number, average, count, ms, percent, usd

NAMES = {
    "cost_per_call_usd": "Cost per call",
    "input_tokens_per_call": "Input tokens per call",
    "output_tokens_per_call": "Output tokens per call",
    "avg_latency_ms": "Average latency",
    "p50_latency_ms": "Latency, median",
    "p95_latency_ms": "Latency, p95",
    "p99_latency_ms": "Latency, p99",
    "p50_first_token_ms": "First token, median",
    "p95_first_token_ms": "First token, p95",
    "error_rate": "Error rate",
}
SCORE = "score."
FORMATS: dict[str, Callable[[Number], str]] = {"cost_per_call_usd": usd, "error_rate": percent}
MOST_MISSING = 1_000_000
"""Nobody waits for more calls than these."""
MANY_TIMES = 1000
"""From here on, an interval reaches anywhere."""
ALMOST = 0.0005
"""A ratio so near to 1 reads as 1."""


def measure_name(measure: str) -> str:
    return f"Score {measure.removeprefix(SCORE)}" if measure.startswith(SCORE) else NAMES[measure]


def in_measure(value: Number, measure: str) -> str:
    """Formats a value of the measure, like $0.012 or 840 ms."""
    return FORMATS.get(measure, ms if measure.endswith("_ms") else average)(value)


def difference_words(value: float, measure: str) -> str:
    """Formats a difference with its sign; of a rate in points, since percent of what would be unclear."""
    sign = "+" if value > 0 else MINUS if value < 0 else ""
    return f"{sign}{amount_words(abs(value), measure)}"


def amount_words(value: float, measure: str) -> str:
    return f"{average(value)} points" if measure == "error_rate" else in_measure(value, measure)


def change_of_ratio(value: float) -> str:
    """Formats a ratio as a change: 12 % lower, 3 times as high."""
    if abs(value - 1) < ALMOST:
        return "the same"
    if value >= MANY_TIMES:
        return f"over {count(MANY_TIMES)} times as high"
    if value >= 10:
        return f"{average(value)} times as high"
    return f"{percent(abs(value - 1) * 100)} {'higher' if value > 1 else 'lower'}"


def sentence(measure: str, found: Comparison, name: str, first: str) -> str:
    """Returns how slice `name` differs from slice `first`."""
    what = measure_name(measure)
    if found.a is None or found.b is None:
        return f"{what}: {first if found.a is None else name} has no value."
    if found.verdict == "too_few_calls":
        return f"{what}: {missing_words(found.calls_missing)} of each."
    span = span_words(measure, found.difference, found.ratio)
    if found.verdict == "no_difference_seen":
        missing = found.calls_missing
        more = f" About {count(missing)} more calls of each would tell." if missing and missing < MOST_MISSING else ""
        return f"{what}: no difference is seen; {name} is {span}.{more}"
    return f"{what} of {name} is {size_words(measure, found)} than that of {first}: {span}."


def size_words(measure: str, found: Comparison) -> str:
    """Returns how much higher or lower, like 12 % lower."""
    if found.ratio:
        text = change_of_ratio(found.ratio.estimate)
        return text if text.endswith(("higher", "lower")) else f"{average(found.ratio.estimate)} times higher"
    return f"{amount_words(abs((found.b or 0) - (found.a or 0)), measure)} {found.verdict}"


def span_words(measure: str, difference: Interval | None, ratio: Interval | None) -> str:
    """Returns the interval in which the difference lies."""
    if ratio:
        low, high = change_of_ratio(ratio.low), change_of_ratio(ratio.high)
    elif difference:
        low, high = (difference_words(value, measure) for value in (difference.low, difference.high))
    else:
        return "anywhere"
    return low if low == high else f"between {low} and {high}"


def missing_words(missing: int | None) -> str:
    if missing is None:
        return f"too few users yet, at least {FEWEST_USERS}"
    return f"too few calls yet, about {count(missing)} more"
