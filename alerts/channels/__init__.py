"""The kinds of channels: one file each. Every file of the folder is loaded."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from alerts.kind import Kind

ORDER = ("email", "slack", "teams", "discord", "pagerduty", "opsgenie", "telegram", "ntfy", "webhook")
"""That of the page."""


@cache
def kinds() -> Mapping[str, Kind]:
    """Returns the kinds by their names. A channel of a kind that is gone has none."""
    found: list[Kind] = [import_module(f"{__name__}.{module.name}").KIND for module in iter_modules(__path__)]
    return {kind.name: kind for kind in sorted(found, key=lambda kind: ORDER.index(kind.name))}
