"""Lists the pages of the settings, for the row of links above each of them."""

from typing import NamedTuple

from analytics.navigation import address_of


class Section(NamedTuple):
    name: str
    route: str
    is_personal: bool = False
    """It belongs to the account of the visitor, not to the workspace."""


SECTIONS = (
    Section("General", "settings-general"),
    Section("Members", "settings-members"),
    Section("Keys", "settings-keys"),
    Section("Prices", "settings-prices"),
    Section("Labels", "labels"),
    Section("Content", "settings-content"),
    Section("Usage", "settings-usage"),
    Section("Audit", "settings-audit"),
    Section("Profile", "settings-profile", is_personal=True),
    Section("Security", "settings-security", is_personal=True),
    Section("Sessions", "settings-sessions", is_personal=True),
)
"""In the order of the row. A page whose route does not exist is left out."""


def sections() -> list[tuple[Section, str]]:
    """Returns each page that exists, with its address."""
    return [(section, address) for section in SECTIONS if (address := address_of(section.route))]
