"""A program of your own: JSON over HTTPS, signed."""

import hmac
from hashlib import sha256
from typing import Annotated
from urllib.parse import urlsplit

import orjson
from django.utils import timezone
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from alerts.kind import ChannelSettings, Kind, Outgoing, Settings, end_of, field, shaped
from alerts.outbound import post
from alerts.target import BadTarget, target_of

SCHEMA_VERSION = 1
KEY = r"[!-~]{16,200}"
URL = r"https://[!-~]{3,1000}"


def allowed(url: str) -> str:
    try:
        target_of(url)
    except BadTarget as error:
        raise PydanticCustomError("target", "{words}", {"words": str(error)}) from error
    return url


class Webhook(ChannelSettings):
    url: Annotated[str, field("URL", 1000, URL, "https://example.com/alerts", is_secret=True), AfterValidator(allowed)]
    signing_secret: Annotated[
        str,
        field("Secret that signs", 200, KEY, "openssl rand -hex 32", is_secret=True),
        shaped(KEY, "must have 16 to 200 characters of ASCII, without spaces"),
        Field(description="With it the receiver checks that a message comes from here."),
    ]


def send(outgoing: Outgoing) -> int | None:
    body = payload(outgoing)
    timestamp = str(int(timezone.now().timestamp()))
    headers = {
        "Content-Type": "application/json",
        "X-Event-ID": str(outgoing.message.event_id),
        "X-Timestamp": timestamp,
        "X-Signature": f"sha256={signature(outgoing.settings['signing_secret'], timestamp, body)}",
    }
    return post(outgoing.settings["url"], body, headers)


def payload(outgoing: Outgoing) -> bytes:
    message = outgoing.message
    return orjson.dumps(
        {
            "schema_version": SCHEMA_VERSION,
            "event_id": message.event_id,
            "workspace_id": message.workspace_id,
            "incident": message.incident or None,
            "state": message.state,
            "moment": message.moment,
            "subject": message.subject,
            "sentences": message.sentences,
            "facts": [{"name": name, "text": text} for name, text in message.facts],
            "links": [{"text": text, "url": url} for text, url in message.links],
            "is_test": outgoing.delivery.is_test,
        }
    )


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Returns the HMAC-SHA256 over the timestamp, a full stop and the body, as hexadecimal digits."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, sha256).hexdigest()


def hint(settings: Settings) -> str:
    host = urlsplit(settings["url"]).netloc
    return f"https://{host}/{end_of(settings['url'])}"


KIND = Kind(
    "webhook",
    "Webhook",
    "Your program receives a POST with JSON, and checks its signature. It must have a valid certificate.",
    Webhook,
    send,
    hint,
)
