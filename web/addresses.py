"""Makes addresses for messages and other texts that leave the product."""

from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse


def public_address(route: str, *args: object, **query: object) -> str:
    """Returns the whole address of a route, below PUBLIC_URL."""
    path = reverse(route, args=args)
    return f"{settings.PUBLIC_URL}{path}?{urlencode(query)}" if query else f"{settings.PUBLIC_URL}{path}"
