"""Formats a comparison of slices: names, values, and the bars of their intervals."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django import template

from analytics.splits import in_sentence
from analytics.templatetags.links import COMPARED, LISTED, QUERY, iso, traces_link
from analytics.templatetags.times import local
from insights.compare_parameters import slice_text
from insights.compare_words import (
    SCORE,
    change_of_ratio,
    difference_words,
    in_measure,
    measure_name,
    missing_words,
    span_words,
)
from methods.comparison import Interval
from traces.filters import Filters
from web.number_text import Number, exact, ms_exact, percent_exact, usd_exact

register = template.Library()

EXACT = {"cost_per_call_usd": usd_exact, "error_rate": percent_exact}
MARGIN = 3.0
"""Percent of the width on each side, so that the ends of intervals are seen."""


@register.filter
def compared_measure(measure: str) -> str:
    return measure_name(measure)


@register.filter
def of_measure(value: Number, measure: str) -> str:
    return in_measure(value, measure)


@register.filter
def exact_of_measure(value: Number, measure: str) -> str:
    return EXACT.get(measure, ms_exact if measure.endswith("_ms") and not measure.startswith(SCORE) else exact)(value)


@register.filter
def slice_name(one: Mapping[str, Any], filters: Filters) -> str:
    """Names a slice: its value, or its window."""
    if one["value"] is not None:
        return f"{in_sentence(one['dimension'])} {one['value']}"
    return window_of(one, filters)


@register.filter
def window_of(one: Mapping[str, Any], filters: Filters) -> str:
    start, end = (local(datetime.fromisoformat(one[name]), filters.zone) for name in ("start", "end"))
    return f"{start} to {end}"


@register.simple_tag(takes_context=True)
def slice_traces(context: template.Context, one: Mapping[str, Any], filters: Filters | None) -> str:
    """Returns the address of the traces of a slice. Without the filters of a page the slice has its own."""
    changes: dict[str, Any] = dict.fromkeys((*QUERY, *COMPARED, *LISTED))
    start, end = (datetime.fromisoformat(one[name]) for name in ("start", "end"))
    if filters is None or (start, end) != (filters.start, filters.end):
        changes |= {"range": None, "start": iso(start), "end": iso(end)}
    if one["dimension"]:
        changes |= {one["dimension"]: one["value"], f"not_{one['dimension']}": None}
    link = traces_link(context, **changes)
    return f"{link}&{urlencode(one['filters'], doseq=True)}" if one.get("filters") else link


@register.simple_tag
def experiment_query(data: Mapping[str, Any]) -> str:
    """Returns the slices as parameters of the form of a new experiment; windows are no arms of one."""
    slices = [(one["slice"], slice_text(one["dimension"], one["value"])) for one in data["slices"] if one["dimension"]]
    return f"&{urlencode(slices)}" if len(slices) > 1 else ""


@register.filter
def interval_words(value: Mapping[str, float], measure: str) -> str:
    return f"{in_measure(value['low'], measure)} to {in_measure(value['high'], measure)}"


@register.filter
def against_words(found: Mapping[str, Any], measure: str) -> str:
    """Formats a comparison with the first slice, for a cell."""
    if found["verdict"] == "too_few_calls":
        return missing_words(found["calls_missing"])
    difference, ratio = (Interval(**found[name]) if found[name] else None for name in ("difference", "ratio"))
    span = span_words(measure, difference, ratio)
    if found["verdict"] == "no_difference_seen":
        return f"no difference seen: {span}"
    estimate = change_of_ratio(ratio.estimate) if ratio else difference_words(difference.estimate, measure)  # type: ignore[union-attr]
    return f"{estimate}, {span}"


class Bar(NamedTuple):
    """An interval on the scale of its measure. All are percent of the width."""

    x: float
    width: float
    dot: float


@register.simple_tag
def interval_bars(slices: Sequence[Mapping[str, Any]]) -> list[Bar | None]:
    """Returns the intervals of a measure on one scale; None where a slice has none."""
    values = [one["value"] for one in slices]
    known = [value for value in values if value]
    if not known:
        return [None] * len(values)
    low, high = float(min(value["low"] for value in known)), float(max(value["high"] for value in known))
    length = (high - low) or 1.0

    def place(number: float) -> float:
        return MARGIN + (100 - 2 * MARGIN) * (number - low) / length

    return [
        value and Bar(place(value["low"]), place(value["high"]) - place(value["low"]), place(value["estimate"]))
        for value in values
    ]


@register.simple_tag
def cells(slices: Sequence[Any], bars: Sequence[Bar | None]) -> list[tuple[Any, Bar | None]]:
    return list(zip(slices, bars, strict=True))
