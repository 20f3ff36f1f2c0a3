"""Puts messages into the queue: one delivery for each channel, with a job of its own."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from alerts.message import Message
from alerts.models import Channel, Delivery
from alerts.queue import defer


def send(message: Message, channels: Iterable[Channel], is_test: bool = False) -> list[Delivery]:
    """Records a delivery for each active channel and defers its job, in the transaction of the caller.

    Returns the new deliveries. A channel that has the event already gets it no second time. A channel of another
    workspace is an error.
    """
    chosen = list(channels)
    if any(channel.workspace_id != message.workspace_id for channel in chosen):
        raise ValueError("A channel is of another workspace than the message.")
    values = {"message": message.as_json(), "is_test": is_test, "next_at": timezone.now()}
    with transaction.atomic():
        found = [
            Delivery.objects.get_or_create(channel=channel, event_id=message.event_id, defaults=values)
            for channel in chosen
            if channel.is_active
        ]
        new = [delivery for delivery, is_new in found if is_new]
        for delivery in new:
            defer(delivery)
    return new
