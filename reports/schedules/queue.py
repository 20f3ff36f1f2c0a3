"""Defers the jobs of runs and of their messages, and knows which of them are in the queue."""

from datetime import datetime

from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from alerts.queue import QUEUE
from reports.models import ReportDelivery, ReportRun

MAKE, DELIVER = "reports.make", "reports.deliver"


def defer_run(run: ReportRun, at: datetime | None = None) -> None:
    """Puts the making of a run into the queue, in the transaction of the caller."""
    app.configure_task(MAKE, schedule_at=at).defer(run_id=str(run.pk))


def defer_delivery(delivery: ReportDelivery, at: datetime | None = None) -> None:
    """Puts a message into the queue, in the transaction of the caller. Others do not wait for a slow server."""
    app.configure_task(DELIVER, queue=QUEUE, schedule_at=at).defer(delivery_id=str(delivery.pk))


def ids_in_queue() -> set[str]:
    """Returns the runs and deliveries that have a job, which runs or waits."""
    jobs = ProcrastinateJob.objects.filter(task_name__in=(MAKE, DELIVER), status__in=("todo", "doing"))
    return {value for arguments in jobs.values_list("args", flat=True) for value in arguments.values()}
