"""Makes the attempts of a delivery, and records how they end. What is recorded is what the next attempt begins with."""

import logging
import traceback
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from alerts.channels import kinds
from alerts.faults import DeliveryFault
from alerts.kind import Outgoing
from alerts.message import Message
from alerts.models import Channel, Delivery
from alerts.models.channel import FAULT_LENGTH
from alerts.models.delivery import FAILED, SENT, WAITING
from alerts.queue import defer_later, ids_in_queue
from alerts.stored_settings import Unreadable, settings_of
from web.queue import RETRY_PAUSES

logger = logging.getLogger(__name__)

SHORTEST_REST, LONGEST_REST = timedelta(minutes=1), timedelta(minutes=30)
FORGOTTEN_AFTER = timedelta(minutes=15)
"""A delivery that is late by more, and is not in the queue, has lost its job."""


def attempt(delivery_id: str) -> None:
    """Sends a message, unless it has been sent already."""
    delivery = Delivery.objects.select_related("channel__workspace").filter(pk=delivery_id, state=WAITING).first()
    if delivery is None:
        return
    try:
        status = sent(delivery)
    except DeliveryFault as fault:
        record_fault(delivery, fault, timezone.now())
    except Exception as error:
        # A fault of ours must not keep the message for ever. Its text could quote a secret: only its place is logged.
        place = "".join(traceback.format_tb(error.__traceback__))
        logger.error("delivery %s failed: %s\n%s", delivery.pk, type(error).__name__, place)
        record_fault(delivery, DeliveryFault("A fault of the product; the log of the worker has it."), timezone.now())
    else:
        record_success(delivery, status, timezone.now())


def sent(delivery: Delivery) -> int | None:
    """Sends the message and returns the status of the answer, or raises a DeliveryFault."""
    channel = delivery.channel
    kind = kinds().get(channel.kind)
    if kind is None or not channel.is_active:
        raise DeliveryFault("The channel is off." if kind else "There is no such kind of channel.", is_final=True)
    if channel.rests_until and channel.rests_until > timezone.now() and not delivery.is_test:
        raise Resting(f"Not tried: {channel.fault}")
    try:
        settings = settings_of(channel)
    except Unreadable as error:
        raise DeliveryFault(UNREADABLE, is_final=True) from error
    return kind.send(Outgoing(Message.from_json(delivery.message), settings, delivery))


class Resting(DeliveryFault):
    """The channel did not answer a moment ago."""


UNREADABLE = "The secrets of the channel cannot be read: SECRET_KEY has changed. Write them again."


# --- How an attempt ended ---


@transaction.atomic
def record_success(delivery: Delivery, status: int | None, now: datetime) -> None:
    delivery.state, delivery.ended_at, delivery.next_at = SENT, now, None
    delivery.attempts += 1
    delivery.answer_status, delivery.fault = status, ""
    delivery.save()
    healthy = {"failing_since": None, "fault": "", "rests_until": None}
    Channel.objects.filter(pk=delivery.channel_id, failing_since__isnull=False).update(**healthy)


@transaction.atomic
def record_fault(delivery: Delivery, fault: DeliveryFault, now: datetime) -> None:
    """Plans the next attempt, or gives up after the last one."""
    delivery.attempts += 1
    delivery.answer_status, delivery.fault = fault.status, fault.words[:FAULT_LENGTH]
    if fault.is_final or delivery.is_test or delivery.attempts > len(RETRY_PAUSES):
        delivery.state, delivery.ended_at, delivery.next_at = FAILED, now, None
    else:
        delivery.next_at = now + RETRY_PAUSES[delivery.attempts - 1]
        defer_later(delivery)
    delivery.save()
    if not isinstance(fault, Resting):
        mark_failing(delivery.channel, fault, now)


def mark_failing(channel: Channel, fault: DeliveryFault, now: datetime) -> None:
    """Records when a channel began to fail. One that does not answer rests, longer the longer it has been failing."""
    since = channel.failing_since or now
    rests_until = now + min(max(now - since, SHORTEST_REST), LONGEST_REST) if fault.is_slow else None
    failing = {"failing_since": since, "fault": fault.words[:FAULT_LENGTH], "rests_until": rests_until}
    Channel.objects.filter(pk=channel.pk).update(**failing)


# --- Those without a job ---


def take_up_forgotten(now: datetime) -> None:
    """Counts a failed attempt of each delivery whose job is lost, which plans its next one."""
    late = Delivery.objects.select_related("channel").filter(state=WAITING, next_at__lt=now - FORGOTTEN_AFTER)
    if not late:
        return
    in_queue = ids_in_queue()
    for delivery in late:
        if str(delivery.pk) not in in_queue:
            record_fault(delivery, DeliveryFault("The worker ended before the attempt did."), now)
