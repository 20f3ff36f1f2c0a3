"""ntfy, only that of ntfy.sh. Whoever knows a topic reads it, so it is a secret."""

from typing import Annotated

from alerts.by_apprise import notify
from alerts.kind import ChannelSettings, Kind, Outgoing, Settings, end_of, field, shaped

TOPIC = r"[A-Za-z0-9_-]{1,64}"
SHAPE = r"(tk_[A-Za-z0-9]{20,60})?"
PRIORITIES = {"info": "low", "warning": "high", "critical": "max", "recovered": "low"}


class Ntfy(ChannelSettings):
    topic: Annotated[
        str,
        field("Topic", 64, TOPIC, is_secret=True),
        shaped(TOPIC, "must have 1 to 64 letters, digits, hyphens and underscores"),
    ]
    access_token: Annotated[
        str,
        field("Access token, for a reserved topic", 64, SHAPE, is_secret=True),
        shaped(SHAPE, "must look like tk_…"),
    ] = ""


def send(outgoing: Outgoing) -> int | None:
    message, token = outgoing.message, outgoing.settings.get("access_token")
    return notify(
        "ntfy.sh",
        "ntfy",
        "NotifyNtfy",
        outgoing,
        1800,
        targets=[outgoing.settings["topic"]],
        mode="cloud",
        secure=True,
        include_image=False,
        priority=PRIORITIES[message.state],
        click=message.links[0][1] if message.links else None,
        **({"token": token, "auth": "token"} if token else {}),
    )


def hint(settings: Settings) -> str:
    return f"https://ntfy.sh/{end_of(settings['topic']) if len(settings['topic']) > 12 else '…'}"


KIND = Kind("ntfy", "ntfy.sh", "Choose a topic that nobody guesses, and subscribe to it in the app.", Ntfy, send, hint)
