"""Keeps the settings of a channel: what everybody may see in one column, what nobody may see encrypted in another."""

from collections.abc import Mapping
from typing import Any

from alerts.kind import Kind
from alerts.models import Channel
from alerts.models.channel import HINT_LENGTH
from alerts.sealing import is_of_older_key, seal, unseal
from web.sealing import Unreadable

__all__ = ["Unreadable", "encrypt_anew", "is_readable", "settings_of", "store"]


def settings_of(channel: Channel) -> dict[str, Any]:
    """Returns the settings with their secrets. Raises Unreadable."""
    return {**channel.options, **secrets_of(channel)}


def secrets_of(channel: Channel) -> dict[str, Any]:
    """Returns the secrets. Those of an older key are encrypted anew and stored."""
    if not channel.secret:
        return {}
    found = unseal(channel.secret)
    encrypt_anew(channel)
    return found


def encrypt_anew(channel: Channel) -> None:
    """Encrypts the secrets with the key of today, unless that has been done. Another one who changes them wins."""
    if channel.secret and is_of_older_key(channel.secret):
        sealed = seal(unseal(channel.secret))
        Channel.objects.filter(pk=channel.pk, secret=channel.secret).update(secret=sealed)
        channel.secret = sealed


def is_readable(channel: Channel) -> bool:
    try:
        secrets_of(channel)
    except Unreadable:
        return False
    return True


def store(channel: Channel, kind: Kind, settings: Mapping[str, Any]) -> None:
    """Puts checked settings into the columns of a channel, without saving it."""
    secrets = {name: value for name, value in settings.items() if name in kind.secret_names}
    channel.options = {name: value for name, value in settings.items() if name not in secrets}
    channel.secret = seal(secrets) if secrets else ""
    channel.hint = kind.hint(settings)[:HINT_LENGTH]
