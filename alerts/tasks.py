"""The background work of alerts."""

import logging
from datetime import datetime, timedelta

from django.utils import timezone

from alerts.attempts import attempt, take_up_forgotten
from alerts.models import Channel, Delivery
from alerts.models.delivery import WAITING
from alerts.queue import DELIVER, DELIVER_LATER, defer
from alerts.sealing import Unreadable
from alerts.stored_settings import encrypt_anew
from web.clock import check_clocks
from web.queue import task

logger = logging.getLogger(__name__)

DELIVERIES_STORED = timedelta(days=90)


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
