"""Deletes old records of the product itself."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.db.models import QuerySet
from django.utils import timezone

from jobs.models import DuePeriod, Run
from jobs.queue_table import delete_ended
from web.clock import check_clocks
from web.queue import for_each, task

SUCCESSES = timedelta(days=7)
FAILURES = timedelta(days=30)
SIGN_INS = timedelta(days=90)
ADMIN_LOG = timedelta(days=400)
SIGN_IN_RECORDS = (AccessAttempt, AccessFailureLog, AccessLog)
UNUSED_PERIODS = timedelta(days=100)
"""After this an entry of the timetable, or what it ran for, no longer exists."""


@task("jobs.delete_old_records")
def delete_old_records(due_at: str) -> None:
    """Deletes old sessions, records of signing in and of the admin, and runs of jobs."""
    check_clocks(due_at)
    now = timezone.now()
    old: list[QuerySet[Any]] = [
        *(attempts.objects.filter(attempt_time__lt=now - SIGN_INS) for attempts in SIGN_IN_RECORDS),
        LogEntry.objects.filter(action_time__lt=now - ADMIN_LOG),
        DuePeriod.objects.filter(due_at__lt=now - UNUSED_PERIODS),
        Run.objects.filter(started_at__lt=now - SUCCESSES, failure=""),
        Run.objects.filter(started_at__lt=now - FAILURES),
    ]
    deletions: list[Callable[[], object]] = [
        partial(call_command, "clearsessions"),
        *(rows.delete for rows in old),
        partial(delete_ended, now - FAILURES),
    ]
    for_each(deletions, run)


def run(deletion: Callable[[], object]) -> None:
    deletion()
