"""Records each run of a job, for operators and for /metrics."""

import logging
import re
import time
import traceback
from collections.abc import Callable
from typing import Any

from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from procrastinate import JobContext
from procrastinate.worker import Worker

from jobs.models import Run, TaskState
from web import deadline
from web.masking import without_secrets
from web.queue import Paused

logger = logging.getLogger(__name__)

# Ends waits for a database that hangs. The longest task, retention of a large store, goes on where it was.
JOB_SECONDS = 3600
ROWS_OF_POSTGRESQL = re.compile(r"^(?:DETAIL|CONTEXT): .*\n?", re.MULTILINE)
MAX_TRACEBACK_LENGTH = 20_000


def recorded(run_job: Callable[[], Any], context: JobContext, worker: Worker) -> Any:
    """Runs the job, unless its task is paused, and records the run."""
    if TaskState.objects.filter(name=context.job.task_name, is_paused=True).exists():
        raise Paused
    assert context.job.id is not None  # noqa: S101 - it comes from the queue
    run = Run(
        task=context.job.task_name,
        job_id=context.job.id,
        arguments=context.job.task_kwargs,
        started_at=timezone.now(),
    )
    began = time.monotonic()
    try:
        with deadline.at_most(JOB_SECONDS):
            return run_job()
    except Exception:
        run.failure = safe_traceback()
        raise
    finally:
        run.seconds = time.monotonic() - began
        record(run)


def safe_traceback() -> str:
    """Returns the traceback without credentials, and without the rows that PostgreSQL quotes: they hold prompts."""
    text = ROWS_OF_POSTGRESQL.sub("", traceback.format_exc())
    return without_secrets(text)[-MAX_TRACEBACK_LENGTH:]


def record(run: Run) -> None:
    """Stores the run and counts it. Without a database nothing is recorded; that says nothing about the job."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")  # after a crash of the server a count may be missing
            run.save()
            TaskState.objects.get_or_create(name=run.task)
            TaskState.objects.filter(name=run.task).update(
                runs=F("runs") + 1,
                failures=F("failures") + int(bool(run.failure)),
                run_seconds=F("run_seconds") + run.seconds,
            )
    except DatabaseError as error:
        logger.warning("The run of job %s (%s) could not be recorded: %s", run.job_id, run.task, first_line(error))


def first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
