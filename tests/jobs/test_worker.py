"""A worker process takes jobs up, records their runs, and leaves nothing undone when it ends."""

import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from jobs import queue_table
from jobs.models import Clock, Run, TaskState
from tests.jobs.effects import TABLES, effect, fails
from tests.jobs.processes import running_worker
from tests.servers import environment_of_a_server, until

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def rows(sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [value for (value,) in cursor.fetchall()]


@pytest.fixture(autouse=True)
def effects() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        yield
        cursor.execute("DROP TABLE effects, attempts")


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[str]]:
    with running_worker(environment_of_a_server(0)) as process:
        until(Clock.objects.exists, "the clock runs")
        yield process


def test_a_job_runs_when_its_transaction_is_committed_and_not_before(worker: subprocess.Popen[str]) -> None:
    with transaction.atomic():
        effect.defer(key="rolled back")
        transaction.set_rollback(True)
    with transaction.atomic():
        effect.defer(key="committed")
        assert rows("SELECT key FROM attempts") == []
    until(lambda: rows("SELECT key FROM effects") == ["committed"], "the job has run")
    until(lambda: not ProcrastinateJob.objects.exists(), "the job is gone")
    run = Run.objects.get()
    assert (run.task, run.arguments, run.failure) == ("tests.effect", {"key": "committed"}, "")
    state = TaskState.objects.get()
    assert (state.name, state.runs, state.failures) == ("tests.effect", 1, 0)


def test_a_failed_job_is_recorded_with_its_traceback_without_secrets(worker: subprocess.Popen[str]) -> None:
    job_id = fails.defer(key="k")
    until(lambda: ProcrastinateJob.objects.filter(status="failed").exists(), "the job has failed")
    run = Run.objects.get()
    assert run.job_id == job_id
    assert run.reason.startswith("ValueError: no k")
    assert "effects.py" in run.failure
    assert "sk-abcdefghijkl" not in run.failure
    assert TaskState.objects.get().failures == 1


def test_a_paused_task_waits_and_goes_on_where_it_was(worker: subprocess.Popen[str]) -> None:
    TaskState.objects.create(name="tests.effect", is_paused=True)
    effect.defer(key="later")
    until(lambda: ProcrastinateJob.objects.filter(scheduled_at__year=9999).exists(), "the job waits")
    assert not Run.objects.exists()
    TaskState.objects.update(is_paused=False)
    until(lambda: rows("SELECT key FROM effects") == ["later"], "the job has run")


def test_a_signal_lets_running_jobs_end_and_starts_no_other(worker: subprocess.Popen[str]) -> None:
    for number in range(20):
        effect.defer(key=str(number), seconds=0.3)
    until(lambda: bool(rows("SELECT key FROM attempts")), "jobs run")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=20) == 0
    done = set(rows("SELECT key FROM effects"))
    assert done == set(rows("SELECT key FROM attempts"))
    assert ProcrastinateJob.objects.filter(status="todo").count() == 20 - len(done)
    assert not ProcrastinateJob.objects.filter(status="doing").exists()


def test_jobs_that_do_not_end_after_a_signal_are_handed_back() -> None:
    with running_worker(environment_of_a_server(0), grace_seconds=0.2) as worker:
        effect.defer(key="endless", seconds=3600)
        until(lambda: bool(rows("SELECT key FROM attempts")), "the job runs")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=20) == 0
    [job] = ProcrastinateJob.objects.all()
    assert (job.status, job.attempts) == ("todo", 0)


def test_the_jobs_of_a_killed_worker_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_worker(environment_of_a_server(0)) as worker:
        effect.defer(key="k", seconds=3600)
        until(lambda: bool(rows("SELECT key FROM attempts")), "the job runs")
        worker.kill()
        worker.wait()
    queue_table.give_back_abandoned()
    assert ProcrastinateJob.objects.get().status == "doing"  # its worker may still live
    monkeypatch.setattr(queue_table, "ABANDONED_SECONDS", 0)
    queue_table.give_back_abandoned()
    job = ProcrastinateJob.objects.get()
    assert (job.status, job.attempts) == ("todo", 1)


def test_a_job_that_takes_its_workers_down_fails_at_last() -> None:
    effect.defer(key="k")
    for attempt in range(1, queue_table.MAX_ATTEMPTS + 1):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE procrastinate_jobs SET status = 'doing'")
        queue_table.give_back_abandoned()
        job = ProcrastinateJob.objects.get()
        assert (job.status, job.attempts) == ("todo" if attempt < queue_table.MAX_ATTEMPTS else "failed", attempt)
    assert Run.objects.get().reason == "Its worker ended 10 times before the job did."


def test_a_worker_whose_job_ends_while_the_database_is_away_leaves_it_to_the_next() -> None:
    """The connections of the worker break when the job wants to record its end."""
    with running_worker(environment_of_a_server(0)) as worker:
        until(Clock.objects.exists, "the clock runs")
        effect.defer(key="k", seconds=0.5)
        until(lambda: bool(rows("SELECT key FROM attempts")), "the job runs")
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE procrastinate_jobs RENAME TO hidden")
        try:
            worker.wait(timeout=30)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE hidden RENAME TO procrastinate_jobs")
    assert ProcrastinateJob.objects.get().status == "doing"
    queue_table.give_back_abandoned()
    assert ProcrastinateJob.objects.get().status == "todo"
