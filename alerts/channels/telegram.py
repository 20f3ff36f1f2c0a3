"""Telegram, by a bot."""

from typing import Annotated

from alerts.by_apprise import notify
from alerts.kind import ChannelSettings, Kind, Outgoing, Settings, end_of, field, shaped

SHAPE = r"[0-9]{5,12}:[A-Za-z0-9_-]{30,50}"
CHAT = r"(-?[0-9]{1,20}|@[A-Za-z][A-Za-z0-9_]{3,31})"


class Telegram(ChannelSettings):
    bot_token: Annotated[
        str, field("Token of the bot", 64, SHAPE, is_secret=True), shaped(SHAPE, "must look like 123456789:AA…")
    ]
    chat: Annotated[
        str,
        field("Chat", 33, CHAT, "-1001234567890"),
        shaped(CHAT, "must be the number of a chat, or the name of a channel like @alerts"),
    ]


def send(outgoing: Outgoing) -> int | None:
    return notify(
        "Telegram",
        "telegram",
        "NotifyTelegram",
        outgoing,
        1800,
        bot_token=outgoing.settings["bot_token"],
        targets=[outgoing.settings["chat"].removeprefix("@")],
        detect_owner=False,
        include_image=False,
        preview=False,
    )


def hint(settings: Settings) -> str:
    return f"bot {settings['bot_token'].split(':')[0]}:{end_of(settings['bot_token'])}"


KIND = Kind(
    "telegram",
    "Telegram",
    "Make a bot with @BotFather, add it to the chat, and write its token and the number of the chat here.",
    Telegram,
    send,
    hint,
)
