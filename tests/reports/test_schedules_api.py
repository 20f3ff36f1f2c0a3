"""Schedules over HTTP: made, changed, run, their files and links, and who may do what."""

import re
from datetime import timedelta
from email import message_from_bytes
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail as outbox
from django.core import signing
from django.test import Client
from django.utils import timezone

from reports.models import ReportFile, ReportRun, Schedule, Unsubscribed
from reports.schedules import links
from tests.alerts.rules import a_channel
from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory, an_api_key
from tests.jobs_helper import waiting_jobs
from tests.reports.schedules import NOW, TO, a_kind, a_schedule, look, only_run, work
from tests.security.payloads import PAYLOADS
from tests.security.world import selecting, signed_in
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__")

REPORTS = "/api/v1/reports"
BODY = {"name": "Costs", "kind": "test", "period": "month", "recipients": {"addresses": [TO]}, "formats": ["csv"]}


@pytest.fixture(autouse=True)
def kind() -> Any:
    with a_kind():
        yield


def send(tenant: Tenant, body: Any = None, path: str = REPORTS, method: str = "post", expect: int = 0) -> Any:
    response = getattr(tenant.client, method)(path, body, content_type="application/json")
    assert response.status_code == expect or (not expect and response.status_code < 300), response.content
    return response.json() if response.content else None


def sent_run(tenant: Tenant, **values: Any) -> ReportRun:
    """Returns a run of yesterday that was sent."""
    schedule = a_schedule(tenant.workspace, **values)
    look()
    work()
    run = only_run(schedule)
    assert run.state == "sent"
    return run


def link_in(message: Any, part: str) -> str:
    found = re.search(rf"https?://[^/\s]+(/reports/{part}/[^\s>]+)", message.body)
    assert found is not None, message.body
    return found[1]


# --- Schedules ---


def test_a_schedule_needs_only_name_kind_and_period(tenant: Tenant) -> None:
    made = send(tenant, {"name": "Costs", "kind": "test", "period": "day"}, expect=201)
    assert (made["schedule"], made["formats"], made["link_days"]) == (
        {"hour": 8, "weekday": "monday", "day": 1},
        ["pdf", "xlsx"],
        7,
    )
    assert made["next_due_at"] is not None
    assert send(tenant, method="get")["data"] == [made]
    assert send(tenant, path=f"{REPORTS}/{made['id']}", method="get") == made


def test_all_values_are_stored_and_a_change_keeps_the_others(tenant: Tenant) -> None:
    channel = a_channel(tenant)
    body = BODY | {
        "filters": {"agent_id": ["support"], "label.customer": "acme"},
        "per": "label.customer",
        "schedule": {"hour": 23, "day": 31},
        "recipients": {"addresses": [TO], "channels": ["team"]},
        "paper": "letter",
        "link_days": 90,
    }
    made = send(tenant, body, expect=201)
    assert made["filters"] == {"agent_id": ["support"], "label.customer": ["acme"]}
    assert made["recipients"] == {"members": [], "addresses": [TO], "channels": [str(channel.pk)]}
    changed = send(tenant, {"schedule": {"hour": 7}}, f"{REPORTS}/{made['id']}", "patch")
    assert changed["schedule"] == {"hour": 7, "weekday": "monday", "day": 31}
    kept = ("filters", "per", "recipients", "paper", "link_days", "name", "period")
    assert {name: changed[name] for name in kept} == {name: made[name] for name in kept}
    send(tenant, path=f"{REPORTS}/{made['id']}", method="delete", expect=204)
    send(tenant, path=f"{REPORTS}/{made['id']}", method="get", expect=404)


