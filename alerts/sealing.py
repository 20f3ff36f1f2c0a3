"""Encrypts the secrets of channels with keys that are made of SECRET_KEY and SECRET_KEY_FALLBACKS."""

from base64 import urlsafe_b64encode
from functools import cache
from typing import Any

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PURPOSE = b"alerts.channels"
"""Keys for another purpose would be other ones."""


class Unreadable(Exception):
    """No key of this installation has encrypted the text."""


def seal(secret: dict[str, Any]) -> str:
    return keys()[0].encrypt(orjson.dumps(secret)).decode()


def unseal(sealed: str) -> dict[str, Any]:
    try:
        secret: dict[str, Any] = orjson.loads(MultiFernet(keys()).decrypt(sealed))
    except InvalidToken as error:
        raise Unreadable("SECRET_KEY has changed") from error
    return secret


def is_of_older_key(sealed: str) -> bool:
    """Returns whether one of SECRET_KEY_FALLBACKS has encrypted the text, which must be encrypted anew."""
    try:
        keys()[0].decrypt(sealed)
    except InvalidToken:
        return True
    return False


def keys() -> list[Fernet]:
    return [key_of(secret_key) for secret_key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


@cache
def key_of(secret_key: str) -> Fernet:
    derived = HKDF(SHA256(), 32, salt=None, info=PURPOSE).derive(secret_key.encode())
    return Fernet(urlsafe_b64encode(derived))
