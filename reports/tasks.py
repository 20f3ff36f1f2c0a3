"""The work on reports that no request does."""

from datetime import datetime, timedelta

from django.utils import timezone

from reports.models import Export, ReportFile, ReportRun
from reports.models.schedule import RUNNING, WAITING
from reports.schedules import making, plan, sending
from reports.schedules.queue import DELIVER, MAKE
from web.clock import check_clocks
from web.queue import for_each, task

EXPORTS_STORED = timedelta(days=400)
FILES_STORED = timedelta(days=90)
RUNS_STORED = timedelta(days=400)


@task("reports.delete_old_exports")
def delete_old_exports(due_at: str) -> None:
    """Deletes the history of exports that began more than 400 days ago. Their files were never stored."""
    check_clocks(due_at)
    Export.objects.filter(started_at__lt=datetime.fromisoformat(due_at) - EXPORTS_STORED).delete()


# The next round is the next attempt: a job that waited for another one would keep all later rounds out of the queue.
@task("reports.begin_due", retry_pauses=())
def begin_due(due_at: str) -> None:
    """Begins the reports that are due, and takes up those whose jobs are lost."""
    check_clocks(due_at)
    now = timezone.now()
    for_each((plan.begin_all_due, making.take_up_forgotten, sending.take_up_forgotten), lambda work: work(now))


@task(MAKE)
def make(run_id: str) -> None:
    """Makes the files of a report, and puts its messages into the queue."""
    making.attempt(run_id)


@task(DELIVER)
def deliver(delivery_id: str) -> None:
    """Sends a report to one address."""
    sending.attempt(delivery_id)


@task("reports.delete_old_files")
def delete_old_files(due_at: str) -> None:
    """Deletes the files of reports after 90 days, and the history of reports after 400."""
    check_clocks(due_at)
    now = datetime.fromisoformat(due_at)
    ReportFile.objects.filter(created_at__lt=now - FILES_STORED).delete()
    old = ReportRun.objects.filter(created_at__lt=now - RUNS_STORED)
    old.exclude(state__in=(WAITING, RUNNING)).delete()
