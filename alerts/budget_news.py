"""Makes alerts of the thresholds that budgets reach: each of its events becomes one, exactly once."""

from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection, transaction

from alerts.models import AlertEvent, Channel
from analytics.splits import in_sentence
from analytics.templatetags.text import shorten_middle
from analytics.templatetags.times import local_short
from budgets import items
from budgets.models import FIXED, ROLLING, BudgetEvent
from budgets.states import running
from budgets.thresholds import FORECAST, INFO
from web.number_text import dollars, percent_reached
from web.problems import transient_cause

LOOKED_BACK = timedelta(days=1)
"""An event that is older is no news any more, like those of before an upgrade."""
NEW_EVENTS = """
SELECT id
FROM budgets_budgetevent AS event
WHERE at > %(since)s
  AND NOT passed_before
  AND NOT EXISTS (SELECT FROM alerts_alertevent WHERE budget_event = event.id)
ORDER BY at, id
FOR KEY SHARE
"""
END_ALERTS = """
UPDATE alerts_alertevent AS alert
SET ended_at = event.ended_at
FROM budgets_budgetevent AS event
WHERE alert.budget_event = event.id
  AND alert.budget_event IS NOT NULL
  AND alert.ended_at IS NULL
  AND event.ended_at IS NOT NULL
"""


@transaction.atomic
def collect(now: datetime) -> None:
    """Stores an alert for each new event of a budget. Another process may have stored the same meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(NEW_EVENTS, {"since": now - LOOKED_BACK})
        ids = [event_id for (event_id,) in cursor.fetchall()]
    events = BudgetEvent.objects.filter(pk__in=ids).select_related("budget__workspace").order_by("at", "threshold_usd")
    alerts = [alert_of(event) for event in events]
    AlertEvent.objects.bulk_create(alerts, ignore_conflicts=True, batch_size=2000)
    end_alerts(now)


def end_alerts(now: datetime) -> None:
    """Ends the alerts whose period is over, or whose spend is below the threshold again.

    No message is sent for a budget that was deleted.
    """
    with connection.cursor() as cursor:
        cursor.execute(END_ALERTS)
    gone = AlertEvent.objects.filter(budget_event__isnull=False, budget=None, ended_at=None)
    gone.update(ended_at=now, is_waiting=False)


def alert_of(event: BudgetEvent) -> AlertEvent:
    budget = event.budget
    return AlertEvent(
        workspace_id=budget.workspace_id,
        budget=budget,
        budget_event=event.pk,
        name=str(budget),
        threshold=event.threshold,
        group=event.value,
        state=event.severity,
        value=float(event.expected_usd or 0) if event.basis == FORECAST else float(event.spent_usd),
        limit=float(event.threshold_usd),
        at=event.at,
        since=event.at,
        details=details_of(event),
        is_waiting=bool(event.channels) or event.severity != INFO,
    )


def details_of(event: BudgetEvent) -> dict[str, Any]:
    budget = event.budget
    return {
        "sentence": sentence(event),
        "facts": facts(event),
        "channels": event.channels,
        "per": budget.per,
        "basis": event.basis,
        "percent": percent_of(event),
    }


def percent_of(event: BudgetEvent) -> str:
    return percent_reached(event.threshold_usd * 100 / event.limit_usd) if event.limit_usd else ""


def sentence(event: BudgetEvent) -> str:
    """Says what has happened: Spend of budget Customer acme is $412, at 80 % of $500."""
    budget, share = event.budget, percent_of(event)
    of = f" of {in_sentence(budget.per_dimension)} {shorten_middle(event.value)}" if event.value else ""
    share = f"{share} of " if share and share != "100 %" else ""
    limit = f"{share}{dollars(event.limit_usd)}"
    if event.basis == FORECAST:
        return f"{budget}: the spend{of} is expected to end at {dollars(event.expected_usd)}, above {limit}"
    return f"{budget}: the spend{of} is {dollars(event.spent_usd)}, it has reached {limit}"


def facts(event: BudgetEvent) -> list[tuple[str, str]]:
    zone = event.budget.workspace.zone
    found = [
        ("Spent", dollars(event.spent_usd)),
        ("Limit", dollars(event.limit_usd)),
        ("Period", f"{local_short(event.period_start, zone)} to {local_short(event.period_end, zone)}"),
    ]
    if event.budget.period != ROLLING:
        found.append(("Ends" if event.budget.period == FIXED else "Resets", local_short(event.period_end, zone)))
    if event.expected_usd is not None:
        between = f"{dollars(event.low_usd)} to {dollars(event.high_usd)}"
        found.append(("Forecast", f"{dollars(event.expected_usd)} ({between})"))
    return found


def end_words(event: AlertEvent) -> str:
    """Says when the budget begins anew or ends. One with a rolling period does neither."""
    known = dict(event.details["facts"])
    if "Resets" in known:
        return f"The budget begins anew on {known['Resets']}."
    return f"The budget ends on {known['Ends']}." if "Ends" in known else ""


def contributors(event: AlertEvent, now: datetime) -> list[str]:
    """Returns who spent the most in the running period, in words."""
    one = running(event.budget, now) if event.budget and not event.group else None
    if one is None:
        return []
    try:
        [found] = items.contributors([one])
    except DatabaseError as error:
        if transient_cause(error) is None:
            raise
        return []
    return [f"{in_sentence(c['dimension'])} {shorten_middle(c['value'])}: {dollars(c['spent_usd'])}" for c in found[:3]]


def passed_before(event: AlertEvent) -> str:
    """Returns what the budget had passed before its thresholds were made: it is named once, and no news."""
    told = AlertEvent.objects.filter(budget=event.budget).exclude(notice=None).exists()
    old = BudgetEvent.objects.filter(budget=event.budget, passed_before=True, ended_at=None)
    names = sorted({one.threshold.partition(":")[2] for one in old}) if not told else []
    return f"It had passed {' and '.join(names)} before these thresholds were made." if names else ""


def channels_named(event: AlertEvent) -> list[Channel]:
    """Returns the channels that the threshold names, by their id or name; all of them where it names none that exists.

    Those that are off are among them.
    """
    names = event.details["channels"]
    found = list(Channel.objects.filter(workspace=event.workspace_id))
    return [channel for channel in found if str(channel.pk) in names or channel.name in names] or found
