"""Writes the messages about events, and puts events of the same minutes into one message.

The first message about a rule or budget is sent at once. Events that follow within five minutes, for the same channels,
wait and are put into one message. Each further message about the same rule or budget waits longer: 5, 20, 80 and 320
minutes, so that a day has five of them. An event that is worse than all in the messages of the last 24 hours waits five
minutes at most.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from copy import copy
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4, uuid5

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from alerts import delivery
from alerts.budget_news import channels_named, contributors, end_words, passed_before
from alerts.comparisons import CRITICAL, INFO, NO_DATA, OF_LAST_WEEK, OK, RANKS, WARNING, limit_of
from alerts.evaluation import details_of, limits_of
from alerts.facts import Contributor, complete, link, paths
from alerts.message import Message, State
from alerts.metrics import metric_of
from alerts.models import AlertEvent, Channel, Notice, Rule, RuleState
from alerts.words import duration_words, limit_text, sentence, window_words
from alerts.words import value_text as words_of_value
from analytics.splits import in_sentence
from analytics.templatetags.text import shorten_middle
from analytics.templatetags.times import local_short
from budgets.models import PER_DIMENSIONS
from insights.templatetags.why import signed as signed_in_measure
from web.number_text import count
from web.queue import for_each

COLLECTED = timedelta(minutes=5)
GROWTH, LONGEST_WAIT = 4, timedelta(days=1)
ON_CALL = ("pagerduty", "opsgenie")
"""Kinds of channels that open and close an incident for each rule, and so get a message for each."""
LONGEST_SUBJECT, LONGEST_TEXT, LONGEST_URL = 200, 600, 1500
"""A message stays small: see `alerts/message.py`. Of a text these are bytes. A link that is longer is left out; the
page of the event has it."""
SUBJECTS_SHOWN, GROUPS_SHOWN, EXPLAINED = 10, 5, 3
STATE_OF: dict[str, State] = {
    OK: "recovered",
    INFO: "info",
    WARNING: "warning",
    CRITICAL: "critical",
    NO_DATA: "warning",
}
LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended('alerts ' || %s, 0))"

ASK_AGAIN = """
UPDATE alerts_alertevent AS event
SET is_waiting = true
FROM alerts_rule AS rule, alerts_notice AS notice
WHERE event.rule_id = rule.id
  AND event.notice_id = notice.id
  AND rule.is_active
  AND event.ended_at IS NULL
  AND event.acknowledged_at IS NULL
  AND NOT event.is_waiting
  AND notice.at <= %(now)s - rule.renotify_minutes * interval '1 minute'
"""


def tell(now: datetime) -> None:
    """Tells the events of all workspaces that wait for a message, and those that are to be told again."""
    ask_again(now)
    workspaces = AlertEvent.objects.filter(is_waiting=True).order_by().values_list("workspace_id", flat=True).distinct()
    for_each(list(workspaces), lambda workspace_id: tell_workspace(workspace_id, now))


def ask_again(now: datetime) -> None:
    """Makes the open events wait again whose rules ask for it, until somebody acknowledges them."""
    with connection.cursor() as cursor:
        cursor.execute(ASK_AGAIN, {"now": now})


def tell_workspace(workspace_id: UUID, now: datetime) -> None:
    """Sends the messages that wait. After an error it sends the others, and raises the first error at the end."""
    errors = tell_all(workspace_id, now)
    if errors:
        raise errors[0]


@transaction.atomic
def tell_all(workspace_id: UUID, now: datetime) -> list[Exception]:
    """Returns the errors of what could not be told. Another process that does so already is left alone."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [str(workspace_id)])
        [(is_mine,)] = cursor.fetchall()
    events = audible(waiting_events(workspace_id), now) if is_mine else []
    return [error for channels, of in by_channels(events) for error in tell_channels(channels, of, now)]


def waiting_events(workspace_id: UUID) -> list[AlertEvent]:
    found = AlertEvent.objects.filter(workspace=workspace_id, is_waiting=True).order_by("at", "limit", "id")
    return list(found.select_related("rule", "budget", "workspace", "notice").prefetch_related("rule__channels"))


def audible(events: Sequence[AlertEvent], now: datetime) -> list[AlertEvent]:
    """Returns the events that nobody has muted. What began and ended while muted or quiet is not told at all."""
    silent = [event for event in events if event.rule and is_silent(event.rule, now)]
    heard = [event for event in events if not (event.rule and is_silent(event.rule, now))]
    over = {event.pk for event in silent if event.ended_at} - recoveries_to_tell(silent)
    AlertEvent.objects.filter(pk__in=over).update(is_waiting=False)
    return heard


