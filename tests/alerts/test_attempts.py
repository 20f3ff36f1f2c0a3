"""Attempts of deliveries: what is tried again and when, what is given up, and what each leaves behind."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail as outbox
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from alerts import attempts
from alerts.attempts import UNREADABLE, attempt, take_up_forgotten
from alerts.channels import email, kinds
from alerts.delivery import send
from alerts.faults import DeliveryFault
from alerts.items import channels_of, failing_channels
from alerts.models import Channel, Delivery
from alerts.sealing import is_of_older_key, unseal
from alerts.stored_settings import store
from alerts.tasks import delete_old_deliveries, deliver_later, encrypt_secrets
from tests.alerts.test_channels_api import SETTINGS
from tests.alerts.test_message import message
from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory
from tests.jobs_helper import waiting_jobs
from web.mail.delivery import MailFault, MailRefused

pytestmark = pytest.mark.django_db(databases="__all__")

DELIVER, LATER = "alerts.deliver", "alerts.deliver_later"


def a_channel(kind: str = "webhook", name: str = "Team", settings: Any = None, **values: Any) -> Channel:
    workspace = values.pop("workspace", None) or WorkspaceFactory()
    channel = Channel(workspace=workspace, name=name, kind=kind, **values)
    checked = kinds()[kind].settings.model_validate(settings or SETTINGS[kind]).model_dump()
    store(channel, kinds()[kind], checked)
    channel.save()
    return channel


def a_delivery(channel: Channel | None = None, is_test: bool = False, **values: Any) -> Delivery:
    channel = channel or a_channel()
    [made] = send(message(workspace_id=channel.workspace_id, **values), [channel], is_test=is_test)
    return made


def tried(delivery: Delivery) -> Delivery:
    attempt(str(delivery.pk))
    return Delivery.objects.select_related("channel").get(pk=delivery.pk)


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], list[Any]]:
    """Lets webhooks end as the test says; returns what was sent."""

    def answers(outcome: Any) -> list[Any]:
        sent: list[Any] = []

        def send(outgoing: Any) -> int:
            sent.append(outgoing)
            if isinstance(outcome, Exception):
                raise outcome
            return int(outcome)

        known = {**kinds(), "webhook": replace(kinds()["webhook"], send=send)}
        monkeypatch.setattr(attempts, "kinds", lambda: known)
        return sent

    return answers


def test_what_was_sent_is_recorded_and_not_sent_again(webhook: Any) -> None:
    sent = webhook(204)
    delivery = tried(a_delivery())
    assert (delivery.state, delivery.attempts, delivery.answer_status, delivery.next_at) == ("sent", 1, 204, None)
    tried(delivery)
    assert len(sent) == 1


def test_a_fault_is_tried_again_after_1_5_30_minutes_and_2_hours(webhook: Any) -> None:
    webhook(DeliveryFault("hooks answered 500.", 500))
    delivery = a_delivery()
    for number, pause in enumerate((1, 5, 30, 120), start=1):
        before = timezone.now()
        delivery = tried(delivery)
        assert (delivery.state, delivery.attempts, delivery.answer_status) == ("waiting", number, 500)
        assert delivery.next_at is not None
        assert timedelta(0) <= delivery.next_at - before - timedelta(minutes=pause) < timedelta(seconds=10)
        [job] = waiting_jobs(LATER)[number - 1 :]
        assert (job.scheduled_at, job.args) == (delivery.next_at, {"delivery_id": str(delivery.pk)})
    delivery = tried(delivery)
    assert (delivery.state, delivery.attempts, delivery.fault) == ("failed", 5, "hooks answered 500.")
    assert delivery.ended_at is not None
    assert len(waiting_jobs(LATER)) == 4


def test_what_cannot_get_better_is_given_up_at_once(webhook: Any) -> None:
    webhook(DeliveryFault("hooks answered 410.", 410, is_final=True))
    assert tried(a_delivery()).state == "failed"
    assert waiting_jobs(LATER) == []


def test_a_later_attempt_waits_behind_no_other_message_and_holds_none_up() -> None:
    delivery = a_delivery()
    [first] = waiting_jobs(DELIVER)
    deliver_later(str(delivery.pk))
    assert [(job.queue_name, job.lock) for job in waiting_jobs(DELIVER)] == [
        ("deliveries", f"channel {delivery.channel_id}")
    ] * 2
    assert first.scheduled_at is None


def test_a_fault_of_ours_is_a_fault_of_the_delivery_too(webhook: Any, caplog: Any) -> None:
    webhook(RuntimeError("with a s3cret"))
    delivery = tried(a_delivery())
    assert delivery.state == "waiting"
    assert "RuntimeError" in caplog.text
    assert "s3cret" not in delivery.fault + caplog.text


def test_a_test_is_tried_once(webhook: Any) -> None:
    webhook(DeliveryFault("hooks answered 500.", 500))
    assert tried(a_delivery(is_test=True)).state == "failed"
    assert waiting_jobs(LATER) == []


def test_a_channel_fails_until_a_message_arrives(webhook: Any) -> None:
    channel = a_channel()
    webhook(DeliveryFault("hooks answered 500.", 500))
    tried(a_delivery(channel))
    [failing] = failing_channels(channel.workspace)
    assert (failing["name"], failing["state"], failing["fault"]) == ("Team", "failing", "hooks answered 500.")
    webhook(200)
    tried(a_delivery(channel))
    assert failing_channels(channel.workspace) == []
    assert [one["state"] for one in channels_of(channel.workspace)] == ["ok"]


def test_a_channel_that_does_not_answer_rests_and_the_others_go_on(webhook: Any) -> None:
    slow, other = a_channel(), a_channel(name="Other")
    sent = webhook(DeliveryFault("hooks did not answer within 10 s.", is_slow=True))
    tried(a_delivery(slow))
    waiting = [tried(a_delivery(slow)) for _ in range(20)]
    assert len(sent) == 1
    assert {(one.state, one.attempts) for one in waiting} == {("waiting", 1)}
    assert waiting[0].fault == "Not tried: hooks did not answer within 10 s."
    tried(a_delivery(slow, is_test=True))
    assert len(sent) == 2
    sent = webhook(200)
    assert tried(a_delivery(other)).state == "sent"
    Channel.objects.update(rests_until=timezone.now())
    assert tried(a_delivery(slow)).state == "sent"
    slow.refresh_from_db()
    assert (slow.failing_since, slow.rests_until, slow.fault) == (None, None, "")


def test_a_channel_rests_longer_the_longer_it_has_been_failing(webhook: Any) -> None:
    webhook(DeliveryFault("hooks did not answer within 10 s.", is_slow=True))
    for failing_for, rest in ((None, 1), (timedelta(minutes=7), 7), (timedelta(days=2), 30)):
        channel = a_channel(failing_since=failing_for and timezone.now() - failing_for)
        rests_until = tried(a_delivery(channel)).channel.rests_until
        assert rests_until is not None
        assert abs(rests_until - timezone.now() - timedelta(minutes=rest)) < timedelta(seconds=10)


def test_what_is_off_or_gone_is_not_sent(webhook: Any) -> None:
    sent = webhook(200)
    off, unknown = a_channel(), a_channel(name="Other")
    deliveries = [a_delivery(off), a_delivery(unknown)]
    Channel.objects.filter(pk=off.pk).update(is_active=False)
    Channel.objects.filter(pk=unknown.pk).update(kind="pigeon")
    assert [tried(one).state for one in deliveries] == ["failed", "failed"]
    assert sent == []
    gone = a_delivery()
    Channel.objects.all().delete()
    attempt(str(gone.pk))


def test_a_delivery_whose_job_is_lost_is_taken_up() -> None:
    lost, late = a_delivery(), a_delivery()
    now = timezone.now()
    Delivery.objects.update(next_at=now - timedelta(minutes=16))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE args ->> 'delivery_id' = %s", [str(lost.pk)])
    take_up_forgotten(now)
    lost.refresh_from_db()
    late.refresh_from_db()
    assert (lost.attempts, lost.next_at, late.attempts) == (1, now + timedelta(minutes=1), 0)
    assert [job.args["delivery_id"] for job in waiting_jobs(LATER)] == [str(lost.pk)]


def test_deliveries_are_deleted_after_90_days_but_not_while_they_wait() -> None:
    old, waiting, young = (a_delivery() for _ in range(3))
    ago = {"created_at": timezone.now() - timedelta(days=91)}
    Delivery.objects.filter(pk=old.pk).update(state="sent", **ago)
    Delivery.objects.filter(pk=waiting.pk).update(**ago)
    delete_old_deliveries(due_at=datetime.now(UTC).isoformat())
    assert set(Delivery.objects.values_list("pk", flat=True)) == {waiting.pk, young.pk}


# --- Secrets ---

OLD, NEW = "an old key of more than fifty characters, like this", "a new key of more than fifty characters, like this"


def test_secrets_are_read_with_an_older_key_and_encrypted_anew(webhook: Any) -> None:
    webhook(200)
    with override_settings(SECRET_KEY=OLD):
        used, unused = a_channel(), a_channel(name="Unused")
    with override_settings(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=[OLD]):
        assert tried(a_delivery(used)).state == "sent"
        encrypt_secrets(due_at="")
    with override_settings(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=[]):
        for channel in (used, unused):
            channel.refresh_from_db()
            assert not is_of_older_key(channel.secret)
            assert unseal(channel.secret) == SETTINGS["webhook"]


def test_secrets_that_cannot_be_read_disable_their_channel_visibly(webhook: Any) -> None:
    sent = webhook(200)
    with override_settings(SECRET_KEY=OLD):
        channel = a_channel()
    with override_settings(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=[]):
        encrypt_secrets(due_at="")
        delivery = tried(a_delivery(channel))
        assert (delivery.state, delivery.fault) == ("failed", UNREADABLE)
        assert [one["state"] for one in failing_channels(channel.workspace)] == ["unreadable"]
    assert sent == []


# --- Email ---


def an_email_channel(**settings: Any) -> Channel:
    workspace = WorkspaceFactory(name="Acme")
    for name in ("ada", "bob"):
        user = UserFactory(username=name, email=f"{name}@example.com")
        MembershipFactory(workspace=workspace, user=user)
    return a_channel("email", workspace=workspace, settings=settings)


def test_an_email_goes_to_addresses_and_members_once_each() -> None:
    channel = an_email_channel(addresses=["eve@example.com", "ada@example.com"], members=["ada", "bob", "stranger"])
    delivery = tried(a_delivery(channel, sentences=("Spend was $12.",), facts=(("Limit", "$10"),)))
    assert delivery.state == "sent"
    assert sorted(one.to[0] for one in outbox.outbox) == ["ada@example.com", "bob@example.com", "eve@example.com"]
    text = outbox.outbox[0].body
    assert outbox.outbox[0].subject == "Warning: Spend is up"
    assert "Spend was $12." in text
    assert "Limit: $10" in text
    assert "The channel Team of the workspace Acme sends you this." in " ".join(text.split())


def test_an_email_has_the_time_of_the_workspace() -> None:
    channel = a_channel("email", workspace=WorkspaceFactory(time_zone="Asia/Kolkata"))
    tried(a_delivery(channel, moment=datetime(2026, 11, 27, 20, 0, tzinfo=UTC)))
    assert "28 Nov 2026, 01:30 (Asia/Kolkata)." in outbox.outbox[0].body


def test_who_is_no_member_any_more_gets_no_email() -> None:
    channel = an_email_channel(members=["ada", "bob"])
    channel.workspace.memberships.get(user__username="ada").delete()
    tried(a_delivery(channel))
    assert [one.to for one in outbox.outbox] == [["bob@example.com"]]
    channel.workspace.memberships.all().delete()
    assert tried(a_delivery(channel)).state == "failed"


def test_who_has_the_email_already_gets_no_second_one(monkeypatch: pytest.MonkeyPatch) -> None:
    channel = an_email_channel(addresses=["one@example.com", "two@example.com"])
    sent: list[str] = []

    def deliver(mail: Any) -> None:
        if mail.to == ["two@example.com"] and len(sent) < 2:
            sent.append("fault")
            raise MailFault("The mail server did not answer.")
        sent.append(mail.to[0])

    monkeypatch.setattr(email, "deliver", deliver)
    delivery = tried(a_delivery(channel))
    assert (delivery.state, delivery.done, delivery.fault) == (
        "waiting",
        ["one@example.com"],
        "The mail server did not answer.",
    )
    assert tried(delivery).state == "sent"
    assert sent == ["one@example.com", "fault", "two@example.com"]


def test_an_address_that_is_refused_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    channel = an_email_channel(addresses=["gone@example.com", "two@example.com"])
    sent: list[str] = []

    def deliver(mail: Any) -> None:
        if mail.to == ["gone@example.com"]:
            raise MailRefused("The mail server refused the recipient gone@example.com: 550 no such user.")
        sent.append(mail.to[0])

    monkeypatch.setattr(email, "deliver", deliver)
    delivery = tried(a_delivery(channel))
    assert (delivery.state, sent) == ("failed", ["two@example.com"])
    assert "550 no such user" in delivery.fault


def test_the_same_event_has_the_same_message_id_in_each_attempt() -> None:
    channel = an_email_channel(addresses=["one@example.com"])
    delivery = a_delivery(channel)
    for _ in range(2):
        Delivery.objects.update(state="waiting", done=[])
        tried(delivery)
    assert len({one.extra_headers["Message-ID"] for one in outbox.outbox}) == 1
    assert len(outbox.outbox) == 2
