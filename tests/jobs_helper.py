"""Jobs that a test deferred: which ones wait, and running them without a worker."""

from django.db import connection
from procrastinate import RetryDecision
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob


def waiting_jobs(task_name: str | None = None) -> list[ProcrastinateJob]:
    """Returns the jobs that wait, in the order in which they were deferred."""
    jobs = ProcrastinateJob.objects.filter(status="todo").order_by("id")
    return list(jobs.filter(task_name=task_name) if task_name else jobs)


def run_waiting_jobs(task_name: str | None = None) -> int:
    """Runs each waiting job once, in this thread, with arguments that were stored. Returns how many ran.

    A job that succeeds leaves the queue. The error of one that fails is raised, and the job stays.
    """
    jobs = waiting_jobs(task_name)
    for job in jobs:
        app.tasks[job.task_name](**job.args)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_jobs WHERE id = %s", [job.pk])
    return len(jobs)


def retry_of(job: ProcrastinateJob, error: BaseException) -> RetryDecision | None:
    """Returns when the queue would run the job again after this error; None if it has failed for good."""
    strategy = app.tasks[job.task_name].retry_strategy
    assert strategy is not None
    return strategy.get_retry_decision(exception=error, job=job.procrastinate_job)