def recoveries_to_tell(events: Sequence[AlertEvent]) -> set[UUID]:
    """Returns the recoveries of what people know of: they wait for the recovery, and services have an incident open."""
    recoveries = [event.pk for event in events if event.state == OK]
    of_the_same = AlertEvent.objects.filter(rule=OuterRef("rule"), group=OuterRef("group"), notice__isnull=False)
    told = of_the_same.filter(at__gte=OuterRef("since"), at__lt=OuterRef("at"))
    return set(AlertEvent.objects.filter(Exists(told), pk__in=recoveries).values_list("pk", flat=True))


def is_silent(rule: Rule, now: datetime) -> bool:
    return rule.is_muted(now) or is_quiet(rule, now)


def is_quiet(rule: Rule, now: datetime) -> bool:
    """Returns whether the quiet hours of the rule are now, by the clock of the workspace. They may go over midnight."""
    first, last = rule.quiet_from, rule.quiet_to
    if first is None or last is None:
        return False
    clock: time = now.astimezone(rule.workspace.zone).time()
    return first <= clock < last if first < last else clock >= first or clock < last


def by_channels(events: Iterable[AlertEvent]) -> list[tuple[list[Channel], list[AlertEvent]]]:
    """Groups the events by the channels that they go to."""
    groups: dict[str, tuple[list[Channel], list[AlertEvent]]] = {}
    for event in events:
        channels = channels_of(event)
        groups.setdefault(key_of(channels), (channels, []))[1].append(event)
    return list(groups.values())


def channels_of(event: AlertEvent) -> list[Channel]:
    found = event.rule.channels.all() if event.rule else channels_named(event)
    return [channel for channel in found if channel.is_active]


def key_of(channels: Iterable[Channel]) -> str:
    return " ".join(sorted(str(channel.pk) for channel in channels))


Source = tuple[str, Any]
"""What speaks: a rule or a budget."""


def source_of(event: AlertEvent) -> Source:
    return ("rule", event.rule_id) if event.rule_id else ("budget", event.budget_id)


def by_source(events: Iterable[AlertEvent]) -> dict[Source, list[AlertEvent]]:
    found: dict[Source, list[AlertEvent]] = defaultdict(list)
    for event in events:
        found[source_of(event)].append(event)
    return found


def tell_channels(channels: Sequence[Channel], events: Sequence[AlertEvent], now: datetime) -> list[Exception]:
    if not channels:
        AlertEvent.objects.filter(pk__in=[event.pk for event in events]).update(is_waiting=False)
        return []
    last = Notice.objects.filter(workspace=events[0].workspace_id, channel_key=key_of(channels), at__gt=now - COLLECTED)
    ready = [source for source, of in by_source(events).items() if is_ready(source, of, now)]
    return send_all(channels, events, now) if ready and not last.exists() else []


def send_all(channels: Sequence[Channel], events: Sequence[AlertEvent], now: datetime) -> list[Exception]:
    """Sends one message; where it cannot be made, one for each rule and budget. Returns the errors of the others."""
    try:
        send(channels, events, now)
    except Exception as error:
        parts = list(by_source(events).values())
        return [error] if len(parts) == 1 else [e for part in parts for e in send_all(channels, part, now)]
    return []


def is_ready(source: Source, events: Sequence[AlertEvent], now: datetime) -> bool:
    """Returns whether it was silent long enough since the messages about it of the last day."""
    if any(event.notice_id for event in events):
        return True  # it is told again, as its rule asks
    worst = max(RANKS[event.state] for event in events)
    if worst == RANKS[OK] and goes_on(events[0].rule):
        return False
    told = AlertEvent.objects.filter(**{f"{source[0]}_id": source[1]}, notice__at__gt=now - LONGEST_WAIT)
    notices = {
        event["notice_id"]: event["notice__at"]
        for event in told.order_by().values("notice_id", "notice__at", "state").distinct()
        if RANKS[event["state"]] >= worst
    }
    if not notices:
        return True
    return bool(now - max(notices.values()) >= COLLECTED * GROWTH ** (len(notices) - 1))


def goes_on(rule: Rule | None) -> bool:
    """Returns whether other groups of the rule are not ok. Then the recovery waits for the next message."""
    return rule is not None and bool(rule.per) and rule.states.exclude(state=OK).exists()


@transaction.atomic
def send(channels: Sequence[Channel], events: Sequence[AlertEvent], now: datetime) -> Notice:
    """Stores the notice, marks its events as told, and queues its messages: all of it or nothing."""
    worst = max(events, key=lambda event: RANKS[event.state])
    notice = Notice(
        workspace_id=worst.workspace_id, at=now, state=worst.state, channel_key=key_of(channels), message={}
    )
    shown = as_of_now(events)
    message = message_of(notice.pk, shown, now)
    notice.message = message.as_json()
    notice.save()
    notice.channels.set(channels)
    AlertEvent.objects.filter(pk__in=[event.pk for event in events]).update(is_waiting=False, notice=notice)
    on_call = [channel for channel in channels if channel.kind in ON_CALL]
    delivery.send(message, [channel for channel in channels if channel not in on_call])
    for source, of in by_source(shown).items():
        if on_call:
            delivery.send(message_of(id_on_call(notice.pk, source), of, now), on_call)
    return notice


