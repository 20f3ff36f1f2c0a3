"""Makes, changes and deletes rules, and acknowledges events.

A change of limits arms again only what is above the present value: a rule that stays beyond its new limit has told so
already. What looks at other calls than before begins anew, in ok.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from alerts.comparisons import MUTED, OK, RANKS, Reading, verdict
from alerts.evaluation import details_of, limits_of
from alerts.models import AlertEvent, Rule, RuleState
from alerts.models.channel import AUTHOR_LENGTH
from alerts.notices import tell_deletion
from alerts.rule_bodies import NewRule, RuleChanges, body_of, changed_body, channels_of, check_muted, fill
from alerts.rule_items import states_shown
from analytics.templatetags.times import local_short
from web.problems import Problem
from workspaces.audit import record
from workspaces.models import Workspace

MAX_RULES = 500
"""Of a workspace."""
LOOKED_AT = ("metric", "window_minutes", "filters", "per", "comparison")
"""Whoever changes one of them asks about something else."""


def lock(workspace: Workspace) -> None:
    """Makes other changes of the workspace's rules wait until the transaction ends."""
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)


def find(workspace: Workspace, rule_id: UUID) -> Rule:
    """Returns the rule, or raises the same 404 Problem whether another workspace has it or none."""
    found = Rule.objects.filter(workspace=workspace, pk=rule_id).select_related("workspace")
    rule = found.prefetch_related("channels", states_shown()).first()
    if rule is None:
        raise Problem(404, "There is no such rule in this workspace.")
    return rule


@transaction.atomic
def create(workspace: Workspace, body: NewRule, author: str, now: datetime) -> tuple[Rule, bool]:
    """Returns the rule, and whether it is new: an id of the client's own that exists already changes nothing."""
    lock(workspace)
    if body.id and (existing := Rule.objects.filter(pk=body.id).first()):
        if existing.workspace_id == workspace.pk:
            return find(workspace, body.id), False
        raise Problem(409, "This id is taken. Choose another, or none.")
    if Rule.objects.filter(workspace=workspace).count() >= MAX_RULES:
        raise Problem(422, f"A workspace has at most {MAX_RULES} rules.", [])
    check_muted(body.muted_until, now)
    rule = Rule(workspace=workspace, created_by=author[:AUTHOR_LENGTH], **({"id": body.id} if body.id else {}))
    fill(rule, body)
    rule.save()
    rule.channels.set(channels_of(workspace.pk, body.channels))
    made = find(workspace, rule.pk)
    record(workspace, author, "rule.create", rule.name, after=body_of(made))
    return made, True


@transaction.atomic
def change(workspace: Workspace, rule_id: UUID, changes: RuleChanges, author: str, now: datetime) -> Rule:
    """Gives the rule those values that the client has sent."""
    lock(workspace)
    # A round that runs now has seen the older limits, and leaves a rule alone that was changed meanwhile.
    Rule.objects.select_for_update().filter(workspace=workspace, pk=rule_id).first()
    rule, before = find(workspace, rule_id), find(workspace, rule_id)
    old_body = body_of(before)
    sent = changes.model_dump(exclude_unset=True, by_alias=True)
    body = changed_body(rule, sent)
    check_muted(sent.get("muted_until"), now)
    fill(rule, body)
    rule.save()
    rule.channels.set(channels_of(workspace.pk, body.channels))
    rearm(rule, before, now)
    record_mute(rule, before, author, now)
    changed = find(workspace, rule_id)
    record(workspace, author, "rule.change", rule.name, old_body, body_of(changed))
    return changed


@transaction.atomic
def delete(workspace: Workspace, rule_id: UUID, author: str) -> None:
    """Deletes the rule. Its events stay, with its name. Channels that know of an open alert get one message more."""
    lock(workspace)
    rule = find(workspace, rule_id)
    now = timezone.now()
    tell_deletion(rule, now)
    AlertEvent.objects.filter(rule=rule, ended_at=None).update(ended_at=now)
    AlertEvent.objects.filter(rule=rule).update(is_waiting=False)
    record(workspace, author, "rule.delete", rule.name, before=body_of(rule))
    rule.delete()


