"""Deletes old records of the product itself."""

from datetime import timedelta

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.utils import timezone

from jobs.models import DuePeriod, Run
from jobs.queue_table import delete_ended
from web.queue import task

SUCCESSES = timedelta(days=7)
FAILURES = timedelta(days=30)
SIGN_INS = timedelta(days=90)
ADMIN_LOG = timedelta(days=400)
UNUSED_PERIODS = timedelta(days=100)
"""After this an entry of the timetable, or what it ran for, no longer exists."""


@task("jobs.delete_old_records")
def delete_old_records(due_at: str) -> None:
    """Deletes old sessions, records of signing in and of the admin, and runs of jobs."""
    now = timezone.now()
    call_command("clearsessions")
    for attempts in (AccessAttempt, AccessFailureLog, AccessLog):
        attempts.objects.filter(attempt_time__lt=now - SIGN_INS).delete()
    LogEntry.objects.filter(action_time__lt=now - ADMIN_LOG).delete()
    DuePeriod.objects.filter(due_at__lt=now - UNUSED_PERIODS).delete()
    Run.objects.filter(started_at__lt=now - SUCCESSES, failure="").delete()
    Run.objects.filter(started_at__lt=now - FAILURES).delete()
    delete_ended(now - FAILURES)
