"""Discord, by the webhook of a channel."""

from typing import Annotated

from alerts.by_apprise import notify
from alerts.kind import ChannelSettings, Kind, Outgoing, Settings, end_of, field, shaped

HOST = "https://discord.com"
URL = r"https://discord(app)?\.com/api/webhooks/[0-9]{5,25}/[A-Za-z0-9_-]{20,100}"
WORDS = f"must be the address of a webhook, like {HOST}/api/webhooks/123…/…"


class Discord(ChannelSettings):
    url: Annotated[str, field("Webhook URL", 200, URL, is_secret=True), shaped(URL, WORDS)]


def send(outgoing: Outgoing) -> int | None:
    webhook_id, webhook_token = outgoing.settings["url"].split("/")[-2:]
    tokens = {"webhook_id": webhook_id, "webhook_token": webhook_token}
    return notify("Discord", "discord", "NotifyDiscord", outgoing, 1800, avatar=False, fields=False, **tokens)


def hint(settings: Settings) -> str:
    return f"{HOST}/{end_of(settings['url'])}"


KIND = Kind(
    "discord",
    "Discord",
    "In the settings of a channel, open Integrations, make a webhook and copy its URL.",
    Discord,
    send,
    hint,
)
