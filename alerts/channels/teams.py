"""Microsoft Teams, by a workflow that posts what it receives."""

from typing import Annotated, Any

from alerts.by_apprise import notify
from alerts.kind import ChannelSettings, Kind, Outgoing, Settings, end_of, field, shaped

NAME = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
HOSTS = rf"({NAME}\.)+(logic\.azure\.com|api\.powerplatform\.com)"
"""Microsoft gives each workflow a name of its own below these."""
DIRECT = r"(/powerautomate/automations/direct(/cu/[0-9]{1,4})?)?"
PATH = rf"{DIRECT}/workflows/[A-Za-z0-9_-]{{8,64}}/triggers/manual/paths/invoke"
QUERY = r"/?\?[A-Za-z0-9_.~%&=/-]{1,300}"
URL = rf"https://{HOSTS}(:443)?{PATH}{QUERY}"
WORDS = "must be the address of a workflow, like https://….logic.azure.com/workflows/…"


class Teams(ChannelSettings):
    url: Annotated[str, field("Workflow URL", 500, URL, is_secret=True), shaped(URL, WORDS)]


def send(outgoing: Outgoing) -> int | None:
    # Teams makes no links of addresses with escaped characters.
    options: dict[str, Any] = {"include_image": False, "body_format": None, **parts(outgoing)}
    return notify("Teams", "workflows", "NotifyWorkflows", outgoing, 1800, **options)


def parts(outgoing: Outgoing) -> dict[str, object]:
    """Returns the parts of the address as the library takes them."""
    from apprise.plugins.workflows import NotifyWorkflows

    found = NotifyWorkflows.parse_native_url(outgoing.settings["url"])  # type: ignore[no-untyped-call]
    names = ("host", "port", "secure", "workflow", "signature", "power_automate", "routing_id", "version")
    return {name: found[name] for name in names if found.get(name) is not None}


def hint(settings: Settings) -> str:
    host = settings["url"].split("/")[2].removesuffix(":443")
    return f"https://{host}/{end_of(settings['url'])}"


KIND = Kind(
    "teams",
    "Microsoft Teams",
    "In Teams, open Workflows, choose “Send webhook alerts to a channel”, and copy its address.",
    Teams,
    send,
    hint,
)
