"""PagerDuty, by the Events API. A recovery closes the incident that its breach has opened."""

from typing import Annotated, Literal

from pydantic import Field

from alerts.by_apprise import notify
from alerts.kind import ChannelSettings, Kind, Outgoing, Settings, end_of, field, shaped

KEY = r"[A-Za-z0-9]{32}"


class PagerDuty(ChannelSettings):
    integration_key: Annotated[
        str, field("Integration key", 32, KEY, is_secret=True), shaped(KEY, "must have 32 letters and digits")
    ]
    region: Annotated[Literal["us", "eu"], Field(title="Region of your account")] = "us"


def send(outgoing: Outgoing) -> int | None:
    message, key = outgoing.message, outgoing.settings["integration_key"]
    first_link = message.links[0][1] if message.links else None
    return notify(
        "PagerDuty",
        "pagerduty",
        "NotifyPagerDuty",
        outgoing,
        900,
        # The Events API looks at the integration key only, but the library wants both.
        apikey=key,
        integrationkey=key,
        region_name=outgoing.settings["region"],
        source="agent-observability",
        component=str(message.workspace_id),
        include_image=False,
        click=first_link,
        action="resolve" if message.state == "recovered" and message.incident else "trigger",
        dedup=message.incident or str(message.event_id),
    )


def hint(settings: Settings) -> str:
    return end_of(settings["integration_key"])


KIND = Kind(
    "pagerduty",
    "PagerDuty",
    "In PagerDuty, add the integration Events API V2 to a service, and copy its key.",
    PagerDuty,
    send,
    hint,
)
