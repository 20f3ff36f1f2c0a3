"""Opsgenie, by its Alert API. Messages of the same incident are counted on one alert."""

from typing import Annotated, Literal

from pydantic import Field

from alerts.by_apprise import notify
from alerts.kind import ChannelSettings, Kind, Outgoing, Settings, end_of, field, shaped

KEY = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
PRIORITIES = {"info": "4", "warning": "3", "critical": "1", "recovered": "5"}


class Opsgenie(ChannelSettings):
    api_key: Annotated[
        str,
        field("API key", 36, KEY, is_secret=True),
        shaped(KEY, "must look like 01234567-89ab-…"),
    ]
    region: Annotated[Literal["us", "eu"], Field(title="Region of your account")] = "us"


def send(outgoing: Outgoing) -> int | None:
    message = outgoing.message
    return notify(
        "Opsgenie",
        "opsgenie",
        "NotifyOpsgenie",
        outgoing,
        1800,
        apikey=outgoing.settings["api_key"],
        targets=None,
        region_name=outgoing.settings["region"],
        priority=PRIORITIES[message.state],
        # A repetition of the same event makes no second alert.
        alias=str(message.event_id),
        action="new",
    )


def hint(settings: Settings) -> str:
    return end_of(settings["api_key"])


KIND = Kind(
    "opsgenie", "Opsgenie", "In Opsgenie, add an API integration to a team, and copy its key.", Opsgenie, send, hint
)
