"""Encrypts the secrets of channels."""

from typing import Any

import orjson

from web.sealing import Seal

SEAL = Seal(b"alerts.channels")
is_of_older_key = SEAL.is_of_older_key


def seal(secret: dict[str, Any]) -> str:
    return SEAL.close(orjson.dumps(secret))


def unseal(sealed: str) -> dict[str, Any]:
    secret: dict[str, Any] = orjson.loads(SEAL.open(sealed))
    return secret
