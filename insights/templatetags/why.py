"""Formats the answer that says why something changed: sentences, kinds of causes, and the bars of a waterfall."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django import template

from analytics.change import change
from analytics.splits import in_sentence
from analytics.templatetags.changes import change_words
from analytics.templatetags.times import local
from traces.filters import Filters
from web.number_text import Number, count, exact, ms, ms_exact, percent, percent_exact, usd, usd_exact

register = template.Library()

NAMES = {
    "cost_usd": "Spend",
    "calls": "Calls",
    "tokens": "Tokens",
    "avg_latency_ms": "Average latency",
    "error_rate": "Error rate",
    "cost_per_call_usd": "Cost per call",
}
FORMATS = {"cost_usd": usd, "cost_per_call_usd": usd, "avg_latency_ms": ms, "error_rate": percent}
EXACT_FORMATS = {
    "cost_usd": usd_exact,
    "cost_per_call_usd": usd_exact,
    "avg_latency_ms": ms_exact,
    "error_rate": percent_exact,
}
KINDS = {
    "new": ("new", "new"),
    "gone": ("no calls any more", "no calls any more"),
    "volume": ("more calls in all", "fewer calls in all"),
    "mix": ("a larger share of dear or slow calls", "a smaller share of dear or slow calls"),
    "tokens": ("more {} tokens per call", "fewer {} tokens per call"),
    "price": ("a higher price of {} tokens", "a lower price of {} tokens"),
    "within": ("higher within the group", "lower within the group"),
    "others": ("all others together", "all others together"),
}
"""In words, where the contribution is above 0 and where it is below."""
MIX_OF_COUNTS = ("a larger share of the calls", "a smaller share of the calls")
MOST_OF_IT = 0.5
"""A cause that explains this share of the change is named alone."""


@register.filter
def what_changed(measure: str) -> str:
    return NAMES[measure]


@register.filter
def in_measure(value: Number, measure: str) -> str:
    """Formats a value of the measure, like $12.40 or 840 ms."""
    return FORMATS.get(measure, count)(value)


@register.filter
def exact_in_measure(value: Number, measure: str) -> str:
    return EXACT_FORMATS.get(measure, exact)(value)


@register.filter
def signed(value: float, measure: str) -> str:
    """Formats a contribution, like +$2.90 or -840 ms; of a rate in points, since percent of what would be unclear."""
    text = in_measure(value, measure)
    return f"{'+' if value > 0 else ''}{text.replace(' %', ' points') if measure == 'error_rate' else text}"


@register.filter
def kind_words(line: dict[str, Any], measure: str = "") -> str:
    """Formats a kind of cause, like: more output tokens per call."""
    kind = line["kind"]
    pair = MIX_OF_COUNTS if kind == "mix" and measure == "calls" else KINDS[kind]
    words = pair[0 if line["contribution"] > 0 else 1]
    return words.format((line["token_class"] or "").replace("_", " "))


@register.simple_tag
def why_sentence(data: dict[str, Any]) -> str:
    """Returns what changed by how much, and the largest cause."""
    name, measure = NAMES[data["measure"]], data["measure"]
    if data["change"] is None:
        return f"{name} cannot be compared: one of the windows has no call."
    verb = "were" if measure in ("calls", "tokens") else "was"
    now, before = (in_measure(data[window], measure) for window in ("after", "before"))
    if not data["change"]:
        return f"{name} {verb} {now}, the same as before."
    words = change_words(change(data["after"], data["before"]))
    share = f", {words} than" if words and words != "the same" else ", after"
    return f"{name} {verb} {now}{share} {before} before. {largest_cause(data)}"


def largest_cause(data: dict[str, Any]) -> str:
    """Returns the contribution that explains most, with the share that it explains."""
    lines = [line for line in data["contributions"] if line["contribution"] * data["change"] > 0]
    if not lines:
        return "Many small changes make it up."
    most = max(lines, key=lambda line: abs(line["contribution"]))
    share = most["contribution"] / data["change"]
    amount = signed(most["contribution"], data["measure"])
    begin = "Most of it" if share >= MOST_OF_IT else "The largest part"
    return f"{begin}: {value_words(most)}, {kind_words(most, data['measure'])} ({amount})."


@register.filter
def value_words(line: dict[str, Any]) -> str:
    """Names a line, like agent support."""
    if line["kind"] == "others":
        return "others"
    dimension = in_sentence(line["dimension"])
    return f"calls without {dimension}" if line["value"] is None else f"{dimension} {line['value']}"


@register.filter
def window_words(window: dict[str, Any], filters: Filters) -> str:
    start, end = (local(window[name], filters.zone) for name in ("start", "end"))
    return f"{start} to {end}"


class Bar(NamedTuple):
    """A line of the waterfall. `x` and `width` are percent of the whole width."""

    line: dict[str, Any]
    x: float
    width: float
    colour: str


@register.simple_tag
def waterfall(data: dict[str, Any]) -> Sequence[Bar]:
    """Returns the steps from the value before to the value after, each bar beginning where the one before ended."""
    ends = [data["before"]]
    for line in data["steps"]:
        ends.append(ends[-1] + line["contribution"])
    low, width = min(ends), (max(ends) - min(ends)) or 1
    return [
        Bar(
            line,
            (min(start, end) - low) / width * 100,
            abs(end - start) / width * 100,
            "more" if end > start else "less",
        )
        for line, start, end in zip(data["steps"], ends, ends[1:], strict=False)
    ]
