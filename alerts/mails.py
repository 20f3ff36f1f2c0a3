"""The message of alerts by email."""

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from alerts.message import Message
from alerts.models import Delivery
from alerts.texts import STATE_WORDS
from web.addresses import public_address
from web.mail.templates import Context, MailTemplate, register


def context(delivery_id: str) -> Context | None:
    """Returns what the mail of a delivery shows; None where it was deleted."""
    delivery = Delivery.objects.select_related("channel__workspace").filter(pk=delivery_id).first()
    if delivery is None:
        return None
    channel = delivery.channel
    return shown(Message.from_json(delivery.message), channel.name, channel.workspace.name, channel.workspace.zone)


def shown(message: Message, channel: str, workspace: str, zone: ZoneInfo) -> Context:
    return {
        "message": message,
        "state": STATE_WORDS[message.state],
        # As text: templates would turn the moment into UTC.
        "moment": f"{message.moment.astimezone(zone):%-d %b %Y, %H:%M} ({zone.key})",
        "channel": channel,
        "workspace": workspace,
        "channels_url": public_address("channels-page", workspace=message.workspace_id),
    }


def sample() -> Context:
    message = Message(
        event_id=UUID(int=1),
        workspace_id=UUID(int=2),
        state="critical",
        subject="Spend of support-bot is 140 % above the hour before",
        moment=datetime(2026, 11, 27, 3, 5, tzinfo=UTC),
        sentences=(
            "Spend was $48.20 between 02:00 and 03:00, 140 % more than the $20.10 of the hour before.",
            "customer acme caused $24.00 of it, gpt-4o-mini $3.10 and everything else $1.00.",
        ),
        facts=(("Spend", "$48.20"), ("Limit", "$30.00"), ("Since", "02:40"), ("Asked again", "in 60 minutes")),
        links=(
            ("Open the hour", "https://traces.example.com/dashboard/cost?range=1h"),
            ("The dearest traces", "https://traces.example.com/dashboard/traces?sort=cost"),
        ),
    )
    return shown(message, "On call", "Acme", ZoneInfo("Europe/Berlin"))


ALERT = register(MailTemplate("alert", "Alert", context=context, sample=sample))
