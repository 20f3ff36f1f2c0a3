"""Puts messages into the queue: one delivery for each channel, with a job of its own."""

from collections.abc import Iterable

from django.db import transaction

from alerts.message import Message
from alerts.models import Channel, Delivery
from alerts.tasks import deliver


def send(message: Message, channels: Iterable[Channel], is_test: bool = False) -> list[Delivery]:
    """Records a delivery for each active channel and defers its job, in the transaction of the caller.

    Returns the new deliveries. A channel that has the event already gets it no second time. A channel of another
    workspace is an error.
    """
    values = message.as_json()
    made = []
    with transaction.atomic():
        for channel in channels:
            if channel.workspace_id != message.workspace_id:
                raise ValueError("The channel is of another workspace than the message.")
            if not channel.is_active:
                continue
            delivery, is_new = Delivery.objects.get_or_create(
                channel=channel, event_id=message.event_id, defaults={"message": values, "is_test": is_test}
            )
            if is_new:
                deliver.defer(delivery_id=str(delivery.pk))
                made.append(delivery)
    return made
