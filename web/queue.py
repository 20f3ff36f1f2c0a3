"""Defines background tasks: what runs without a request, in a worker of its own.

An app names its tasks in its `tasks.py`, and defers a job in the transaction that causes it. A rollback takes the job
back. A job may run more than once: a worker can be killed after the work and before it has recorded the end. So a task
is idempotent, and each effect that leaves the house carries a key that is the same in every run.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from procrastinate import RetryDecision
from procrastinate.contrib.django import app
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy
from procrastinate.tasks import Task

Item = TypeVar("Item")

# After the last pause the job has failed. Operators see it and can run it again.
RETRY_PAUSES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
# Jobs of a paused task wait for this moment; the clock wakes them when the task goes on.
PAUSED_UNTIL = datetime(9999, 1, 1, tzinfo=UTC)


class Paused(Exception):
    """An operator has paused the task."""


class FailedForGood(Exception):
    """Another attempt would fail too."""


class RetryAfterPauses(BaseRetryStrategy):
    def __init__(self, pauses: Sequence[timedelta]) -> None:
        self.pauses = pauses

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, Paused):
            return RetryDecision(retry_at=PAUSED_UNTIL)
        if isinstance(exception, FailedForGood) or job.attempts >= len(self.pauses):
            return None
        return RetryDecision(retry_in={"seconds": int(self.pauses[job.attempts].total_seconds())})


def task(
    name: str, retry_pauses: Sequence[timedelta] = RETRY_PAUSES
) -> Callable[[Callable[..., None]], Task[Any, Any, Any]]:
    """Makes a task of a function, whose first line of documentation operators read. Its arguments are JSON values.

    `task.defer(**arguments)` puts a job into the queue.
    """
    return app.task(name=name, retry=RetryAfterPauses(retry_pauses))


def defer_one(task: Task[Any, Any, Any], name: str, **arguments: Any) -> None:
    """Defers a job that never runs beside another one of this name, unless one still waits: that one does for both.

    The library's own lock for this is a constraint, which would forbid that a job which runs already waits again: after
    a failure, or when its worker was killed.
    """
    # `make demo` imports this module before there are settings, and models need them.
    from procrastinate.contrib.django.models import ProcrastinateJob

    if not ProcrastinateJob.objects.filter(lock=name, status="todo").exists():
        task.configure(lock=name).defer(**arguments)


def for_each(items: Iterable[Item], work: Callable[[Item], None]) -> None:
    """Does the work for each item, also after one that fails: its fault must not stop the others for ever.

    Raises the first error at the end, so that the job is tried again and operators see it.
    """
    errors: list[Exception] = []
    for item in items:
        try:
            work(item)
        except Exception as error:
            errors.append(error)
    if errors:
        raise errors[0]
