"""Slack, by an incoming webhook."""

import re
from typing import Annotated

from alerts.by_apprise import notify
from alerts.kind import ChannelSettings, Kind, Outgoing, Settings, end_of, field, shaped

HOST = "https://hooks.slack.com"
URL = r"https://hooks\.slack\.com/services/[A-Z0-9]{5,20}/[A-Z0-9]{5,20}/[A-Za-z0-9]{16,64}"
WORDS = f"must be the address of an incoming webhook, like {HOST}/services/T…/B…/…"


class Slack(ChannelSettings):
    url: Annotated[str, field("Webhook URL", 200, URL, is_secret=True), shaped(URL, WORDS)]


def send(outgoing: Outgoing) -> int | None:
    token_a, token_b, token_c = re.split("/", outgoing.settings["url"])[-3:]
    tokens = {"token_a": token_a, "token_b": token_b, "token_c": token_c}
    return notify("Slack", "slack", "NotifySlack", outgoing, 1800, include_footer=False, include_image=False, **tokens)


def hint(settings: Settings) -> str:
    return f"{HOST}/{end_of(settings['url'])}"


KIND = Kind(
    "slack",
    "Slack",
    "In Slack, add the app Incoming Webhooks to a channel, and copy the address that it shows.",
    Slack,
    send,
    hint,
)
