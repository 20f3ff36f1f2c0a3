"""Changes and reads the table of waiting jobs, where the library has no function that many workers may call at once."""

from datetime import datetime
from typing import Any, TypedDict

from django.db import connection
from django.utils import timezone

from jobs.models import Run
from jobs.runs import record
from web.queue import PAUSED_UNTIL

# Three heartbeats.
ABANDONED_SECONDS = 30
# A job that takes its worker down with it must not do so for ever.
MAX_ATTEMPTS = 10
ENDED_WITHOUT_RESULT = f"Its worker ended {MAX_ATTEMPTS} times before the job did."

# One statement, so that a job which another worker has taken up meanwhile is seen as such.
GIVE_BACK = """
UPDATE procrastinate_jobs AS job
SET
    status = CASE WHEN attempts + 1 < %(max_attempts)s THEN 'todo' ELSE 'failed' END::procrastinate_job_status,
    attempts = attempts + 1,
    scheduled_at = now(),
    worker_id = NULL
WHERE status = 'doing'
    AND NOT EXISTS (
        SELECT
        FROM procrastinate_workers AS worker
        WHERE worker.id = job.worker_id
            AND worker.last_heartbeat > now() - make_interval(secs => %(seconds)s)
            -- A heartbeat of the future is of a clock that was ahead, and says nothing.
            AND worker.last_heartbeat < now() + make_interval(mins => 1)
    )
RETURNING id, task_name AS task, args AS arguments, status = 'failed' AS has_failed
"""
HAND_BACK = """
UPDATE procrastinate_jobs
SET status = 'todo', scheduled_at = now(), worker_id = NULL
WHERE status = 'doing' AND worker_id = %(worker_id)s
"""
WAKE = """
UPDATE procrastinate_jobs AS job
SET scheduled_at = now(), attempts = greatest(attempts - 1, 0)
WHERE status = 'todo'
    AND scheduled_at = %(paused_until)s
    AND NOT EXISTS (SELECT FROM jobs_taskstate AS state WHERE state.name = job.task_name AND state.is_paused)
"""
MAKE_DUE = """
UPDATE procrastinate_jobs
SET scheduled_at = now()
WHERE status = 'todo' AND task_name = %(task)s AND scheduled_at > now() AND scheduled_at < %(paused_until)s
"""
RUN_AGAIN = """
UPDATE procrastinate_jobs
SET status = 'todo', attempts = 0, scheduled_at = now()
WHERE status = 'failed' AND id = %(job_id)s
"""
DELETE_ENDED = """
DELETE FROM procrastinate_jobs AS job
WHERE status IN ('succeeded', 'failed', 'cancelled', 'aborted')
    AND NOT EXISTS (SELECT FROM procrastinate_events AS event WHERE event.job_id = job.id AND event.at >= %(cutoff)s)
"""
WAITING = """
WITH waiting AS (
    SELECT
        job.task_name AS task,
        coalesce(job.scheduled_at, deferred.at) AS due_at,
        -- A message waits for the one before it to the same channel, and for no worker.
        job.queue_name <> 'default' AND EXISTS (
            SELECT FROM procrastinate_jobs AS other WHERE other.lock = job.lock AND other.status = 'doing'
        ) AS waits_its_turn
    FROM procrastinate_jobs AS job
    JOIN procrastinate_events AS deferred ON deferred.job_id = job.id AND deferred.type = 'deferred'
    WHERE job.status = 'todo'
)
SELECT
    task,
    count(*) FILTER (WHERE due_at <= clock_timestamp()) AS jobs,
    count(*) FILTER (WHERE due_at > clock_timestamp()) AS later_jobs,
    greatest(
        max(extract(epoch FROM clock_timestamp() - due_at)) FILTER (WHERE NOT waits_its_turn), 0
    )::float8 AS seconds
FROM waiting
GROUP BY task
"""


class Waiting(TypedDict):
    task: str
    jobs: int
    """Those that are due."""
    later_jobs: int
    """Those that wait for their moment, for their next attempt, or for the end of a pause."""
    seconds: float
    """How long the oldest job is due that waits for a worker; 0 if none is."""


def give_back_abandoned() -> None:
    """Lets jobs run again whose worker was killed or hangs."""
    params = {"seconds": ABANDONED_SECONDS, "max_attempts": MAX_ATTEMPTS}
    for job in rows(GIVE_BACK, params):
        if job.pop("has_failed"):
            record(Run(job_id=job.pop("id"), started_at=timezone.now(), seconds=0, failure=ENDED_WITHOUT_RESULT, **job))


def hand_back(worker_id: int) -> None:
    """Lets the jobs run again that this worker cannot end in time."""
    with connection.cursor() as cursor:
        cursor.execute(HAND_BACK, {"worker_id": worker_id})


def wake_resumed() -> None:
    """Makes the jobs of tasks due that are no longer paused. Waiting for that was no attempt."""
    with connection.cursor() as cursor:
        cursor.execute(WAKE, {"paused_until": PAUSED_UNTIL})


def make_due(task: str) -> None:
    """Lets the jobs of the task run now that wait for a later moment, like their next attempt."""
    with connection.cursor() as cursor:
        cursor.execute(MAKE_DUE, {"task": task, "paused_until": PAUSED_UNTIL})


def run_failed_again(job_id: int) -> bool:
    """Lets a job that has failed for good run again, with all its attempts. Returns whether there is such a job."""
    with connection.cursor() as cursor:
        cursor.execute(RUN_AGAIN, {"job_id": job_id})
        return bool(cursor.rowcount)


def delete_ended(cutoff: datetime) -> None:
    """Deletes the jobs that ended before."""
    with connection.cursor() as cursor:
        cursor.execute(DELETE_ENDED, {"cutoff": cutoff})


def waiting() -> list[Waiting]:
    """Returns the tasks with jobs that are not taken up yet."""
    found: list[Any] = rows(WAITING, {})
    return found


def rows(sql: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
