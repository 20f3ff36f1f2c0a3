"""Reports that go out: each due one exactly once, or visibly failed."""

from datetime import UTC, date, datetime, timedelta
from threading import Thread
from typing import Any
from unittest.mock import patch

import pytest
from django.core import mail as outbox
from django.db import connections
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from alerts.models import Delivery
from reports.making import file as real_file
from reports.models import ReportDelivery, ReportFile, ReportRun, Unsubscribed
from reports.schedules import making, parts, plan, sending
from reports.schedules.making import NOBODY_LEFT
from reports.schedules.plan import MISSED_ERROR
from reports.schedules.sending import UNKNOWN
from reports.tasks import delete_old_files
from tests.alerts.rules import a_channel
from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory
from tests.jobs_helper import waiting_jobs
from tests.reports.schedules import DAY, NOW, TO, a_kind, a_schedule, look, only_run, states, work
from tests.tenant import Tenant
from web.mail.delivery import MailFault, MailRefused
from web.problems import Problem
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture(autouse=True)
def kind() -> Any:
    with a_kind():
        yield


@pytest.fixture
def workspace() -> Workspace:
    return WorkspaceFactory(name="Acme")


def messages() -> list[Any]:
    return outbox.outbox


# --- Each once ---


def test_a_report_goes_out_once_however_often_workers_look(workspace: Workspace) -> None:
    schedule = a_schedule(workspace)
    for minutes in range(0, 60, 5):
        look(NOW + timedelta(minutes=minutes))
        work()
    [message] = messages()
    assert (message.to, message.subject) == ([TO], "Costs, 15 Nov 2026")
    assert [name for name, _, _ in message.attachments] == ["test_2026-11-15.csv"]
    assert "It is about Acme." in message.body
    run = only_run(schedule)
    assert (run.state, run.first_day, run.start, run.end) == (
        "sent",
        date(2026, 11, 15),
        datetime(2026, 11, 15, tzinfo=UTC),
        datetime(2026, 11, 16, tzinfo=UTC),
    )


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_two_workers_that_look_at_once_begin_it_once(workspace: Workspace) -> None:
    schedule = a_schedule(workspace)

    def worker() -> None:
        plan.begin_all_due(NOW)
        connections.close_all()

    threads = [Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states(schedule) == {"2026-11-15": "waiting"}
    assert len(waiting_jobs("reports.make")) == 1


def test_nothing_is_due_before_its_hour_and_nothing_of_before_it_was_made(workspace: Workspace) -> None:
    schedule = a_schedule(workspace, due_after=NOW)
    look(NOW + DAY - timedelta(hours=1))
    assert states(schedule) == {}
    look(NOW + DAY)
    assert states(schedule) == {"2026-11-16": "waiting"}


def test_after_two_days_without_a_worker_the_newest_goes_out_and_the_others_are_named(workspace: Workspace) -> None:
    schedule = a_schedule(workspace)
    look(NOW + 2 * DAY)
    work()
    assert states(schedule) == {"2026-11-15": "missed", "2026-11-16": "missed", "2026-11-17": "sent"}
    assert [message.subject for message in messages()] == ["Costs, 17 Nov 2026"]
    assert schedule.runs.get(state="missed", first_day="2026-11-15").error == MISSED_ERROR


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Honolulu"])
def test_another_zone_repeats_no_day_and_leaves_none_out(workspace: Workspace, zone: str) -> None:
    schedule = a_schedule(workspace, due_after=NOW - 3 * DAY)
    for hours in range(-48, 99, 3):
        if hours == 0:
            workspace.time_zone = zone
            workspace.save()
        look(NOW + timedelta(hours=hours))
        work()
    days = sorted(states(schedule))
    assert days == [str(date(2026, 11, 13) + number * DAY) for number in range(len(days))]
    assert {*states(schedule).values()} == {"sent"}
    assert len({message.subject for message in messages()}) == len(messages()) == len(days)


def test_another_hour_makes_none_twice_and_another_period_begins_anew(tenant: Tenant) -> None:
    schedule = a_schedule(tenant.workspace)
    look()
    for changes, expected in (
        ({"schedule": {"hour": 6}}, {"2026-11-15": "waiting"}),
        ({"schedule": {"hour": 23}}, {"2026-11-15": "waiting"}),
        ({"period": "week"}, {"2026-11-15": "waiting"}),
    ):
        path = f"/api/v1/reports/{schedule.pk}"
        answer = tenant.client.patch(path, changes, content_type="application/json")
        assert answer.status_code == 200, answer.content
        look(NOW + timedelta(hours=1))
        assert states(schedule) == expected


def test_one_that_is_off_makes_nothing_and_begins_with_the_next_when_it_is_on(tenant: Tenant) -> None:
    schedule = a_schedule(tenant.workspace, is_active=False)
    look()
    tenant.client.patch(f"/api/v1/reports/{schedule.pk}", {"is_active": True}, content_type="application/json")
    look()
    assert states(schedule) == {}


# --- Workers that are killed ---


def test_a_worker_that_dies_while_it_makes_files_makes_each_once(workspace: Workspace) -> None:
    schedule = a_schedule(workspace, formats=["csv", "xlsx"])
    look()
    run = only_run(schedule)
    parts.decide(run)
    parts.store(run, 0, "csv", parts.document_of(run, run.parts[0]))
    first = ReportFile.objects.get()
    work()  # the job that another worker takes up again
    assert ReportFile.objects.count() == 2
    assert ReportFile.objects.filter(pk=first.pk).exists()
    assert only_run(schedule).state == "sent"


def test_a_job_that_runs_again_hands_nothing_out_twice(workspace: Workspace) -> None:
    schedule = a_schedule(workspace, channels=[])
    look()
    run_id = str(only_run(schedule).pk)
    for _ in range(3):
        making.attempt(run_id)
    making.hand_out(only_run(schedule).pk, NOW)
    assert len(waiting_jobs("reports.deliver")) == 1
    work()
    for delivery in ReportDelivery.objects.all():
        sending.attempt(str(delivery.pk))
    assert len(messages()) == 1


def test_a_worker_that_dies_between_storing_and_sending_sends_once(workspace: Workspace) -> None:
    schedule = a_schedule(workspace)
    look()
    making.attempt(str(only_run(schedule).pk))
    [delivery] = ReportDelivery.objects.all()
    ProcrastinateJob.objects.all().delete()  # it was lost with its worker
    late = timezone.now() + timedelta(minutes=16)
    sending.take_up_forgotten(late)
    sending.attempt(str(delivery.pk))
    sending.attempt(str(delivery.pk))
    assert len(messages()) == 1
    assert only_run(schedule).state == "sent"


def test_a_worker_that_dies_while_it_sends_says_so_and_sends_nothing_twice(workspace: Workspace) -> None:
    schedule = a_schedule(workspace)
    look()
    making.attempt(str(only_run(schedule).pk))
    [delivery] = ReportDelivery.objects.all()
    assert sending.claim(delivery)  # and here it is killed
    work()
    assert messages() == []
    run = only_run(schedule)
    assert (run.state, run.error) == ("failed", f"1 of 1 messages could not be sent. {UNKNOWN}")


def test_a_message_that_was_sent_but_not_recorded_is_not_sent_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = a_schedule(workspace)
    look()
    making.attempt(str(only_run(schedule).pk))
    [delivery] = ReportDelivery.objects.all()
    with monkeypatch.context() as away:
        away.setattr(sending, "record", broken)
        with pytest.raises(RuntimeError):
            sending.attempt(str(delivery.pk))
    sending.attempt(str(delivery.pk))
    assert len(messages()) == 1
    assert only_run(schedule).error == f"1 of 1 messages could not be sent. {UNKNOWN}"


def broken(*args: Any, **values: Any) -> Any:
    raise RuntimeError("secret text of a prompt")


def test_a_run_whose_job_is_lost_is_taken_up(workspace: Workspace) -> None:
    schedule = a_schedule(workspace)
    look()
    ProcrastinateJob.objects.all().delete()
    look(NOW + timedelta(minutes=16))
    making.attempt(str(only_run(schedule).pk))
    work()
    assert states(schedule) == {"2026-11-15": "sent"}


# --- What fails ---


def failing(monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    def refuse(message: Any) -> None:
        raise fault

    monkeypatch.setattr(sending, "deliver", refuse)


def test_a_mail_server_that_fails_is_tried_again_and_then_it_is_said(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = MembershipFactory(workspace=workspace, user=UserFactory(email="owner@example.com")).user
    schedule = a_schedule(workspace, owner=owner)
    failing(monkeypatch, MailFault("The mail server did not answer."))
    look()
    making.attempt(str(only_run(schedule).pk))
    [delivery] = ReportDelivery.objects.all()
    for attempts, minutes in enumerate((1, 5, 30, 120), start=1):
        sending.attempt(str(delivery.pk))
        delivery.refresh_from_db()
        assert (delivery.state, delivery.attempts) == ("waiting", attempts)
        assert delivery.next_at is not None
        assert timedelta(minutes=minutes - 1) < delivery.next_at - timezone.now() <= timedelta(minutes=minutes)
        assert only_run(schedule).state == "running"
    sending.attempt(str(delivery.pk))
    run = only_run(schedule)
    assert (run.state, run.error) == ("failed", "1 of 1 messages could not be sent. The mail server did not answer.")
    [job] = waiting_jobs("web.send_mail")
    assert (job.args["to"], job.args["template"]) == ("owner@example.com", "report_failed")


@pytest.mark.parametrize("why", ["left the workspace", "cannot sign in", "has no address", "has a wrong address"])
def test_a_failure_is_written_to_nobody_who_may_not_know_it(workspace: Workspace, why: str) -> None:
    email = {"has no address": "", "has a wrong address": "nobody"}.get(why, "owner@example.com")
    owner = UserFactory(email=email, is_active=why != "cannot sign in")
    if why != "left the workspace":
        MembershipFactory(workspace=workspace, user=owner)
    schedule = a_schedule(workspace, owner=owner, addresses=[])
    look()
    making.attempt(str(only_run(schedule).pk))
    assert only_run(schedule).error == NOBODY_LEFT
    assert waiting_jobs("web.send_mail") == []


def test_one_that_is_refused_does_not_stop_the_others(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = a_schedule(workspace, addresses=["gone@example.com", TO])
    deliver = sending.deliver

    def refuse_one(message: Any) -> None:
        if message.to == ["gone@example.com"]:
            raise MailRefused("No such user.")
        deliver(message)

    monkeypatch.setattr(sending, "deliver", refuse_one)
    look()
    work()
    assert [message.to for message in messages()] == [[TO]]
    assert only_run(schedule).error == "1 of 2 messages could not be sent. No such user."


def test_a_report_that_cannot_be_made_is_tried_again_and_then_it_is_said(workspace: Workspace) -> None:
    schedule = a_schedule(workspace)
    look()

    with a_kind(broken):
        for _ in range(5):
            assert only_run(schedule).state in ("waiting", "running")
            making.attempt(str(only_run(schedule).pk))
    with a_kind():
        making.attempt(str(only_run(schedule).pk))
    run = only_run(schedule)
    assert (run.state, run.error) == ("failed", making.FAULT)
    assert messages() == []


def test_what_another_attempt_cannot_mend_fails_at_once(workspace: Workspace) -> None:
    schedule = a_schedule(workspace)
    look()

    def refused(request: Any) -> Any:
        raise Problem(422, "Too many rows.")

    with a_kind(refused):
        making.attempt(str(only_run(schedule).pk))
    assert (only_run(schedule).state, only_run(schedule).error) == ("failed", "Too many rows.")


def test_a_report_that_is_too_large_says_so(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "MOST_BYTES", 3)
    schedule = a_schedule(workspace)
    look()
    work()
    assert "is larger than" in only_run(schedule).error


def test_mail_that_is_off_is_said(workspace: Workspace, settings: Any) -> None:
    settings.MAIL_IS_ON = False
    schedule = a_schedule(workspace)
    look()
    work()
    assert "Mail is off" in only_run(schedule).error


# --- To whom ---


def test_members_get_it_while_they_are_members_and_each_address_once(workspace: Workspace) -> None:
    ada, ben = (
        UserFactory(username="ada", email="ADA@example.com"),
        UserFactory(username="ben", email="ben@example.com"),
    )
    for user in (ada, ben):
        MembershipFactory(workspace=workspace, user=user)
    schedule = a_schedule(workspace, members=["ada", "ben"], addresses=["ada@example.com"])
    ben.memberships.all().delete()
    look()
    work()
    assert [message.to for message in messages()] == [["ada@example.com"]]
    assert only_run(schedule).state == "sent"


def test_channels_get_one_message_with_a_link(tenant: Tenant) -> None:
    channel = a_channel(tenant)
    schedule = a_schedule(tenant.workspace, addresses=[], channels=[channel])
    look()
    making.attempt(str(only_run(schedule).pk))
    making.attempt(str(only_run(schedule).pk))
    [delivery] = Delivery.objects.all()
    assert delivery.message["subject"] == "Costs, 15 Nov 2026"
    assert "/reports/files/" in delivery.message["links"][0][1]
    assert only_run(schedule).state == "running"
    Delivery.objects.update(state="failed", fault="It answered 500.")
    look()
    assert only_run(schedule).error == "1 of 1 messages could not be sent. It answered 500."


def test_without_anybody_left_it_has_failed(workspace: Workspace) -> None:
    schedule = a_schedule(workspace)
    Unsubscribed.objects.create(schedule=schedule, address=TO)
    look()
    work()
    assert (only_run(schedule).state, only_run(schedule).error) == ("failed", NOBODY_LEFT)
    assert messages() == []


def test_who_unsubscribes_before_it_is_sent_gets_nothing(workspace: Workspace) -> None:
    schedule = a_schedule(workspace)
    look()
    making.attempt(str(only_run(schedule).pk))
    Unsubscribed.objects.create(schedule=schedule, address=TO)
    work()
    assert messages() == []
    assert ReportDelivery.objects.get().state == "left out"
    assert only_run(schedule).state == "sent"


# --- One for each value ---


def test_each_customer_has_a_report_of_its_own_the_largest_first(tenant: Tenant) -> None:
    noon = NOW - DAY + timedelta(hours=4)
    for name, cost in (("small", "1.00"), ("large", "9.00"), ("=cmd()", "2.00")):
        tenant.calls(1, at=noon, cost_usd=cost, labels={"customer": name})
    tenant.calls(1, at=noon, cost_usd="50.00")  # of no customer
    schedule = a_schedule(tenant.workspace, per="label.customer")
    look()
    work()
    run = only_run(schedule)
    assert run.parts is not None
    assert [part["value"] for part in run.parts] == ["large", "=cmd()", "small"]
    assert run.files.count() == 3
    assert len(messages()) == 1
    assert b"label.customer large" in bytes(run.files.get(place=0).body)


def test_each_statement_is_about_its_own_value_under_any_filter(tenant: Tenant) -> None:
    for name in ("acme", "globex"):
        tenant.calls(
            1, at=NOW - DAY, cost_usd="1.00", labels={"area": "north", "customer": name}, agent_id=f"of-{name}"
        )
    for per in ("label.customer", "agent"):
        schedule = a_schedule(tenant.workspace, kind="statement", per=per, filters={"label.area": ["north"]})
        look()
        work()
        titles = [part["title"] for part in only_run(schedule).parts or []]
        assert titles == [f"Statement for {part['value']}" for part in only_run(schedule).parts or []]
        assert len(titles) == 2


def test_more_values_than_fit_are_named(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "MOST_PARTS", 2)
    for number in range(3):
        tenant.calls(1, at=NOW - DAY, cost_usd=f"{number + 1}.00", agent_id=f"agent-{number}")
    schedule = a_schedule(tenant.workspace, per="agent")
    look()
    work()
    run = only_run(schedule)
    assert [part["value"] for part in run.parts or []] == ["agent-2", "agent-1"]
    assert run.note == "Only the 2 largest values of agent have a report: there are more."
    assert run.note in messages()[0].body


def test_a_period_without_any_value_says_so(tenant: Tenant) -> None:
    schedule = a_schedule(tenant.workspace, per="label.customer")
    look()
    work()
    assert only_run(schedule).state == "sent"
    assert "There is nothing to report" in messages()[0].body


def test_a_report_of_filters_is_about_them_alone(tenant: Tenant) -> None:
    schedule = a_schedule(tenant.workspace, filters={"agent_id": ["support"], "not_model": ["gpt-4o"]})
    look()
    work()
    assert b"agent_id support" in bytes(only_run(schedule).files.get().body)


# --- Real reports ---


@pytest.mark.parametrize("kind_name", ["usage", "cost", "performance", "statement"])
def test_every_kind_is_made_in_every_format(tenant: Tenant, kind_name: str) -> None:
    tenant.calls(2, at=NOW - DAY, cost_usd="1.50", latency_ms=200.0, labels={"customer": "acme"})
    schedule = a_schedule(tenant.workspace, kind=kind_name, per="label.customer", formats=["csv", "xlsx", "html"])
    with patch("reports.making.file", real_file):
        look()
        work()
    run = only_run(schedule)
    assert (run.state, run.error) == ("sent", "")
    assert {file.file_format for file in run.files.all()} == {"csv", "xlsx", "html"}
    assert b"acme" in bytes(run.files.get(file_format="html").body)
    [message] = messages()
    assert sorted(name.rpartition(".")[2] for name, _, _ in message.attachments) == ["csv", "xlsx"]


def test_a_pdf_is_attached(tenant: Tenant) -> None:
    pytest.importorskip("typst")
    tenant.calls(2, at=NOW - DAY, cost_usd="1.50")
    a_schedule(tenant.workspace, kind="cost", formats=["pdf"], paper="letter")
    with patch("reports.making.file", real_file):
        look()
        work()
    [(name, body, media_type)] = messages()[0].attachments
    assert (name[-4:], body[:5], media_type) == (".pdf", b"%PDF-", "application/pdf")


# --- Retention ---


def test_files_are_deleted_after_90_days_and_runs_after_400(workspace: Workspace) -> None:
    schedule = a_schedule(workspace)
    look()
    work()
    now = timezone.now()
    for days, files, runs in ((89, 1, 1), (91, 0, 1), (399, 0, 1), (401, 0, 0)):
        ReportFile.objects.update(created_at=now - days * DAY)
        ReportRun.objects.update(created_at=now - days * DAY)
        delete_old_files(now.isoformat())
        assert (ReportFile.objects.count(), schedule.runs.count()) == (files, runs)
