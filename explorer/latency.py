"""Splits the time of a trace by what it was spent on."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Literal

from traces.row import CALL_OPERATIONS, TOOL_OPERATION

Activity = Literal["generating", "waiting", "model", "tools", "own_code"]
LABELS: dict[Activity, str] = {
    "waiting": "waiting for the first token",
    "generating": "generating",
    "model": "model, first token unknown",
    "tools": "tools",
    "own_code": "own code",
}
PRIORITY: tuple[Activity, ...] = ("generating", "waiting", "model", "tools", "own_code")
"""Of several activities at one moment, the first of these has the moment: an agent waits for its model."""


def latency_split(spans: Iterable[Mapping[str, Any]]) -> dict[Activity, float]:
    """Returns the milliseconds of each activity. They add up to the time from the first start to the last end.

    Moments at which no span runs are own code too: nobody recorded anything else.
    """
    changes = sorted(change for span in spans for change in changes_of(span))
    split: dict[Activity, float] = dict.fromkeys(PRIORITY, 0.0)
    running = dict.fromkeys(PRIORITY, 0)
    for (at, activity, change), (until, _, _) in pairwise(changes):
        running[activity] += change
        if until > at:
            now: Activity = next((one for one in PRIORITY if running[one]), "own_code")
            split[now] += until - at
    return {activity: duration for activity, duration in split.items() if duration}


def changes_of(span: Mapping[str, Any]) -> Iterator[tuple[float, Activity, int]]:
    start: float = span["start_ms"]
    end = start + (span["latency_ms"] or 0)
    for activity, since, until in periods(span, start, end):
        yield since, activity, 1
        yield until, activity, -1


def periods(span: Mapping[str, Any], start: float, end: float) -> Iterator[tuple[Activity, float, float]]:
    if span["operation"] not in CALL_OPERATIONS:
        yield "tools" if span["operation"] == TOOL_OPERATION else "own_code", start, end
    elif span["first_token_ms"] is None:
        yield "model", start, end
    else:
        first_token = min(start + span["first_token_ms"], end)
        yield "waiting", start, first_token
        yield "generating", first_token, end
