"""Makes the answers about rules and events."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db.models import Prefetch, Q
from django.utils import timezone
from typing_extensions import TypedDict

from alerts.comparisons import MUTED, OK, RANKS
from alerts.models import AlertEvent, Rule, RuleState
from alerts.rule_bodies import body_of
from alerts.words import sentence
from web.row_places import RowPlace
from workspaces.models import Workspace

EVENTS_AT_ONCE = 50
MOST_GROUPS = 100
State = Literal["ok", "warning", "critical", "no_data", "muted"]
EventState = Literal["ok", "info", "warning", "critical", "no_data", "muted"]


class GroupState(TypedDict):
    group: str
    state: State
    since: datetime
    value: float | None


class RuleItem(TypedDict):
    id: UUID
    name: str
    metric: str
    window: str
    comparison: str
    warning: float | None
    critical: float | None
    filters: dict[str, list[str]]
    per: str | None
    minimum_calls: int
    for_evaluations: int
    no_data: Literal["keep", "zero", "notify"]
    renotify: int | None
    quiet_hours: dict[str, str] | None
    muted_until: datetime | None
    channels: list[str]
    is_active: bool
    created_at: datetime
    created_by: str
    state: State
    """The worst state of its groups; muted while it sends no messages."""
    since: datetime | None
    """When it came into this state; null before the first evaluation."""
    value: float | None
    """What its window held at the last evaluation; null for a rule with groups."""
    evaluated_at: datetime | None
    """The end of the last window that was looked at."""
    fault: str
    """Why it could not be judged; empty if it could."""
    groups: int
    """How many values of `per` there are in the window; 10,000 of them are looked at."""
    breached: list[GroupState]
    """The groups that are not ok, the worst first, at most 100. Empty for a rule without `per`."""


class RuleList(TypedDict):
    data: list[RuleItem]


class EventItem(TypedDict):
    id: UUID
    rule_id: UUID | None
    """Null for an event of a budget, and where the rule was deleted."""
    budget_id: UUID | None
    name: str
    group: str | None
    state: EventState
    value: float | None
    limit: float | None
    at: datetime
    since: datetime
    """When it left ok; of a recovery, when that began which is over."""
    ended_at: datetime | None
    """When it was ok again; null while it lasts."""
    message: str
    notice_id: UUID | None
    """The message that told of it, which is the event_id of its deliveries; null if none did. PagerDuty and Opsgenie
    get a message for each rule, with an event_id of its own."""
    acknowledged_by: str | None
    acknowledged_at: datetime | None


class EventList(TypedDict):
    data: list[EventItem]
    """The newest first."""
    next_cursor: str | None


def rules_of(workspace: Workspace) -> list[Rule]:
    found = Rule.objects.filter(workspace=workspace).select_related("workspace")
    return list(found.prefetch_related("channels", states_shown()))


def states_shown() -> "Prefetch[Any]":
    """Reads with rules only those states that are shown: groups that are ok are many."""
    return Prefetch("states", RuleState.objects.filter(~Q(state=OK) | Q(group="")))


def rule_items(rules: Iterable[Rule]) -> list[RuleItem]:
    now = timezone.now()
    return [rule_item(rule, now) for rule in rules]


def rule_item(rule: Rule, now: datetime) -> RuleItem:
    states = sorted(rule.states.all(), key=lambda one: (-RANKS[one.state], one.since, one.group))
    worst = next(iter(states), None)
    body: Any = body_of(rule)
    state: Any = MUTED if rule.is_muted(now) else worst.state if worst else OK
    return {  # type: ignore[typeddict-item]
        "id": rule.pk,
        **body,
        "created_at": rule.created_at,
        "created_by": rule.created_by,
        "state": state,
        "since": worst.since if worst else None,
        "value": worst.value if worst and not rule.per else None,
        "evaluated_at": rule.evaluated_at,
        "fault": rule.fault,
        "groups": rule.groups,
        "breached": [group_state(one) for one in states if one.state != OK and rule.per][:MOST_GROUPS],
    }


def group_state(one: RuleState) -> GroupState:
    state: Any = one.state
    return {"group": one.group, "state": state, "since": one.since, "value": one.value}


def event_item(event: AlertEvent) -> EventItem:
    state: Any = event.state
    return {
        "id": event.pk,
        "rule_id": event.rule_id,
        "budget_id": event.budget_id,
        "name": event.name,
        "group": event.group or None,
        "state": state,
        "value": event.value,
        "limit": event.limit,
        "at": event.at,
        "since": event.since,
        "ended_at": event.ended_at,
        "message": sentence(event, event.workspace.zone),
        "notice_id": event.notice_id,
        "acknowledged_by": event.acknowledged_by or None,
        "acknowledged_at": event.acknowledged_at,
    }


def events_of(
    workspace: Workspace, after: RowPlace | None, **conditions: Any
) -> tuple[list[AlertEvent], RowPlace | None]:
    """Returns a page of events, the newest first, and the place after which the next one begins."""
    found = AlertEvent.objects.filter(workspace=workspace, **conditions).select_related("workspace", "rule", "budget")
    if after:
        found = found.filter(Q(at__lt=after.moment) | Q(at=after.moment, pk__lt=after.pk))
    events: Sequence[AlertEvent] = list(found[: EVENTS_AT_ONCE + 1])
    shown = list(events[:EVENTS_AT_ONCE])
    return shown, RowPlace(shown[-1].at, shown[-1].pk) if len(events) > EVENTS_AT_ONCE else None
