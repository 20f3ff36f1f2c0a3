"""Judges a value against the limits of a rule, and moves the rule from state to state. Pure functions."""

from collections.abc import Mapping
from typing import NamedTuple

OK, WARNING, CRITICAL, NO_DATA = "ok", "warning", "critical", "no_data"
STATES = (OK, WARNING, CRITICAL, NO_DATA)
MUTED, INFO = "muted", "info"
RANKS: Mapping[str, int] = {OK: 0, INFO: 1, NO_DATA: 2, WARNING: 3, CRITICAL: 4}
"""From the calmest to the worst."""

ABOVE, BELOW, UNUSUAL = "above", "below", "unusual"
ABOVE_PREVIOUS, BELOW_PREVIOUS = "above_previous_percent", "below_previous_percent"
ABOVE_LAST_WEEK, BELOW_LAST_WEEK = "above_last_week_percent", "below_last_week_percent"
COMPARISONS = (ABOVE, BELOW, ABOVE_PREVIOUS, ABOVE_LAST_WEEK, BELOW_PREVIOUS, BELOW_LAST_WEEK, UNUSUAL)
OF_PREVIOUS, OF_LAST_WEEK = (ABOVE_PREVIOUS, BELOW_PREVIOUS), (ABOVE_LAST_WEEK, BELOW_LAST_WEEK)
DOWNWARDS = (BELOW, BELOW_PREVIOUS, BELOW_LAST_WEEK)


class Reading(NamedTuple):
    """What a window says."""

    value: float | None
    """None: nothing to measure, like the latency of no call."""
    calls: int
    reference: float | None = None
    """The value of the window that it is compared with."""
    reference_calls: int = 0
    actual: float | None = None
    """Of what is unusual: the value itself, where `value` is how much it is off."""


class Limits(NamedTuple):
    comparison: str
    warning: float | None
    critical: float | None
    minimum_calls: int = 0
    for_evaluations: int = 1
    no_data: str = "keep"
    is_sum: bool = False
    """The metric adds up, so that no call is the value 0 and no missing one."""


class Place(NamedTuple):
    """Where a rule or a group stands."""

    state: str = OK
    pending: str = ""
    pending_count: int = 0


def measured(limits: Limits, reading: Reading) -> float | None:
    """Returns the number that the limits are about: the value, or by how many percent it differs. None: no number."""
    value, reference = reading.value, reading.reference
    if limits.comparison in (ABOVE, BELOW, UNUSUAL):
        return value
    if value is None or not reference or reading.reference_calls < max(limits.minimum_calls, 1):
        return None
    change = (value - reference) * 100 / abs(reference)
    return -change if limits.comparison in DOWNWARDS else change


def verdict(limits: Limits, reading: Reading) -> str | None:
    """Returns the state that the window alone would have. None: it says nothing, and the state stays."""
    if not reading.calls and limits.no_data == "notify":
        return NO_DATA
    if not reading.calls and limits.no_data == "zero" and reading.value is None:
        reading = reading._replace(value=0.0)
    elif reading.calls < limits.minimum_calls and not (limits.is_sum and limits.comparison in DOWNWARDS):
        # A sum that is too small to count is calm; of too few calls a rate says nothing.
        return OK if limits.is_sum else None
    number = measured(limits, reading)
    if number is None:
        return None
    reached = (state for state in (CRITICAL, WARNING) if is_reached(limits, state, number))
    return next(reached, OK)


def is_reached(limits: Limits, state: str, number: float) -> bool:
    """Returns whether the number is at the limit or above; where the rule is about too little, whether it is below."""
    limit = limit_of(limits, state)
    if limit is None:
        return False
    return number < limit if limits.comparison == BELOW else number >= limit


def limit_of(limits: Limits, state: str) -> float | None:
    return {WARNING: limits.warning, CRITICAL: limits.critical}.get(state)


def lowest_limit(limits: Limits) -> float:
    """Returns the limit that is reached first."""
    known = [limit for limit in (limits.warning, limits.critical) if limit is not None]
    return max(known) if limits.comparison == BELOW else min(known)


def step(limits: Limits, place: Place, found: str | None) -> Place:
    """Returns where it stands after a verdict: a worse state needs `for_evaluations` in a row, a calmer one none."""
    if found is None:
        return place
    if RANKS[found] <= RANKS[place.state]:
        return Place(found)
    pending = found if not place.pending or RANKS[found] < RANKS[place.pending] else place.pending
    count = place.pending_count + 1
    return Place(pending) if count >= limits.for_evaluations else Place(place.state, pending, count)
