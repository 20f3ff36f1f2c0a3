"""Defers the jobs of deliveries. Messages to one channel go one after the other; channels do not wait for others."""

from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from alerts.models import Delivery

QUEUE = "deliveries"
"""Of its own: a worker runs its jobs beside all others, so that slow receivers take no slots from those."""
DELIVER, DELIVER_LATER = "alerts.deliver", "alerts.deliver_later"


def defer(delivery: Delivery) -> None:
    """Defers an attempt at once, behind those of the same channel."""
    job = app.configure_task(DELIVER, queue=QUEUE, lock=f"channel {delivery.channel_id}")
    job.defer(delivery_id=str(delivery.pk))


def defer_later(delivery: Delivery) -> None:
    """Defers an attempt at `next_at`. Until then no other message waits behind it."""
    app.configure_task(DELIVER_LATER, schedule_at=delivery.next_at).defer(delivery_id=str(delivery.pk))


def ids_in_queue() -> set[str]:
    """Returns the deliveries that have a job, which runs or waits."""
    jobs = ProcrastinateJob.objects.filter(task_name__in=(DELIVER, DELIVER_LATER), status__in=("todo", "doing"))
    return set(jobs.values_list("args__delivery_id", flat=True))
