"""Looks at all rules each minute, and stores an event for each state that changes, once.

A round reads what the windows say, then locks the rules of a workspace and moves their states. A rule that another
round has moved up to the same minute, or that somebody has changed meanwhile, is left alone. An event and the state
that it tells of are stored in one transaction; messages are made afterwards, from the events that wait for one.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from django.db import DatabaseError, connection, transaction
from django.db.models import Q

from alerts import readings
from alerts.comparisons import (
    CRITICAL,
    OK,
    RANKS,
    WARNING,
    Limits,
    Place,
    Reading,
    limit_of,
    measured,
    step,
    verdict,
)
from alerts.metrics import metric_of
from alerts.models import AlertEvent, Rule, RuleState
from alerts.readings import NO_ANSWER, Found, whole_minute
from web.problems import transient_cause
from web.queue import for_each

ARRIVALS = timedelta(seconds=30)
"""A window ends so long before now: calls arrive after they end."""
STATE_FIELDS = (
    *("state", "since", "episode", "breached_at", "pending", "pending_count"),
    *("value", "reference", "calls", "at", "history"),
)
HISTORY = 60
"""Evaluations."""


def evaluate(now: datetime) -> None:
    """Looks at all rules, workspace by workspace: a fault of one does not stop the others."""
    end = whole_minute(now - ARRIVALS)
    rules = due_rules(end).select_related("workspace").order_by("workspace_id", "pk")
    groups = [list(group) for _, group in groupby(rules, lambda rule: rule.workspace_id)]
    for_each(groups, lambda group: evaluate_rules(group, end))


def due_rules(end: datetime) -> Any:
    return Rule.objects.filter(Q(evaluated_at=None) | Q(evaluated_at__lt=end), is_active=True)


def evaluate_rules(rules: Sequence[Rule], end: datetime) -> None:
    """Moves the rules of one workspace up to `end`."""
    try:
        found = readings.read(rules, end)
    except DatabaseError as error:
        if transient_cause(error) is None:
            raise
        Rule.objects.filter(pk__in=[rule.pk for rule in rules]).update(fault=NO_ANSWER)
        return
    store(rules, found, end)


@transaction.atomic
def store(rules: Sequence[Rule], found: Mapping[Any, Found], end: datetime) -> None:
    read = {rule.pk: rule for rule in rules}
    locked = (
        due_rules(end).filter(pk__in=read).order_by("pk").select_for_update(of=("self",)).prefetch_related("channels")
    )
    unchanged = [rule for rule in locked if rule.updated_at == read[rule.pk].updated_at]
    states = states_of(unchanged)
    moves = [move for rule in unchanged for move in moves_of(rule, found[rule.pk], states.get(rule.pk, {}), end)]
    save_states(move.after for move in moves if move.is_kept)
    save_events([move for move in moves if move.is_event], end)
    save_rules(unchanged, found, end)


def states_of(rules: Iterable[Rule]) -> dict[Any, dict[str, RuleState]]:
    found: dict[Any, dict[str, RuleState]] = {}
    for state in RuleState.objects.filter(rule__in=[rule.pk for rule in rules]):
        found.setdefault(state.rule_id, {})[state.group] = state
    return found


class Move(NamedTuple):
    """What a round does to the state of a rule, or of one of its groups."""

    rule: Rule
    before: str
    after: RuleState
    began: datetime
    """When the state before the move left ok, or the moment itself."""
    is_kept: bool
    """False: it is ok as always, and needs no row."""

    @property
    def is_event(self) -> bool:
        return self.after.state != self.before


def limits_of(rule: Rule) -> Limits:
    return Limits(
        rule.comparison,
        rule.warning,
        rule.critical,
        rule.minimum_calls,
        rule.for_evaluations,
        rule.no_data,
        metric_of(rule.metric).is_sum,
    )


def moves_of(rule: Rule, found: Found, states: Mapping[str, RuleState], end: datetime) -> list[Move]:
    """Returns the moves of a rule. A group that has a state and no calls any more is looked at too."""
    if found.fault or not found.is_due:
        return []
    limits = limits_of(rule)
    absent = Reading(0.0 if limits.is_sum else None, 0)
    groups = {**dict.fromkeys(states, absent), **found.groups}
    return [move_of(rule, limits, group, reading, states.get(group), end) for group, reading in groups.items()]


def move_of(rule: Rule, limits: Limits, group: str, reading: Reading, stored: RuleState | None, end: datetime) -> Move:
    state = stored or RuleState(rule=rule, group=group, since=end)
    before, began = state.state, state.breached_at or end
    place = step(limits, Place(state.state, state.pending, state.pending_count), judged(limits, group, reading))
    state.pending, state.pending_count = place.pending, place.pending_count
    state.value, state.reference, state.calls, state.at = reading.value, reading.reference, reading.calls, end
    if not rule.per:
        state.history = [*state.history, measured(limits, reading)][-HISTORY:]
    if reading.actual is not None:
        state.value = reading.actual if place.state == OK else reading.value
    if place.state != before:
        enter(state, place.state, end)
    is_kept = stored is not None or place.state != OK or bool(place.pending) or not rule.per
    return Move(rule, before, state, began, is_kept)


def judged(limits: Limits, group: str, reading: Reading) -> str | None:
    """Returns the verdict. A group without calls is over: no data is a state of the whole rule only."""
    return OK if group and not reading.calls else verdict(limits, reading)


def enter(state: RuleState, new: str, end: datetime) -> None:
    """Moves a state. Leaving ok, or becoming calmer without being ok, begins an episode."""
    is_new_episode = state.state == OK or (new != OK and RANKS[new] < RANKS[state.state])
    if is_new_episode:
        state.episode = int(end.timestamp()) // 60
    state.breached_at = None if new == OK else end if state.state == OK else state.breached_at
    state.state, state.since = new, end


def save_states(states: Iterable[RuleState]) -> None:
    RuleState.objects.bulk_create(
        states, update_conflicts=True, unique_fields=["rule", "group"], update_fields=STATE_FIELDS, batch_size=2000
    )


def save_events(moves: Sequence[Move], end: datetime) -> None:
    """Stores the events, and ends those before them. Another process may have stored the same meanwhile."""
    AlertEvent.objects.bulk_create((event_of(move, end) for move in moves), ignore_conflicts=True, batch_size=2000)
    over: dict[Any, list[str]] = {}
    for move in moves:
        if move.after.state == OK:
            over.setdefault(move.rule.pk, []).append(move.after.group)
    for rule_id, groups in over.items():
        breaches = AlertEvent.objects.filter(rule=rule_id, group__in=groups, ended_at=None, at__lte=end)
        breaches.update(ended_at=end)


def event_of(move: Move, end: datetime) -> AlertEvent:
    rule, state = move.rule, move.after
    told = move.before if state.state == OK else state.state
    return AlertEvent(
        workspace_id=rule.workspace_id,
        rule=rule,
        name=rule.name,
        episode=state.episode,
        threshold=state.state,
        group=state.group,
        state=state.state,
        before=move.before,
        value=state.value,
        limit=limit_of(limits_of(rule), told),
        at=end,
        since=move.began if state.state == OK else state.breached_at or end,
        details=details_of(rule, state),
        ended_at=end if state.state == OK else None,
        is_waiting=is_news(move) and bool(rule.channels.all()),
    )


def is_news(move: Move) -> bool:
    """Returns whether people want to be told: not of what is only less critical than before."""
    return not (move.before == CRITICAL and move.after.state == WARNING)


def details_of(rule: Rule, state: RuleState) -> dict[str, Any]:
    """Returns what was known then, and what the rule said: it may change later."""
    reading = Reading(state.value, state.calls, state.reference, state.calls)
    return {
        "calls": state.calls,
        "reference": state.reference,
        "measured": measured(limits_of(rule)._replace(minimum_calls=0), reading),
        "metric": rule.metric,
        "comparison": rule.comparison,
        "window_minutes": rule.window_minutes,
        "filters": rule.filters,
        "per": rule.per,
        "minimum_calls": rule.minimum_calls,
    }


SAVE_RULES = """
UPDATE alerts_rule
SET evaluated_at = %(end)s, groups = looked.groups, fault = looked.fault
FROM unnest(%(ids)s::uuid[], %(groups)s::integer[], %(faults)s::text[]) AS looked (id, groups, fault)
WHERE alerts_rule.id = looked.id
"""


def save_rules(rules: Sequence[Rule], found: Mapping[Any, Found], end: datetime) -> None:
    params: dict[str, Any] = {
        "end": end,
        "ids": [rule.pk for rule in rules],
        "groups": [found[rule.pk].number for rule in rules],
        "faults": [found[rule.pk].fault for rule in rules],
    }
    with connection.cursor() as cursor:
        cursor.execute(SAVE_RULES, params)