def test_one_that_is_sent_again_is_not_made_again(tenant: Tenant) -> None:
    body = BODY | {"id": str(uuid4())}
    send(tenant, body, expect=201)
    send(tenant, body, expect=200)
    assert Schedule.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"name": " "}, "name"),
        ({"kind": "nothing"}, "kind"),
        ({"kind": "statement"}, "per"),
        ({"period": "year"}, "period"),
        ({"per": "model"}, "per"),
        ({"filters": {"nothing": ["x"]}}, "filters.nothing"),
        ({"filters": {"status": ["x"]}}, "filters"),
        ({"schedule": {"hour": 24}}, "schedule.hour"),
        ({"schedule": {"hour": True}}, "schedule.hour"),
        ({"schedule": {"weekday": "Mon"}}, "schedule.weekday"),
        ({"schedule": {"day": 0}}, "schedule.day"),
        ({"formats": []}, "formats"),
        ({"formats": ["doc"]}, "formats.0"),
        ({"link_days": 91}, "link_days"),
        ({"recipients": {"addresses": ["nobody"]}}, "recipients.addresses.0"),
        ({"recipients": {"members": ["nobody"]}}, "recipients.members"),
        ({"recipients": {"channels": ["nobody"]}}, "recipients.channels.0"),
        ({"recipients": {"addresses": [f"a{n}@example.com" for n in range(21)]}}, "recipients.addresses"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_what_is_wrong_is_named(tenant: Tenant, change: Any, where: str) -> None:
    answer = send(tenant, BODY | change, expect=422)
    places = [".".join(map(str, error["loc"][1:])) for error in answer["errors"]]
    assert any(place == where or place.startswith(f"{where}.") for place in places), answer
    assert Schedule.objects.count() == 0


@pytest.mark.parametrize(
    "address",
    [
        "a@example.com\nBcc: b@example.com",
        "a@example.com\r\nSubject: x",
        "a@example.com, b@example.com",
        "A <a@example.com>",
        "a@example.com\0",
        "a@exam\u2028ple.com",
        "'a@example.com\n'@example.com",
    ],
)
def test_an_address_cannot_hold_another_header_or_recipient(tenant: Tenant, address: str) -> None:
    send(tenant, BODY | {"recipients": {"addresses": [address]}}, expect=422)


def test_a_name_becomes_no_header_and_no_tag(tenant: Tenant) -> None:
    name = "Costs\r\nBcc: evil@example.com <script>alert(1)</script>"
    sent_run(tenant, name=name)
    [message] = outbox.outbox
    raw = message_from_bytes(message.message().as_bytes())
    assert raw["Bcc"] is None
    assert raw["To"] == TO
    html = message.alternatives[0].content
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


# --- Runs ---


def test_a_run_makes_the_files_of_the_last_period_and_sends_nothing_unless_asked(tenant: Tenant) -> None:
    made = send(tenant, BODY, expect=201)
    run = send(tenant, {}, f"{REPORTS}/{made['id']}/run", expect=202)
    assert (run["state"], run["asked_by"]) == ("waiting", "anyone")
    work()
    [found] = send(tenant, path=f"{REPORTS}/{made['id']}/runs", method="get")["data"]
    assert (found["state"], [file["format"] for file in found["files"]]) == ("made", ["csv"])
    assert outbox.outbox == []
    file = tenant.client.get(f"{REPORTS}/runs/{found['id']}.csv")
    assert (file.status_code, file["Cache-Control"]) == (200, "private, no-store")
    assert file["Content-Disposition"].startswith("attachment")
    missing = tenant.client.get(f"{REPORTS}/runs/{found['id']}.pdf")
    assert (missing.status_code, missing.json()["detail"]) == (404, "This run has no such file. It has: csv.")


def test_a_run_for_all_goes_to_all_and_one_for_me_needs_somebody(tenant: Tenant) -> None:
    made = send(tenant, BODY, expect=201)
    run = f"{REPORTS}/{made['id']}/run"
    send(tenant, {"send_to": "me"}, run, expect=409)
    send(tenant, {"send_to": "recipients"}, run, expect=202)
    work()
    assert [message.to for message in outbox.outbox] == [[TO]]


def test_many_runs_are_too_many(tenant: Tenant) -> None:
    made = send(tenant, BODY, expect=201)
    for _ in range(10):
        send(tenant, {}, f"{REPORTS}/{made['id']}/run", expect=202)
    answer = tenant.client.post(f"{REPORTS}/{made['id']}/run", {}, content_type="application/json")
    assert (answer.status_code, int(answer["Retry-After"]) > 0) == (429, True)


# --- Who may ---


@pytest.mark.parametrize("who", ["viewer", "read key", "ingest key", "stranger", "anonymous"])
def test_only_editors_and_keys_that_write_change_reports(who: str) -> None:
    schedule = a_schedule(WorkspaceFactory())
    workspace = schedule.workspace
    client, headers = Client(), selecting(workspace.pk)
    if who.endswith("key"):
        headers |= {"Authorization": f"Bearer {an_api_key(who.split()[0], workspace=workspace)[1]}"}
    elif who != "anonymous":
        member = MembershipFactory(role="viewer", **({"workspace": workspace} if who == "viewer" else {}))
        client, token = signed_in(member.user)
        headers |= token
    one = f"{REPORTS}/{schedule.pk}"
    writes = [("post", REPORTS, BODY), ("patch", one, {"name": "x"}), ("delete", one, None), ("post", f"{one}/run", {})]
    for method, path, body in writes:
        answer = getattr(client, method)(path, body, content_type="application/json", headers=headers)
        assert answer.status_code in (401, 403), (method, path)
    may_read = who in ("viewer", "read key")
    for path in (REPORTS, one, f"{one}/runs"):
        assert (client.get(path, headers=headers).status_code == 200) is may_read, path
    schedule.refresh_from_db()
    assert (schedule.name, schedule.runs.count()) == ("Costs", 0)


def test_a_report_of_another_workspace_looks_like_none(tenant: Tenant) -> None:
    run = sent_run(Tenant(WorkspaceFactory(), Client()))
    one, nothing = f"{REPORTS}/{run.schedule_id}", f"{REPORTS}/{uuid4()}"
    for method, end, body in (
        ("get", "", None),
        ("patch", "", {"name": "x"}),
        ("delete", "", None),
        ("get", "/runs", None),
    ):
        theirs, none = (
            getattr(tenant.client, method)(path + end, body, content_type="application/json") for path in (one, nothing)
        )
        assert (theirs.status_code, theirs.content) == (404, none.content), (method, end)
    for path in (f"{REPORTS}/runs/{run.pk}.csv", f"/dashboard/reports/schedules/{run.schedule_id}"):
        assert tenant.client.get(path).status_code == 404
    file = run.files.get()
    assert tenant.client.get(f"/dashboard/report-files/{file.pk}").status_code == 404
    assert b"Costs" not in tenant.client.get("/dashboard/report-schedules").content
    other = tenant.client.post(f"{one}/run", {}, content_type="application/json")
    assert other.status_code == 404


def test_a_channel_or_member_of_another_workspace_is_no_recipient(tenant: Tenant) -> None:
    other = WorkspaceFactory()
    channel = a_channel(Tenant(other, Client()))
    MembershipFactory(workspace=other, user=UserFactory(username="ben", email="ben@example.com"))
    send(tenant, BODY | {"recipients": {"channels": [str(channel.pk)]}}, expect=422)
    send(tenant, BODY | {"recipients": {"members": ["ben"]}}, expect=422)


# --- Links ---


def test_a_link_needs_no_session_and_no_cache_site_or_search_engine_learns_it(tenant: Tenant) -> None:
    sent_run(tenant)
    answer = Client().get(link_in(outbox.outbox[0], "files"))
    assert answer.status_code == 200
    assert answer.content == b"csv: "
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer["X-Robots-Tag"]
    assert answer["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    "why", ["guessed", "changed", "expired", "other purpose", "of a deleted file", "of a deleted schedule"]
)
def test_a_link_that_is_not_right_leads_nowhere(tenant: Tenant, why: str) -> None:
    run = sent_run(tenant)
    file = run.files.get()
    until = timezone.now() + timedelta(days=1)
    token = links.file_url(file, until).rpartition("/")[2]
    if why == "guessed":
        token = signing.dumps([file.pk.hex, 2**40], key="another key", salt=links.FILE)
    elif why == "changed":
        other = ReportFile.objects.create(
            run=run, place=1, file_format="csv", name="x", media_type="text/csv", size=1, body=b"x"
        )
        value, *_ = links.file_url(other, until).rpartition("/")[2].partition(":")
        token = ":".join([value, *token.split(":")[1:]])
    elif why == "expired":
        token = links.file_url(file, timezone.now() - timedelta(seconds=1)).rpartition("/")[2]
    elif why == "other purpose":
        token = links.person_token(links.UNSUBSCRIBE, run.schedule, TO)
    elif why == "of a deleted file":
        file.delete()
    else:
        run.schedule.delete()
    answer = Client().get(f"/reports/files/{token}")
    assert answer.status_code == 404
    assert b"csv" not in answer.content


def test_links_work_as_long_as_the_schedule_says(tenant: Tenant) -> None:
    run = sent_run(tenant, link_days=30)
    token = link_in(outbox.outbox[0], "files").rpartition("/")[2]
    _, until = links.values_of(links.FILE, token)
    assert run.made_at is not None
    assert until == int((run.made_at + timedelta(days=30)).timestamp())


# --- Unsubscribing ---


def test_one_click_unsubscribes_and_only_the_confirmation_can_undo_it(tenant: Tenant) -> None:
    run = sent_run(tenant)
    [message] = outbox.outbox
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = link_in(message, "unsubscribe")
    assert message.extra_headers["List-Unsubscribe"].endswith(f"{path}>")
    stranger = Client(enforce_csrf_checks=True)
    assert b"Unsubscribe" in stranger.get(path).content
    assert Unsubscribed.objects.count() == 0  # a program that only looks at links unsubscribes nobody
    confirmed = stranger.post(path, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert confirmed.status_code == 200
    stranger.post(path)
    shown = send(tenant, path=f"{REPORTS}/{run.schedule_id}", method="get")
    assert shown["unsubscribed"] == [TO]
    send(tenant, {"recipients": {"addresses": [TO]}}, f"{REPORTS}/{run.schedule_id}", "patch")
    assert send(tenant, path=f"{REPORTS}/{run.schedule_id}", method="get")["unsubscribed"] == [TO]
    found = re.search(r'action="(/reports/subscribe/[^"]+)"', confirmed.content.decode())
    assert found is not None
    assert b"gets this report" in stranger.post(found[1]).content
    assert Unsubscribed.objects.count() == 0


def test_a_link_unsubscribes_nobody_else(tenant: Tenant) -> None:
    run = sent_run(tenant, addresses=[TO, "other@example.com"])
    mine, theirs = (links.person_token(links.UNSUBSCRIBE, run.schedule, to) for to in (TO, "other@example.com"))
    mixed = ":".join([theirs.split(":")[0], *mine.split(":")[1:]])
    assert Client().post(f"/reports/unsubscribe/{mixed}").status_code == 404
    assert Client().post(f"/reports/subscribe/{mine}").status_code == 404
    assert Client().post(f"/reports/unsubscribe/{mine}").status_code == 200
    assert [one.address for one in Unsubscribed.objects.all()] == [TO]


def test_a_member_unsubscribes_in_the_same_way(tenant: Tenant) -> None:
    ada = UserFactory(username="ada", email="Ada@example.com")
    MembershipFactory(workspace=tenant.workspace, user=ada)
    schedule = a_schedule(tenant.workspace, addresses=[], members=["ada"])
    look()
    work()
    Client().post(link_in(outbox.outbox[0], "unsubscribe"))
    look(NOW + timedelta(days=1))
    work()
    assert len(outbox.outbox) == 1
    assert schedule.unsubscribed.get().address == "ada@example.com"


# --- Pages ---


def page(tenant: Tenant, path: str, expect: int = 200, **form: Any) -> str:
    answer = tenant.client.post(path, form) if form else tenant.client.get(path)
    assert answer.status_code == expect, answer.content
    return answer.content.decode()


def test_the_form_makes_what_the_page_shows(tenant: Tenant) -> None:
    new = "/dashboard/reports/schedules/new"
    assert "Send a report regularly" in page(tenant, "/dashboard/report-schedules")
    assert 'name="kind"' in page(tenant, new)
    form = {"kind": "test", "period": "week", "hour": "7", "weekday": "friday", "day": "1", "formats": ["csv"]}
    page(tenant, new, 302, **form, addresses=f"{TO}\nboss@example.com", filters="agent_id = support", link_days="30")
    schedule = Schedule.objects.get()
    assert (schedule.name, schedule.weekday, schedule.addresses) == ("Test", 4, [TO, "boss@example.com"])
    assert schedule.filters == {"agent_id": ["support"]}
    shown = page(tenant, f"/dashboard/reports/schedules/{schedule.pk}")
    assert "each Friday at 07:00, about the week before" in shown
    assert "kind=test&amp;paper=a4" in shown
    assert "boss@example.com" in page(tenant, "/dashboard/report-schedules")
    edit = f"/dashboard/reports/schedules/{schedule.pk}/edit"
    assert "agent_id = support" in page(tenant, edit)
    wrong = page(tenant, edit, 422, **form | {"day": "40"}, addresses="nobody")
    assert "must be addresses like" in wrong
    assert "less than or equal to 31" in wrong


def test_options_of_a_link_stay_with_the_schedule(tenant: Tenant) -> None:
    new = "/dashboard/reports/schedules/new?kind=test&option.dashboard=seven"
    assert 'name="option.dashboard" value="seven"' in page(tenant, new)
    form = {"kind": "test", "period": "day", "formats": ["csv"], "option.dashboard": "seven"}
    page(tenant, new, 302, **form)
    schedule = Schedule.objects.get()
    edit = f"/dashboard/reports/schedules/{schedule.pk}/edit"
    assert 'name="option.dashboard" value="seven"' in page(tenant, edit)
    page(tenant, edit, 302, **form)
    schedule.refresh_from_db()
    assert schedule.options == {"dashboard": "seven"}


def test_the_page_makes_one_now_and_tries_a_failed_one_again(tenant: Tenant) -> None:
    schedule = a_schedule(tenant.workspace)
    path = f"/dashboard/reports/schedules/{schedule.pk}"
    page(tenant, path, 302, make="1")
    work()
    assert "download" in page(tenant, path)
    look()
    ReportRun.objects.filter(asked_by="").update(state="failed", error="It did not work.")
    assert "It did not work." in page(tenant, "/dashboard/report-schedules")
    assert "Try again" in page(tenant, path)
    failed = schedule.runs.get(asked_by="")
    page(tenant, path, 302, again=str(failed.pk))
    assert len(waiting_jobs("reports.make")) == 2
    work()
    assert schedule.runs.get(asked_by="").state == "sent"
    assert len(outbox.outbox) == 1
    page(tenant, path, 409, again=str(failed.pk))
    page(tenant, path, 302, delete="1")
    assert Schedule.objects.count() == 0


def test_send_me_one_goes_to_me_alone(settings: Any) -> None:
    user = UserFactory(email="ada@example.com")
    membership = MembershipFactory(user=user, role="editor")
    schedule = a_schedule(membership.workspace, owner=user)
    client, token = signed_in(user)
    path = f"/dashboard/reports/schedules/{schedule.pk}?workspace={membership.workspace_id}"
    assert b"Send me one now" in client.get(path).content
    assert client.post(path, {"me": "1"}, headers=token).status_code == 302
    work()
    [message] = outbox.outbox
    assert message.to == ["ada@example.com"]
    assert "List-Unsubscribe" not in message.extra_headers


def test_viewers_see_reports_and_have_no_buttons() -> None:
    membership = MembershipFactory(role="viewer")
    schedule = a_schedule(membership.workspace)
    client, token = signed_in(membership.user)
    path = f"/dashboard/reports/schedules/{schedule.pk}?workspace={membership.workspace_id}"
    assert b'<button type="submit" name=' not in client.get(path).content
    for form in ({"make": "1"}, {"delete": "1"}, {"me": "1"}):
        assert client.post(path, form, headers=token).status_code == 403
    edit = f"/dashboard/reports/schedules/{schedule.pk}/edit?workspace={membership.workspace_id}"
    assert client.get(edit).status_code == 403


def test_pages_escape_every_text(tenant: Tenant) -> None:
    for payload in PAYLOADS[:12]:
        schedule = a_schedule(tenant.workspace, name=payload[:100], filters={"agent_id": [payload]}, created_by=payload)
        look()
        ReportRun.objects.filter(schedule=schedule).update(
            error=payload[:500], note=payload[:500], state="failed", parts=[{"dimension": "agent_id", "value": payload}]
        )
        for path in ("/dashboard/report-schedules", f"/dashboard/reports/schedules/{schedule.pk}"):
            shown = page(tenant, path)
            assert "<script>alert" not in shown
            assert "<img src=x" not in shown
        token = links.person_token(links.UNSUBSCRIBE, schedule, TO)
        assert "<script>alert" not in page(tenant, f"/reports/unsubscribe/{token}")
