"""Makes, changes, tests and deletes channels."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from alerts.bodies import ChannelChanges, NewChannel, checked_settings
from alerts.channels import kinds
from alerts.channels.email import KIND as EMAIL
from alerts.channels.email import MEMBERS_ONLY, may_name_addresses, unknown_members
from alerts.delivery import send
from alerts.kind import Kind
from alerts.message import Message
from alerts.models import Channel, Delivery
from alerts.models.channel import AUTHOR_LENGTH
from alerts.stored_settings import Unreadable, settings_of, store
from web.problems import Problem
from workspaces.audit import record
from workspaces.models import Workspace

MAX_CHANNELS = 50
"""Of a workspace."""
MOST_TESTS, MOST_TESTS_OF_WORKSPACE = 3, 15
TEST_PERIOD = timedelta(minutes=10)


def lock(workspace: Workspace) -> None:
    """Makes other changes of the workspace's channels wait until the transaction ends."""
    Workspace.objects.select_for_update().get(pk=workspace.pk)


def find(workspace: Workspace, channel_id: UUID) -> Channel:
    """Returns the channel, or raises the same 404 Problem whether another workspace has it or none."""
    channel = Channel.objects.filter(workspace=workspace, pk=channel_id).first()
    if channel is None:
        raise Problem(404, "There is no such channel in this workspace.")
    return channel


@transaction.atomic
def create(workspace: Workspace, body: NewChannel, created_by: str) -> tuple[Channel, bool]:
    """Returns the channel, and whether it is new: an id of the client's own that exists already changes nothing."""
    lock(workspace)
    if body.id and (existing := Channel.objects.filter(pk=body.id).first()):
        if existing.workspace_id == workspace.pk:
            return existing, False
        raise Problem(409, "This id is taken. Choose another, or none.")
    if Channel.objects.filter(workspace=workspace).count() >= MAX_CHANNELS:
        raise Problem(422, f"A workspace has at most {MAX_CHANNELS} channels.")
    channel = Channel(workspace=workspace, kind=body.kind, created_by=created_by[:AUTHOR_LENGTH])
    if body.id:
        channel.pk = body.id
    fill(channel, body.name, body.is_active, body.settings)
    channel.save(force_insert=True)
    record(workspace, created_by, "channel.create", channel.name, after=values_of(channel))
    return channel, True


@transaction.atomic
def change(workspace: Workspace, channel_id: UUID, changes: ChannelChanges, author: str) -> Channel:
    """Gives the channel those values that the client has sent. One with other settings has not failed yet."""
    lock(workspace)
    channel = find(workspace, channel_id)
    before = values_of(channel)
    sent = changes.model_dump(exclude_unset=True)
    if "settings" in sent:
        sent["settings"] = readable_settings(channel) | sent["settings"]
        channel.failing_since, channel.fault, channel.rests_until = None, "", None
    fill(channel, sent.get("name", channel.name), sent.get("is_active", channel.is_active), sent.get("settings"))
    channel.save()
    is_rewritten = {"secrets": "written again"} if "settings" in sent and channel.secret else {}
    record(workspace, author, "channel.change", channel.name, before, values_of(channel) | is_rewritten)
    return channel


def values_of(channel: Channel) -> dict[str, Any]:
    """Returns what everybody may see of a channel, for the audit."""
    shown = {name: getattr(channel, name) for name in ("name", "kind", "is_active", "hint")}
    return shown | {"settings": channel.options}


def readable_settings(channel: Channel) -> dict[str, Any]:
    """Returns the settings. Secrets that cannot be read are left out: the client has to send them."""
    try:
        return settings_of(channel)
    except Unreadable:
        return dict(channel.options)


def fill(channel: Channel, name: str, is_active: bool, settings: dict[str, Any] | None) -> None:
    check_name(channel, name)
    channel.name, channel.is_active = name, is_active
    if settings is not None:
        kind = kind_of(channel)
        checked = checked_settings(kind, settings)
        check_receivers(channel, kind, settings)
        store(channel, kind, checked)


def kind_of(channel: Channel) -> Kind:
    if channel.kind not in kinds():
        raise Problem(409, "There is no such kind of channel any more. Delete the channel.")
    return kinds()[channel.kind]


def check_name(channel: Channel, name: str) -> None:
    if Channel.objects.filter(workspace=channel.workspace_id, name=name).exclude(pk=channel.pk).exists():
        message = "another channel has this name"
        raise Problem(422, "The channel is not valid.", [{"loc": ["body", "name"], "msg": message}])


def check_receivers(channel: Channel, kind: Kind, settings: dict[str, Any]) -> None:
    if kind is EMAIL and settings.get("addresses") and not may_name_addresses(channel.workspace):
        raise Problem(
            422, "The channel is not valid.", [{"loc": ["body", "settings", "addresses"], "msg": MEMBERS_ONLY}]
        )
    unknown = unknown_members(channel.workspace, settings.get("members", [])) if kind is EMAIL else []
    if unknown:
        message = f"no member with an address: {', '.join(unknown)}"
        raise Problem(422, "The channel is not valid.", [{"loc": ["body", "settings", "members"], "msg": message}])


@transaction.atomic
def delete(workspace: Workspace, channel_id: UUID, author: str) -> None:
    lock(workspace)
    channel = find(workspace, channel_id)
    record(workspace, author, "channel.delete", channel.name, before=values_of(channel))
    channel.delete()


# --- Tests ---


@transaction.atomic
def send_test(workspace: Workspace, channel_id: UUID, sent_by: str) -> Delivery:
    """Sends a message that says it is a test, or raises a 409 or 429 Problem."""
    lock(workspace)
    channel = find(workspace, channel_id)
    if not channel.is_active:
        raise Problem(409, "The channel is off. Switch it on first.")
    now = timezone.now()
    check_rate(Delivery.objects.filter(channel=channel), MOST_TESTS, now)
    check_rate(Delivery.objects.filter(channel__workspace=workspace), MOST_TESTS_OF_WORKSPACE, now)
    [delivery] = send(test_message(workspace, channel, sent_by, now), [channel], is_test=True)
    return delivery


def check_rate(deliveries: QuerySet[Delivery], most: int, now: datetime) -> None:
    """Raises a 429 Problem where there were many tests in the last minutes."""
    tests = deliveries.filter(is_test=True, created_at__gt=now - TEST_PERIOD).order_by("-created_at")
    times = list(tests.values_list("created_at", flat=True)[:most])
    if len(times) == most:
        seconds = int((times[-1] + TEST_PERIOD - now).total_seconds()) + 1
        detail = f"There were {most} tests in the last {TEST_PERIOD.seconds // 60} minutes. Wait {seconds} s."
        raise Problem(429, detail, headers={"Retry-After": str(seconds)})


def test_message(workspace: Workspace, channel: Channel, sent_by: str, now: datetime) -> Message:
    return Message(
        event_id=uuid4(),
        workspace_id=workspace.pk,
        state="info",
        subject=f"Test of the channel {channel.name}",
        moment=now,
        sentences=(f"{sent_by} sent this to check the channel. You need not do anything.",),
        facts=(("Workspace", workspace.name),),
    )
