"""Makes the answers about channels and deliveries."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db.models import Q, QuerySet
from typing_extensions import TypedDict

from alerts.models import Channel, Delivery
from alerts.models.delivery import SENT
from alerts.stored_settings import is_readable
from workspaces.models import Workspace

DELIVERIES_AT_ONCE = 50
ChannelState = Literal["ok", "untried", "failing", "unreadable", "off"]


class ChannelItem(TypedDict):
    id: UUID
    name: str
    kind: str
    hint: str
    """What is shown of its settings, like https://hooks.slack.com/…a1b2."""
    settings: dict[str, str | list[str]]
    """Those that are no secrets."""
    is_active: bool
    state: ChannelState
    """Unreadable: SECRET_KEY has changed, and its secrets must be written again."""
    failing_since: datetime | None
    fault: str
    """Why the last attempt failed, in a sentence; empty while the channel does not fail."""
    created_at: datetime
    created_by: str


class ChannelList(TypedDict):
    data: list[ChannelItem]


class DeliveryItem(TypedDict):
    id: UUID
    event_id: UUID
    """The same on every channel, and in every attempt."""
    channel_id: UUID
    channel: str
    subject: str
    is_test: bool
    state: Literal["waiting", "sent", "failed"]
    attempts: int
    """Those that have ended."""
    created_at: datetime
    next_at: datetime | None
    """When the next attempt is due; null after the last one."""
    ended_at: datetime | None
    answer_status: int | None
    """The status of the last answer over HTTP; null where there was none."""
    fault: str
    """Why the last attempt failed, in a sentence."""


class DeliveryList(TypedDict):
    data: list[DeliveryItem]
    """The newest first."""
    next_cursor: str | None


def channel_item(channel: Channel, was_tried: bool) -> ChannelItem:
    return {
        "id": channel.pk,
        "name": channel.name,
        "kind": channel.kind,
        "hint": channel.hint,
        "settings": channel.options,
        "is_active": channel.is_active,
        "state": state_of(channel, was_tried),
        "failing_since": channel.failing_since,
        "fault": channel.fault,
        "created_at": channel.created_at,
        "created_by": channel.created_by,
    }


def state_of(channel: Channel, was_tried: bool) -> ChannelState:
    if not channel.is_active:
        return "off"
    if not is_readable(channel):
        return "unreadable"
    if channel.failing_since:
        return "failing"
    return "ok" if was_tried else "untried"


def channel_items(channels: QuerySet[Channel]) -> list[ChannelItem]:
    sent = Delivery.objects.filter(channel__in=channels, state=SENT).order_by()
    tried = set(sent.values_list("channel_id", flat=True).distinct())
    return [channel_item(channel, channel.pk in tried) for channel in channels]


def channels_of(workspace: Workspace) -> list[ChannelItem]:
    return channel_items(Channel.objects.filter(workspace=workspace))


def failing_channels(workspace: Workspace) -> list[ChannelItem]:
    """Returns the channels that deliver no messages right now, for the banner of pages."""
    return [one for one in channels_of(workspace) if one["state"] in ("failing", "unreadable")]


def delivery_item(delivery: Delivery) -> DeliveryItem:
    return {
        "id": delivery.pk,
        "event_id": delivery.event_id,
        "channel_id": delivery.channel_id,
        "channel": delivery.channel.name,
        "subject": delivery.message["subject"],
        "is_test": delivery.is_test,
        "state": delivery.state,  # type: ignore[typeddict-item]
        "attempts": delivery.attempts,
        "created_at": delivery.created_at,
        "next_at": delivery.next_at,
        "ended_at": delivery.ended_at,
        "answer_status": delivery.answer_status,
        "fault": delivery.fault,
    }


def deliveries_of(workspace: Workspace, place: tuple[datetime, UUID] | None, **conditions: object) -> list[Delivery]:
    """Returns one more than are shown at once, the newest first, after the place where the page before ended."""
    found = Delivery.objects.filter(channel__workspace=workspace, **conditions).select_related("channel")
    if place:
        created_at, last_id = place
        found = found.filter(Q(created_at__lt=created_at) | Q(created_at=created_at, pk__lt=last_id))
    return list(found.order_by("-created_at", "-pk")[: DELIVERIES_AT_ONCE + 1])
