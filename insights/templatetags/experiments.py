"""Formats experiments: how they end, and their figures as the table of a comparison shows them."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django import template

from analytics.templatetags.times import local_short
from web.number_text import count

register = template.Library()

ENDED = {
    "verdict": "It ended as there was a verdict.",
    "date": "It ended at its date.",
    "calls": "It ended as each slice had its calls.",
    "person": "Somebody ended it.",
}


@register.filter
def end_words(one: Mapping[str, Any], zone: ZoneInfo) -> str:
    """Says how an experiment ended, or when it will."""
    if one["ended_because"]:
        return ENDED[one["ended_because"]]
    end = one["end"]
    rules = [
        *(["with the first verdict"] if end["on_verdict"] else []),
        *([f"on {local_short(end['at'], zone)}"] if end["at"] else []),
        *([f"with {count(end['calls'])} calls of each slice"] if end["calls"] else []),
    ]
    return f"It ends {' or '.join(rules)}." if rules else "It ends when somebody ends it."


@register.simple_tag
def experiment_table(one: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the figures in the shape of the answer of a comparison."""
    shared = {"start": one["started_at"], "end": one["as_of"], "unpriced_calls": 0, "filters": one["filters"]}
    return {
        "slices": [{**arm, **shared} for arm in one["slices"]],
        "measures": one["results"],
    }
