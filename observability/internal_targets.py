"""Reads WEBHOOK_INTERNAL_TARGETS: the hosts inside to which webhooks may go."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

HTTPS_PORT = 443


def internal_targets(texts: Iterable[str]) -> frozenset[tuple[str, int]]:
    return frozenset(map(internal_target, texts))


def internal_target(text: str) -> tuple[str, int]:
    """Returns the host in lower case and the port of a text like hooks.internal:8443."""
    try:
        parts = urlsplit(f"https://{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not text.isascii() or parts.netloc != text or "@" in text:
        raise ImproperlyConfigured("WEBHOOK_INTERNAL_TARGETS lists hosts like hooks.internal:8443 or 10.1.2.3.")
    return host, port or HTTPS_PORT