def tell_deletion(rule: Rule, now: datetime) -> None:
    """Tells the channels that have an open alert of the rule that it is over, so that services close their incident."""
    if not AlertEvent.objects.filter(rule=rule, ended_at=None, notice__isnull=False).exists():
        return
    message = Message(
        event_id=uuid4(),
        workspace_id=rule.workspace_id,
        state="recovered",
        subject=f"{rule.name}: the rule was deleted while it had an open alert",
        moment=now,
        incident=incident_of(rule.pk),
        links=(("All alerts", link("alerts-page", workspace=rule.workspace_id)),),
    )
    delivery.send(message, rule.channels.all())


def incident_of(rule_id: UUID) -> str:
    return f"rule:{rule_id}"


def id_on_call(notice_id: UUID, source: Source) -> UUID:
    return uuid5(notice_id, str(source[1]))


def ids_of(event: AlertEvent) -> list[UUID]:
    """Returns the ids of the messages that named the event: that of all channels, and that of those on call."""
    return [event.notice_id, id_on_call(event.notice_id, source_of(event))] if event.notice_id else []


def as_of_now(events: Sequence[AlertEvent]) -> list[AlertEvent]:
    """Returns the events. One that still lasts, and was stored some time ago, gets the newest figures."""
    lasting = [event for event in events if event.rule and not event.ended_at]
    states = RuleState.objects.filter(
        rule__in={event.rule_id for event in lasting}, group__in={event.group for event in lasting}
    )
    newest: dict[Any, RuleState] = {(state.rule_id, state.group, state.state): state for state in states}
    return [with_state(event, newest.get((event.rule_id, event.group, event.state))) for event in events]


def with_state(event: AlertEvent, state: RuleState | None) -> AlertEvent:
    if state is None or event.rule is None or event.ended_at or state.at is None or state.at <= event.at:
        return event
    newer = copy(event)
    newer.at, newer.value, newer.details = state.at, state.value, details_of(event.rule, state)
    newer.limit = limit_of(limits_of(event.rule), state.state)
    return newer


# --- The message ---


class Line(NamedTuple):
    """The part of a message that is about one rule or budget: its newest events, one for each group."""

    events: list[AlertEvent]
    crossings: int
    """How often a limit was reached since the last message."""
    first_at: datetime

    @property
    def worst(self) -> AlertEvent:
        return max(self.events, key=lambda event: (RANKS[event.state], event.value or 0))


def line_of(events: Sequence[AlertEvent]) -> Line:
    newest = {event.group: event for event in events}
    crossings = sum(event.state != OK for event in events)
    return Line(sorted(newest.values(), key=lambda event: -RANKS[event.state]), crossings, events[0].at)


def message_of(event_id: UUID, events: Sequence[AlertEvent], now: datetime) -> Message:
    lines = sorted((line_of(of) for of in by_source(events).values()), key=lambda line: -RANKS[line.worst.state])
    for line in lines[:EXPLAINED]:
        complete(line.worst)
    first = lines[0]
    is_one = len(lines) == 1
    head = line_words(first)
    return Message(
        event_id=event_id,
        workspace_id=first.worst.workspace_id,
        state=STATE_OF[first.worst.state],
        subject=subject_of_all(head, lines),
        moment=first.worst.at,
        incident=incident_of(first.worst.rule_id) if first.worst.rule_id else "",
        sentences=tuple(map(clipped, one_story(first, now) if is_one else several_stories(lines, now))),
        facts=tuple((name, clipped(text)) for name, text in facts_of(first.worst)),
        links=tuple((words, url) for words, url in links_of(lines) if len(url) <= LONGEST_URL),
    )


def clipped(text: str) -> str:
    """Cuts a text that names of labels and values have made too long for a message."""
    encoded = text.encode()
    return text if len(encoded) <= LONGEST_TEXT else f"{encoded[: LONGEST_TEXT - 3].decode(errors='ignore')}…"


def subject_of_all(head: str, lines: Sequence[Line]) -> str:
    """Returns the worst, and the second where both fit into a line."""
    if len(lines) == 2 and len(both := f"{head}. {line_words(lines[1])}") <= LONGEST_SUBJECT:
        return both
    more = f"; and {len(lines) - 1} more" if len(lines) > 1 else ""
    return f"{head[:250]}{more}"


