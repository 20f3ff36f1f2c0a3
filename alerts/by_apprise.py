"""Sends messages through apprise, which knows the services. Only workers import the library: it is large.

The host of each service is fixed, by apprise or by the pattern of the channel's URL, so nobody chooses where a request
goes.
"""

import logging
import re
from functools import cache
from importlib import import_module
from typing import Any

from alerts.faults import DeliveryFault
from alerts.kind import Outgoing
from alerts.texts import plain_text, title

SECONDS = 20
"""Of a whole attempt. Each step of it has 4 s."""
STATUS = re.compile(r"\berror=([1-5]\d\d)\b")
NO_CONNECTION = "connection error"
TYPES = {"info": "info", "warning": "warning", "critical": "failure", "recovered": "success"}
REFUSED_FOR_GOOD = 410
"""Gone: the service says that this address will not come back."""


@cache
def asset() -> Any:
    """Returns the settings of the library: it stores nothing, follows no redirects and loads no plugins of others."""
    from apprise import AppriseAsset

    for name in ("apprise", "urllib3"):
        # Their lines have the addresses of channels, which are secrets.
        logging.getLogger(name).setLevel(logging.WARNING)
    return AppriseAsset(
        storage_mode="memory",
        http_redirects=False,
        async_mode=False,
        app_id="Agent observability",
        app_desc="Agent observability",
        image_url_mask="",
        image_url_logo="",
    )


def notify(
    service: str,
    module: str,
    plugin: str,
    outgoing: Outgoing,
    most: int,
    body_format: str | None = "text",
    **arguments: Any,
) -> int | None:
    """Sends the message through a plugin, with at most so many characters. Raises a DeliveryFault.

    With the format text the library escapes what the service would take for marks. None: it changes nothing.
    """
    from apprise import Apprise, NotifyType

    sender = Apprise(asset=asset())
    sender.add(getattr(import_module(f"apprise.plugins.{module}"), plugin)(asset=asset(), **arguments))
    message = outgoing.message
    result = sender.notify(
        title=title(message),
        body=plain_text(message, most),
        notify_type=NotifyType(TYPES[message.state]),
        body_format=body_format,
        timeout=SECONDS,
    )
    if not result:
        raise fault(service, result)
    return None


def fault(service: str, result: Any) -> DeliveryFault:
    """Says why a service has not taken a message: the library writes the status of the answer into its log only."""
    log = " ".join(entry.message for service_result in result for entry in service_result.logs())
    found = STATUS.search(log)
    if found is None:
        is_slow = result.status.name == "TIMEOUT" or NO_CONNECTION in log.lower()
        return DeliveryFault(f"{service} {'did not answer' if is_slow else 'took no message'}.", is_slow=is_slow)
    status = int(found[1])
    return DeliveryFault(f"{service} answered {status}.", status, is_final=status == REFUSED_FOR_GOOD)
