"""Makes digests of secrets that are stored instead of them, so a reader of the database can use none."""

import hmac
from hashlib import sha256

from django.conf import settings


def keyed_digests(purpose: str, secret: str) -> list[str]:
    """Returns the HMAC-SHA256 of the secret under SECRET_KEY, which is the one to store, and under each older key."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return [hmac.new(f"{purpose}:{key}".encode(), secret.encode(), sha256).hexdigest() for key in keys]