def line_words(line: Line) -> str:
    """Says in one line what has happened: of many groups how many, and which are the worst."""
    zone = line.worst.workspace.zone
    if len(line.events) == 1:
        return sentence(line.worst, zone)
    breached = [event for event in line.events if event.state != OK]
    over = len(line.events) - len(breached)
    if not breached:
        return f"{line.worst.name}: all {count(over)} are ok again"
    ended = f"; {count(over)} {'is' if over == 1 else 'are'} ok again" if over else ""
    return f"{line.worst.name}: {count(len(breached))} {groups_word(line.worst)} reached a limit{ended}"


def groups_word(event: AlertEvent) -> str:
    return f"values of {in_sentence(PER_DIMENSIONS.get(event.details['per'], event.details['per']))}"


def one_story(line: Line, now: datetime) -> list[str]:
    event = line.worst
    return [text for text in (*groups_story(line), flapping(line), *causes(event, now), what_next(event, now)) if text]


def several_stories(lines: Sequence[Line], now: datetime) -> list[str]:
    """Tells each rule and budget in a sentence; of the worst also why, and of each template its largest values."""
    told = [f"{line_words(line)}. {' '.join((*groups_story(line), flapping(line)))}".strip() for line in lines]
    first, *others = told[:SUBJECTS_SHOWN]
    more = len(told) - SUBJECTS_SHOWN
    why = " ".join(filter(None, causes(lines[0].worst, now)))
    return [f"{first} {why}".strip(), *others, *([f"And {more} more."] if more > 0 else [])]


def groups_story(line: Line) -> list[str]:
    if len(line.events) == 1:
        return []
    breached = sorted(
        (event for event in line.events if event.state != OK),
        key=lambda event: (-RANKS[event.state], -abs(event.value or 0), event.group),
    )
    shown = [
        f"{shorten_middle(event.group or event.threshold)}: {value_text(event)}" for event in breached[:GROUPS_SHOWN]
    ]
    more = len(breached) - len(shown)
    return [f"{', '.join(shown)}{f' and {count(more)} more' if more else ''}."] if shown else []


def value_text(event: AlertEvent) -> str:
    if event.budget_event is not None:
        return str(dict(event.details["facts"])["Spent"])
    return words_of_value(event.details, event.value, event.state == OK)


def flapping(line: Line) -> str:
    if line.crossings < 3 or len(line.events) > 1 or line.worst.budget_event is not None:
        return ""
    since = local_short(line.first_at, line.worst.workspace.zone)
    return f"It reached a limit {line.crossings} times since {since}; messages about it come less often now."


def causes(event: AlertEvent, now: datetime) -> list[str]:
    """Names who contributed most, with how much it changed."""
    if event.budget_event is not None:
        spenders = contributors(event, now)
        return [*([f"Most of it: {'; '.join(spenders)}."] if spenders else []), passed_before(event)]
    metric = metric_of(event.details["metric"])
    found: list[Contributor] = event.details.get("contributors") or []
    named = [
        f"{in_sentence(one['dimension'])} {shorten_middle(one['value'])} {signed(one['change'], metric.explained_by)}"
        for one in found
    ]
    earlier = "the same time last week" if event.details["comparison"] in OF_LAST_WEEK else "the window before"
    return [f"Since {earlier}: {'; '.join(named)}."] if named else []


def signed(change: float, measure: str) -> str:
    return str(signed_in_measure(change, measure))


def what_next(event: AlertEvent, now: datetime) -> str:
    """Says when the period ends, or when the next message comes."""
    if event.budget_event is not None:
        return end_words(event)
    if event.state == OK or not event.rule:
        return ""
    if event.rule.renotify_minutes:
        return f"It is told again each {window_words(event.rule.renotify_minutes)} until it is ok or acknowledged."
    return "It is told again when it is ok, or becomes worse."


def facts_of(event: AlertEvent) -> list[tuple[str, str]]:
    if event.budget_event is not None:
        return [(name, text) for name, text in event.details["facts"]]
    details = event.details
    found = [("Rule", event.name), ("Value", value_text(event))]
    if event.limit is not None:
        found.append(("Limit", limit_text(details, event.limit)))
    found += [("Window", window_words(details["window_minutes"])), ("Calls in it", count(details["calls"]))]
    if event.state == OK:
        return [*found, ("Lasted", duration_words(event.at - event.since))]
    return [*found, ("Since", local_short(event.since, event.workspace.zone))]


def links_of(lines: Sequence[Line]) -> list[tuple[str, str]]:
    """Returns the pages of the first, and that of all alerts where there are more."""
    found = [(words, f"{settings.PUBLIC_URL}{path}") for words, path in paths(lines[0].worst)]
    all_alerts = ("All alerts", link("alerts-page", workspace=lines[0].worst.workspace_id))
    return [*found, *([all_alerts] if len(lines) > 1 or len(lines[0].events) > 1 else [])]
