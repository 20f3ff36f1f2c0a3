"""Encrypts secrets that are stored, with keys that are made of SECRET_KEY and SECRET_KEY_FALLBACKS."""

from base64 import urlsafe_b64encode
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class Unreadable(Exception):
    """No key of this installation has encrypted the text."""


class Seal:
    """Encrypts and decrypts for one purpose. The keys of another purpose are other ones."""

    def __init__(self, purpose: bytes) -> None:
        self.purpose = purpose

    def close(self, secret: bytes) -> str:
        return self.keys()[0].encrypt(secret).decode()

    def open(self, sealed: str) -> bytes:
        try:
            return MultiFernet(self.keys()).decrypt(sealed)
        except InvalidToken as error:
            raise Unreadable("SECRET_KEY has changed") from error

    def is_of_older_key(self, sealed: str) -> bool:
        """Returns whether one of SECRET_KEY_FALLBACKS has encrypted the text, which must be encrypted anew."""
        try:
            self.keys()[0].decrypt(sealed)
        except InvalidToken:
            return True
        return False

    def keys(self) -> list[Fernet]:
        return [key_of(key, self.purpose) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


@cache
def key_of(secret_key: str, purpose: bytes) -> Fernet:
    derived = HKDF(SHA256(), 32, salt=None, info=purpose).derive(secret_key.encode())
    return Fernet(urlsafe_b64encode(derived))