def rearm(rule: Rule, before: Rule, now: datetime) -> None:
    if any(getattr(rule, name) != getattr(before, name) for name in LOOKED_AT) or not rule.is_active:
        begin_anew(rule, now)
    else:
        for state in rule.states.exclude(state=OK):
            calm(rule, state, now)


def begin_anew(rule: Rule, now: datetime) -> None:
    """Ends all that is open: it was about other calls, or nobody looks any more."""
    AlertEvent.objects.filter(rule=rule, ended_at=None).update(ended_at=now, is_waiting=False)
    for state in rule.states.exclude(state=OK):
        end_state(rule, state, now)
    rule.states.all().delete()
    Rule.objects.filter(pk=rule.pk).update(evaluated_at=None, fault="", groups=0)


def calm(rule: Rule, state: RuleState, now: datetime) -> None:
    """Ends a state that the present value would not have under the new limits."""
    reading = Reading(state.value, state.calls, state.reference, state.calls)
    found = verdict(limits_of(rule), reading)
    if found is not None and RANKS[found] < RANKS[state.state]:
        AlertEvent.objects.filter(rule=rule, group=state.group, ended_at=None).update(ended_at=now, is_waiting=False)
        end_state(rule, state, now)


def end_state(rule: Rule, state: RuleState, now: datetime) -> None:
    """Makes it ok. The channels that got its message get one about the end, and services close their incident."""
    since = state.breached_at or state.since
    told = AlertEvent.objects.filter(rule=rule, group=state.group, at__gte=since, notice__isnull=False)
    AlertEvent.objects.create(
        workspace_id=rule.workspace_id,
        rule=rule,
        name=rule.name,
        episode=state.episode,
        threshold=OK,
        group=state.group,
        state=OK,
        before=state.state,
        value=state.value,
        at=now,
        since=since,
        details={**details_of(rule, state), "is_changed": True, "contributors": []},
        ended_at=now,
        is_waiting=told.exists(),
    )
    state.state, state.since, state.breached_at = OK, now, None
    state.pending, state.pending_count = "", 0
    state.save()


def record_mute(rule: Rule, before: Rule, author: str, now: datetime) -> None:
    """Stores who has muted the rule, and until when."""
    if rule.muted_until == before.muted_until or not rule.is_muted(now):
        return
    until = local_short(rule.muted_until or now, rule.workspace.zone)
    AlertEvent.objects.create(
        workspace_id=rule.workspace_id,
        rule=rule,
        name=rule.name,
        episode=0,
        threshold=f"{MUTED} {now.isoformat()}"[:60],
        state=MUTED,
        at=now,
        since=now,
        ended_at=now,
        details={**details_of(rule, RuleState()), "until_words": f" until {until} by {author}", "contributors": []},
    )


def find_event(workspace: Workspace, event_id: UUID) -> AlertEvent:
    found = AlertEvent.objects.filter(workspace=workspace, pk=event_id)
    event = found.select_related("workspace", "rule", "budget", "notice").first()
    if event is None:
        raise Problem(404, "There is no such event in this workspace.")
    return event


def acknowledge(workspace: Workspace, event_id: UUID, author: str, now: datetime) -> AlertEvent:
    """Records who looks after an event, and what led to it: it is not told again. The first one stays."""
    event = find_event(workspace, event_id)
    concerned = AlertEvent.objects.filter(Q(pk=event.pk) | calmer(event))
    concerned.filter(acknowledged_at=None).update(acknowledged_at=now, acknowledged_by=author[:AUTHOR_LENGTH])
    concerned.filter(notice__isnull=False).update(is_waiting=False)
    return find_event(workspace, event_id)


def calmer(event: AlertEvent) -> Q:
    """Returns the condition of the open events that came before this one, like the warning before it was critical."""
    of_the_same = Q(rule=event.rule_id, group=event.group, ended_at=None, at__lt=event.at)
    return of_the_same if event.rule_id else Q(pk=event.pk)
