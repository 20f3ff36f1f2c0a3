"""A worker process takes jobs up, records their runs, and leaves nothing undone when it ends."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import ConnectorException

from jobs import queue_table
from jobs.models import Clock, Run, TaskState
from jobs.runs import safe_traceback
from jobs.worker import OWN_THREADS, Pace, run_clock
from observability.launcher.program import JobWorker
from tests.jobs.effects import TABLES, effect, fails
from tests.jobs.processes import running_worker
from tests.servers import environment_of_a_server, until

BEATS = """
import pathlib, sys, time
while True:
    pathlib.Path(sys.argv[1]).touch()
    time.sleep(0.05)
"""

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


def test_many_long_jobs_starve_neither_the_clock_nor_the_end() -> None:
    """More jobs than the threads that Python has ready on this machine."""
    jobs = 2 * min(32, (os.cpu_count() or 1) + 4)
    with running_worker(environment_of_a_server(0, JOB_THREADS=str(jobs)), grace_seconds=0.2) as worker:
        until(Clock.objects.exists, "the clock runs")
        for number in range(jobs):
            effect.defer(key=str(number), seconds=3600)
        until(lambda: len(rows("SELECT key FROM attempts")) >= min(32, (os.cpu_count() or 1) + 4), "jobs run")
        long_ago = timezone.now() - timedelta(hours=1)
        Clock.objects.update(ticked_at=long_ago)
        until(lambda: Clock.objects.get().ticked_at > long_ago, "the clock looks at the timetable", 20)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=20) == 0
    assert not ProcrastinateJob.objects.filter(status="doing").exists()


def test_slow_receivers_take_no_thread_from_other_jobs() -> None:
    with running_worker(environment_of_a_server(0, JOB_THREADS="1"), grace_seconds=0.2):
        for number in range(3 * OWN_THREADS["deliveries"]):
            effect.configure(queue="deliveries").defer(key=f"slow {number}", seconds=3600)
        until(lambda: len(rows("SELECT key FROM attempts")) == OWN_THREADS["deliveries"], "receivers are waited for")
        for number in range(3):
            effect.defer(key=f"quick {number}")
        until(lambda: len(rows("SELECT key FROM effects")) == 3, "the other jobs run")
        assert len(rows("SELECT key FROM attempts WHERE key LIKE 'slow%'")) == OWN_THREADS["deliveries"]


def test_slow_jobs_take_no_thread_from_deliveries() -> None:
    with running_worker(environment_of_a_server(0, JOB_THREADS="1"), grace_seconds=0.2):
        for number in range(5):
            effect.defer(key=f"slow {number}", seconds=3600)
        until(lambda: bool(rows("SELECT key FROM attempts")), "a slow job runs")
        for number in range(20):
            effect.configure(queue="deliveries", lock=f"channel {number % 2}").defer(key=f"quick {number}")
        until(lambda: len(rows("SELECT key FROM effects")) == 20, "the deliveries are made")
        assert len(rows("SELECT key FROM attempts WHERE key LIKE 'slow%'")) == 1


def test_a_worker_that_loses_the_queue_does_not_wait_for_its_longest_job() -> None:
    with running_worker(environment_of_a_server(0), grace_seconds=0.2) as worker:
        effect.defer(key="k", seconds=3600)
        until(lambda: bool(rows("SELECT key FROM attempts")), "the job runs")
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE procrastinate_jobs RENAME TO hidden")
        try:
            worker.wait(timeout=30)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE hidden RENAME TO procrastinate_jobs")


def test_a_job_that_runs_for_longer_than_any_may_ends_its_worker() -> None:
    with running_worker(environment_of_a_server(0), grace_seconds=0.2, job_seconds=0.2) as worker:
        effect.defer(key="endless", seconds=3600)
        assert worker.wait(timeout=20) == 0
        assert worker.stderr
        assert "A job has run for longer than any may. The worker ends." in worker.stderr.read()
    assert ProcrastinateJob.objects.get().status == "todo"


def test_jobs_that_are_due_at_once_start_one_after_the_other() -> None:
    pace = Pace()
    assert [pace.wait_seconds(now) for now in (100, 100, 100, 110)] == pytest.approx([0, 0.05, 0.1, 0])
    for key in ("first", "second"):
        effect.defer(key=key)
    with running_worker(environment_of_a_server(0), start_every_seconds=3600):
        until(lambda: rows("SELECT status::text FROM procrastinate_jobs") == ["doing"], "the first job is done")
        assert rows("SELECT key FROM attempts") == ["first"]


def test_a_worker_shows_that_it_lives(tmp_path: Path) -> None:
    file = tmp_path / "heartbeat"
    with running_worker(environment_of_a_server(0), heartbeat=file):
        until(file.exists, "the first beat")
        first = file.stat().st_mtime_ns
        until(lambda: file.stat().st_mtime_ns > first, "the next beat")


def test_the_launcher_kills_a_worker_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("observability.launcher.program.SILENT_SECONDS", 1)
    program = JobWorker(heartbeat := tmp_path / "heartbeat")
    program.command = ["-c", BEATS, str(heartbeat)]
    with program.running():
        assert program.process
        until(heartbeat.exists, "it beats")
        program.process.send_signal(signal.SIGSTOP)
        until(lambda: program.ended() is not None, "it is killed")
        assert program.process.returncode == -signal.SIGKILL


def test_a_job_of_a_newer_version_waits_for_a_newer_worker(worker: subprocess.Popen[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('default', 'of.tomorrow', '{}')"
        )
        cursor.execute('SELECT pg_notify(\'procrastinate_any_queue_v1\', \'{"type": "job_inserted", "job_id": 1}\')')
    until(lambda: ProcrastinateJob.objects.filter(attempts=1).exists(), "the worker has seen it")
    job = ProcrastinateJob.objects.get()
    assert job.status == "todo"
    assert job.scheduled_at > timezone.now()


def test_a_heartbeat_of_the_future_holds_no_job() -> None:
    """Its worker was killed while the clock was ahead, which was then set right."""
    effect.defer(key="k")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() + interval '1 day') RETURNING id"
        )
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", cursor.fetchone())
    queue_table.give_back_abandoned()
    assert ProcrastinateJob.objects.get().status == "todo"


def test_a_fault_in_one_look_does_not_end_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    def fail_at_first() -> None:
        looks.append(1)
        if len(looks) < 3:
            raise [ZoneInfoNotFoundError("Mars/Olympus"), ConnectorException()][len(looks) - 1]

    async def some_looks() -> None:
        clock = asyncio.create_task(run_clock(SimpleNamespace(hangs=False)))
        while len(looks) < 3:
            await asyncio.sleep(0.01)
        clock.cancel()

    monkeypatch.setattr("jobs.worker.tick_once", fail_at_first)
    monkeypatch.setattr("jobs.worker.TICK_SECONDS", 0)
    asyncio.run(asyncio.wait_for(some_looks(), 20))


def test_a_traceback_quotes_no_rows() -> None:
    prompt = "what nobody " + "else may read"
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO effects VALUES (%s), (%s)", [prompt, prompt])
    assert prompt in str(caught.value)
    try:
        raise caught.value
    except IntegrityError:
        traceback = safe_traceback()
    assert "duplicate key" in traceback
    assert prompt not in traceback
