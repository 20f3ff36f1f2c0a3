"""What operators see of the tasks, and what they can do with them."""

from typing import Any, NamedTuple

from django.db import Error as DatabaseError
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.tasks import Task

from jobs.clock import put_into_queue
from jobs.models import Run, TaskState
from jobs.queue_table import make_due, run_failed_again, waiting
from jobs.state import PROBE_SECONDS
from jobs.timetable import TIMETABLE, due_moments
from web import deadline

ROWS_SHOWN = 50
UNKNOWN_TASK = "This version of the product has no such task."


class TaskLine(NamedTuple):
    """A task, as operators see it."""

    name: str
    purpose: str
    due: str
    """In words; empty for a task that other work defers."""
    state: TaskState
    waiting_jobs: int
    """Those that are due."""
    later_jobs: int
    lag_seconds: float
    last_run: Run | None


class FailedJob(NamedTuple):
    id: int
    task: str
    arguments: dict[str, Any]
    attempts: int
    last_run: Run | None
    """Without it, the job failed before it could run."""

    @property
    def reason(self) -> str:
        return self.last_run.reason if self.last_run else UNKNOWN_TASK


def own_tasks() -> dict[str, Task[Any, Any, Any]]:
    """Returns the product's tasks by name, without those of the library."""
    return {
        name: task for name, task in sorted(app.tasks.items()) if not task.func.__module__.startswith("procrastinate.")
    }


def task_lines() -> list[TaskLine]:
    states = {state.name: state for state in TaskState.objects.all()}
    due = {entry.task.name: entry.due for entry in TIMETABLE}
    late = {task["task"]: task for task in waiting()}
    last_runs = {run.task: run for run in Run.objects.order_by("task", "-started_at", "-id").distinct("task")}
    return [
        TaskLine(
            name,
            (task.func.__doc__ or "").partition("\n")[0],
            due.get(name, ""),
            states.get(name) or TaskState(name=name),
            late[name]["jobs"] if name in late else 0,
            late[name]["later_jobs"] if name in late else 0,
            late[name]["seconds"] if name in late else 0.0,
            last_runs.get(name),
        )
        for name, task in own_tasks().items()
    ]


def task_counts() -> list[tuple[TaskState, float]]:
    """Returns the counts of each task, and how many seconds its oldest job is due. Nothing without the database."""
    try:
        with deadline.at_most(PROBE_SECONDS):
            states = {state.name: state for state in TaskState.objects.all()}
            late = {task["task"]: task["seconds"] for task in waiting()}
            return [(states.get(name) or TaskState(name=name), late.get(name, 0.0)) for name in own_tasks()]
    except DatabaseError:
        return []


def failed_jobs() -> list[FailedJob]:
    """Returns the newest jobs that have failed for good."""
    jobs = list(ProcrastinateJob.objects.filter(status="failed").order_by("-id")[:ROWS_SHOWN])
    runs = {run.job_id: run for run in Run.objects.filter(job_id__in=[job.id for job in jobs]).order_by("started_at")}
    return [FailedJob(job.id, job.task_name, job.args, job.attempts, runs.get(job.id)) for job in jobs]


def last_runs() -> list[Run]:
    return list(Run.objects.all()[:ROWS_SHOWN])


# --- What they can do. Each returns what happened, in words. ---


def run_now(name: str) -> str:
    """Defers the jobs of a task of the timetable, as if it were due now; one that waits already runs now."""
    if TaskState.objects.filter(name=name, is_paused=True).exists():
        return f"{name} is paused. Resume it first."
    entries = [entry for entry in due_moments(timezone.now()) if entry[0].task.name == name]
    for entry, subject, due_at in entries:
        put_into_queue(entry, subject, due_at)
    make_due(name)
    return f"{name} runs as soon as a worker is free." if entries else f"{name} is not in the timetable."


def pause(name: str) -> str:
    set_paused(name, is_paused=True)
    return f"{name} is paused. What runs already ends; new jobs wait."


def resume(name: str) -> str:
    set_paused(name, is_paused=False)
    return f"{name} goes on within seconds."


def set_paused(name: str, is_paused: bool) -> None:
    TaskState.objects.update_or_create(name=name, defaults={"is_paused": is_paused})


def run_again(job_id: int) -> str:
    """Puts a job that has failed for good back into the queue."""
    if run_failed_again(job_id):
        return f"Job {job_id} runs as soon as a worker is free."
    return f"Job {job_id} has not failed, or is deleted."


ACTIONS = {"run": run_now, "pause": pause, "resume": resume}
"""What operators can do with a task, by the word of the button and of the command."""
