"""The background work of alerts."""

import logging
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from alerts import budget_news, evaluation, notices
from alerts.attempts import attempt, take_up_forgotten
from alerts.comparisons import OK
from alerts.models import AlertEvent, Channel, Delivery, Notice, RuleState
from alerts.models.delivery import WAITING
from alerts.queue import DELIVER, DELIVER_LATER, defer
from alerts.stored_settings import encrypt_anew
from web.clock import check_clocks
from web.queue import for_each, task
from web.sealing import Unreadable

logger = logging.getLogger(__name__)

DELIVERIES_STORED = timedelta(days=90)
EVENTS_STORED = timedelta(days=400)


@task(DELIVER)
def deliver(delivery_id: str) -> None:
    """Sends a message to one channel."""
    attempt(delivery_id)


@task(DELIVER_LATER)
def deliver_later(delivery_id: str) -> None:
    """Puts a message that could not be sent into the queue again, when its next attempt is due."""
    for delivery in Delivery.objects.filter(pk=delivery_id, state=WAITING):
        defer(delivery)


@task("alerts.take_up_deliveries")
def take_up_deliveries(due_at: str) -> None:
    """Takes up deliveries whose job is lost."""
    take_up_forgotten(timezone.now())


@task("alerts.encrypt_secrets")
def encrypt_secrets(due_at: str) -> None:
    """Encrypts the secrets of channels anew that were encrypted with one of SECRET_KEY_FALLBACKS."""
    for channel in Channel.objects.exclude(secret=""):
        try:
            encrypt_anew(channel)
        except Unreadable:
            logger.warning("The secrets of channel %s cannot be read: its SECRET_KEY is not listed.", channel.pk)


@task("alerts.delete_old_deliveries")
def delete_old_deliveries(due_at: str) -> None:
    """Deletes the deliveries that are older than 90 days."""
    check_clocks(due_at)
    old = Delivery.objects.filter(created_at__lt=datetime.fromisoformat(due_at) - DELIVERIES_STORED)
    old.exclude(state=WAITING).delete()


# The next minute is the next attempt: a job that waited for another one would keep all later minutes out of the queue.
@task("alerts.evaluate", retry_pauses=())
def evaluate_rules(due_at: str) -> None:
    """Looks at all rules, and tells what has changed and which thresholds budgets have reached."""
    now = timezone.now()
    for_each((evaluation.evaluate, budget_news.collect, notices.tell), lambda work: work(now))


@task("alerts.delete_old_events")
def delete_old_events(due_at: str) -> None:
    """Deletes what happened more than 400 days ago and is over, and the states of groups that are long ok."""
    check_clocks(due_at)
    before = datetime.fromisoformat(due_at) - EVENTS_STORED
    is_over = Q(rule=None) | Q(ended_at__isnull=False)
    AlertEvent.objects.filter(is_over, at__lt=before, is_waiting=False).delete()
    Notice.objects.filter(at__lt=before).delete()
    yesterday = datetime.fromisoformat(due_at) - timedelta(days=1)
    RuleState.objects.filter(state=OK, since__lt=yesterday).exclude(group="").delete()
