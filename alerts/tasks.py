"""The background work of alerts."""

from datetime import datetime, timedelta

from alerts.models import Delivery
from alerts.models.delivery import WAITING
from web.clock import check_clocks
from web.queue import task

DELIVERIES_STORED = timedelta(days=90)


@task("alerts.deliver")
def deliver(delivery_id: str) -> None:
    """Sends a message to one channel."""


@task("alerts.delete_old_deliveries")
def delete_old_deliveries(due_at: str) -> None:
    """Deletes the deliveries that are older than 90 days."""
    check_clocks(due_at)
    old = Delivery.objects.filter(created_at__lt=datetime.fromisoformat(due_at) - DELIVERIES_STORED)
    old.exclude(state=WAITING).delete()
