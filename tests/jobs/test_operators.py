"""Operators see background work, and can run, pause and repeat it: in the admin and by commands."""

import re
from datetime import timedelta
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from jobs import context
from jobs.models import Clock, DuePeriod, Run, TaskState
from jobs.retention import RETENTION
from jobs.tasks import delete_old_records
from observability.health import checks
from tests.factories import WorkspaceFactory
from tests.jobs.effects import effect, fails
from traces.tasks import delete_old_traces
from web.clock import ClocksDiffer

pytestmark = pytest.mark.django_db(databases="__all__")

PAGE = "/admin/jobs/taskstate/"
RETENTION_TASK = "traces.delete_old_traces"


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    context.last_state.forget()
    checks.forget()


@pytest.fixture
def running_clock() -> None:
    Clock.objects.create(ticked_at=timezone.now())


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator"))
    return client


def failed_job(failure: str = "Traceback …\nValueError: broken <b>here</b>") -> int:
    job_id = fails.defer(key="k")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed', attempts = 1 WHERE id = %s", [job_id])
    Run.objects.create(task="tests.fails", job_id=job_id, started_at=timezone.now(), seconds=1.5, failure=failure)
    return job_id


def waits(seconds: float) -> None:
    """Makes all waiting jobs due since this many seconds."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET scheduled_at = now() - make_interval(secs => %s)", [seconds])


def ready(client: Client) -> dict[str, Any]:
    response = client.get("/readyz")
    assert response.status_code == 200
    return response.json()["jobs"]


def test_the_page_shows_every_task_with_what_it_does_and_when(operator: Client, running_clock: None) -> None:
    TaskState.objects.create(name=RETENTION_TASK, runs=7, failures=2)
    page = operator.get(PAGE).content.decode()
    assert RETENTION_TASK in page
    assert "Deletes traces, scores and their sums past their retention" in page
    assert "daily at 03:10 of each time zone" in page
    assert "daily at 03:40 UTC" in page
    assert "builtin:" not in page
    for rule in RETENTION:
        assert rule.rows in page


def test_the_page_shows_failures_with_their_traceback_as_text(operator: Client, running_clock: None) -> None:
    failed_job()
    page = operator.get(PAGE).content.decode()
    assert "ValueError: broken &lt;b&gt;here&lt;/b&gt;" in page
    assert "<b>here" not in page


def test_a_failed_job_can_be_run_again(operator: Client) -> None:
    job_id = failed_job()
    page = operator.post(PAGE, {"job": job_id}, follow=True)
    assert f"Job {job_id} runs as soon as a worker is free." in page.content.decode()
    job = ProcrastinateJob.objects.get(id=job_id)
    assert (job.status, job.attempts) == ("todo", 0)  # with all its attempts


def test_jobs_for_later_are_shown_apart_and_are_not_late(operator: Client, running_clock: None) -> None:
    for _ in range(3):
        effect.defer(key="k")
    waits(-3600)
    effect.defer(key="k")
    page = operator.get(PAGE).content.decode()
    assert re.search(r"<td>1, for [^<;]+; 3 for later</td>", page)
    assert ready(operator)["lag_seconds"] < 60


def test_run_now_does_not_wait_for_the_next_attempt_of_a_job_and_names_a_pause(operator: Client) -> None:
    operator.post(PAGE, {"task": RETENTION_TASK, "action": "run"})
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET scheduled_at = now() + interval '2 hours', attempts = 3")
    operator.post(PAGE, {"task": RETENTION_TASK, "action": "run"})
    assert ProcrastinateJob.objects.get().scheduled_at <= timezone.now()
    operator.post(PAGE, {"task": RETENTION_TASK, "action": "pause"})
    page = operator.post(PAGE, {"task": RETENTION_TASK, "action": "run"}, follow=True)
    assert "is paused. Resume it first." in page.content.decode()


def test_the_counts_of_a_task_cannot_be_edited(operator: Client) -> None:
    TaskState.objects.create(name=RETENTION_TASK)
    assert operator.get(f"{PAGE}{RETENTION_TASK}/change/").status_code == 404


@pytest.mark.parametrize("which", ["default", "analytics"])
def test_nothing_is_deleted_while_clocks_differ(which: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if which == "analytics":
        monkeypatch.setattr("web.clock.clock.fault", lambda: "The server's clock is 4000 s ahead.")
    else:
        ahead = timezone.now() + timedelta(days=400)
        monkeypatch.setattr("web.clock.timezone.now", lambda: ahead)
    Run.objects.create(task="t", job_id=1, started_at=timezone.now() - timedelta(days=300), seconds=0)
    for run_task in (delete_old_records, partial(delete_old_traces, subject="UTC")):
        with pytest.raises(ClocksDiffer):
            run_task(due_at=(timezone.now() - timedelta(days=1)).isoformat())
    assert Run.objects.exists()


def test_a_task_of_the_timetable_can_be_run_now(operator: Client) -> None:
    operator.post(PAGE, {"task": RETENTION_TASK, "action": "run"})
    [job] = ProcrastinateJob.objects.all()
    assert (job.task_name, job.args["subject"]) == (RETENTION_TASK, "UTC")
    assert "due_at" in job.args


def test_a_task_can_be_paused_and_resumed(operator: Client) -> None:
    operator.post(PAGE, {"task": RETENTION_TASK, "action": "pause"})
    assert TaskState.objects.get(name=RETENTION_TASK).is_paused
    assert "(paused)" in operator.get(PAGE).content.decode()
    operator.post(PAGE, {"task": RETENTION_TASK, "action": "resume"})
    assert not TaskState.objects.get(name=RETENTION_TASK).is_paused


@pytest.mark.parametrize(
    "form", [{}, {"task": "no.task", "action": "run"}, {"task": RETENTION_TASK, "action": "drop"}, {"job": "9" * 40}]
)
def test_what_no_button_sends_changes_nothing(operator: Client, form: dict[str, str]) -> None:
    assert operator.post(PAGE, form).status_code == 302
    assert not ProcrastinateJob.objects.exists()
    assert not TaskState.objects.exists()


def test_others_neither_see_nor_change_it(client: Client) -> None:
    assert client.get(PAGE).status_code == 302
    client.force_login(User.objects.create_user("ada", is_staff=True))
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, {"task": RETENTION_TASK, "action": "pause"}).status_code == 403


def test_the_command_does_what_the_page_does(running_clock: None) -> None:
    job_id = failed_job()

    def said(*arguments: str) -> str:
        call_command("jobs", *arguments, stdout=(out := StringIO()))
        return out.getvalue()

    assert f"Failed: job {job_id}, tests.fails: ValueError: broken <b>here</b>" in said()
    assert f"{RETENTION_TASK}: daily at 03:10 of each time zone, never run, 0 runs, 0 failed" in said()
    assert "0 waiting, 0 for later" in said()
    said("pause", RETENTION_TASK)
    assert "0 for later, paused" in said()
    said("resume", RETENTION_TASK)
    said("again", str(job_id))
    said("run", RETENTION_TASK)
    assert ProcrastinateJob.objects.filter(status="todo").count() == 2
    assert said("run", "tests.fails") == "tests.fails is not in the timetable.\n"
    for wrong in (["run", "nothing"], ["again", "x"], ["pause"]):
        with pytest.raises(CommandError):
            call_command("jobs", *wrong)


def test_readyz_names_the_state_of_the_jobs_and_stays_ready(client: Client) -> None:
    assert ready(client) == {"state": "stopped", "lag_seconds": None}
    checks.forget()
    Clock.objects.create(ticked_at=timezone.now())
    assert ready(client) == {"state": "ok", "lag_seconds": 0.0}
    checks.forget()
    effect.defer(key="k")
    waits(150)
    late = ready(client)
    assert late["state"] == "late"
    assert 150 <= late["lag_seconds"] < 160
    checks.forget()
    Clock.objects.update(ticked_at=timezone.now() - timedelta(minutes=10))
    stopped = ready(client)
    assert stopped["state"] == "stopped"
    assert 600 <= stopped["lag_seconds"] < 610


def test_a_job_for_later_is_not_late(client: Client, running_clock: None) -> None:
    effect.configure(schedule_in={"hours": 5}).defer(key="k")
    assert ready(client) == {"state": "ok", "lag_seconds": 0.0}


def test_a_message_that_waits_for_the_one_before_it_is_not_late(client: Client, running_clock: None) -> None:
    for number in range(2):
        fails.configure(queue="deliveries", lock="channel 1").defer(key=str(number))
    waits(150)
    assert ready(client)["state"] == "late"
    checks.forget()
    with connection.cursor() as cursor:
        first = "SELECT min(id) FROM procrastinate_jobs"
        cursor.execute(f"UPDATE procrastinate_jobs SET status = 'doing' WHERE id = ({first})")
    assert ready(client) == {"state": "ok", "lag_seconds": 0.0}


def test_metrics_count_runs_failures_and_lag_by_task(client: Client, running_clock: None) -> None:
    TaskState.objects.create(name=RETENTION_TASK, runs=7, failures=2, run_seconds=3.5)
    effect.defer(key="k")
    waits(30)
    text = client.get("/metrics").content.decode()
    assert f'observability_job_runs_total{{task="{RETENTION_TASK}"}} 7.0' in text
    assert f'observability_job_failures_total{{task="{RETENTION_TASK}"}} 2.0' in text
    assert f'observability_job_run_seconds_total{{task="{RETENTION_TASK}"}} 3.5' in text
    assert 'observability_job_lag_seconds{task="tests.effect"} 3' in text
    assert "observability_job_clock_up 1.0" in text


def test_staff_are_warned_on_every_page_while_the_clock_stands_still(operator: Client) -> None:
    warning = "No worker has run: nothing is deleted, sent or computed ahead."
    assert warning in operator.get("/admin/").content.decode()
    page = operator.get("/dashboard/usage", {"workspace": str(WorkspaceFactory().id)})
    assert warning in page.content.decode()
    Clock.objects.create(ticked_at=timezone.now() - timedelta(hours=3))
    context.last_state.forget()
    assert "No worker has run for 3 hours" in operator.get("/admin/").content.decode()
    Clock.objects.update(ticked_at=timezone.now())
    context.last_state.forget()
    assert "No worker" not in operator.get("/admin/").content.decode()


def test_old_records_are_deleted_and_new_ones_stay() -> None:
    now = timezone.now()
    for days in (1, 10, 40):
        for failure in ("", "ValueError"):
            moment = now - timedelta(days=days)
            Run.objects.create(task="t", job_id=1, started_at=moment, seconds=0, failure=failure)
    DuePeriod.objects.create(task="t", subject="", due_at=now - timedelta(days=101))
    DuePeriod.objects.create(task="u", subject="", due_at=now - timedelta(days=99))
    old, new = failed_job(), failed_job()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_events SET at = now() - interval '31 days' WHERE job_id = %s", [old])
    Run.objects.filter(task="tests.fails").delete()
    delete_old_records(due_at=now.isoformat())
    left = {((now - run.started_at).days, run.failure) for run in Run.objects.all()}
    assert left == {(1, ""), (1, "ValueError"), (10, "ValueError")}
    assert DuePeriod.objects.get().task == "u"
    assert ProcrastinateJob.objects.get().id == new


def test_every_table_names_its_retention() -> None:
    tables: set[str] = set()
    for alias in connections:
        with connections[alias].cursor() as cursor:
            tables |= set(connections[alias].introspection.table_names(cursor))
    named = [table for rule in RETENTION for table in rule.tables.split()]
    assert set(named) == tables
    assert len(named) == len(set(named))
