"""Decides where a webhook may lead: to names of the internet, and to what an operator allows."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
NAME = re.compile(rf"(?:{LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?")
"""Its last part begins with a letter, so that no spelling of an address is a name: 127.1, 0x7f.1 and 2130706433."""
LOCAL_NAMES = re.compile(r"(?:.*\.)?(?:localhost|localdomain|local|internal|intranet|lan|home|corp|arpa|onion|test)")
"""No name of the internet ends so."""
VISIBLE = re.compile(r"[!-~]+")
MAX_NAME_LENGTH = 253
HTTPS_PORT = 443

GLOBAL_V6 = ip_network("2000::/3")
"""All that has been given out. Loopback, local and mapped addresses and 64:ff9b::/96 lie outside."""
NOT_GLOBAL_V6 = tuple(
    ip_network(text)
    for text in (
        "2001::/23",  # for protocols, like Teredo, whose addresses hold those of IPv4
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, whose addresses hold those of IPv4
        "3ffe::/16",  # a network of the past
        "3fff::/20",  # documentation
    )
)
ISATAP = (0x00005EFE, 0x02005EFE)
"""The first half of an interface whose second half is an address of IPv4."""
NOT_GLOBAL_V4 = (ip_network("192.88.99.0/24"), ip_network("192.0.0.0/24"))
"""Relays of 6to4, and what is for protocols."""


class BadTarget(ValueError):
    """The text says in a sentence why nothing is sent there."""


@dataclass(frozen=True)
class Target:
    host: str
    """A name in lower case, or an address that an operator allows."""
    port: int
    path: str
    is_internal: bool
    """An operator allows it, whatever its address is."""

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == HTTPS_PORT else f"{host}:{self.port}"


def target_of(url: str) -> Target:
    """Returns where the URL leads, or raises BadTarget. What two programs could read in two ways is refused."""
    if not VISIBLE.fullmatch(url) or "\\" in url:
        raise BadTarget("must have neither spaces nor characters outside ASCII; write such a name with xn--")
    parts, port = parts_of(url)
    if parts.scheme != "https" or not url.startswith("https://"):
        raise BadTarget("must begin with https://")
    if "@" in parts.netloc:
        raise BadTarget("must have neither a user nor a password")
    if parts.fragment or "#" in url:
        raise BadTarget("must have no fragment")
    host = (parts.hostname or "").lower()
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if is_allowed_by_operator(host, port):
        return Target(host, port, path, is_internal=True)
    check_name(host)
    return Target(host, port, path, is_internal=False)


def parts_of(url: str) -> tuple[Any, int]:
    try:
        parts = urlsplit(url)
        port = HTTPS_PORT if parts.port is None else parts.port
    except ValueError as error:
        raise BadTarget("is not a URL") from error
    if port == 0:
        raise BadTarget("has the port 0")
    return parts, port


def check_name(host: str) -> None:
    if not NAME.fullmatch(host) or len(host) > MAX_NAME_LENGTH:
        raise BadTarget("must have the name of a host of the internet, like example.com, and no address")
    if LOCAL_NAMES.fullmatch(host):
        raise BadTarget("must not lead to a local name")


def is_allowed_by_operator(host: str, port: int) -> bool:
    return (host, port) in settings.WEBHOOK_INTERNAL_TARGETS


def is_global(text: str) -> bool:
    """Returns whether the address belongs to the internet, also where one of IPv4 is hidden in one of IPv6."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return is_global_v4(address)
    return address.scope_id is None and is_global_v6(address)


def is_global_v4(address: IPv4Address) -> bool:
    is_special = address.is_multicast or address.is_reserved or any(address in each for each in NOT_GLOBAL_V4)
    return address.is_global and not is_special


def is_global_v6(address: IPv6Address) -> bool:
    is_special = any(address in each for each in NOT_GLOBAL_V6) or (int(address) >> 32) & 0xFFFFFFFF in ISATAP
    return address in GLOBAL_V6 and address.is_global and not is_special
