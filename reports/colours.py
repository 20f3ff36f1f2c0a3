"""Gives the series of a report the colours that their names have on the pages."""

from collections.abc import Sequence
from typing import NamedTuple

from analytics.palette import COLOURS, distinct_slots
from analytics.panel_extras import slots_of
from traces.filters import Filters
from workspaces.models import Workspace

LIGHT = {
    "--c0": "#736bc9",
    "--c1": "#46b4a6",
    "--c2": "#91670d",
    "--c3": "#c44b7a",
    "--c4": "#0547a4",
    "--c5": "#84a412",
    "--c6": "#842e13",
    "--c7": "#c083ee",
    "--other": "#9aa1ae",
    "--muted": "#5a6374",
    "--border": "#e2e5ea",
    "--primary": "#5b54c9",
    "--success": "#23845c",
    "--error": "#c2410c",
    "--warning": "#946200",
    "--primary-fill": "#8884d8",
    "--success-fill": "#82ca9d",
    "--warning-fill": "#ffc658",
    "--error-fill": "#ff8042",
}
"""The tokens of `static/app.css` that charts have, in light mode."""
TOKENS = {colour: token for token, colour in LIGHT.items()}


class Colour(NamedTuple):
    colour: str
    pattern: int = 0


OTHERS, NONE = Colour(LIGHT["--other"]), Colour(LIGHT["--muted"])
"""Of all names that are not listed, and of what has no name."""


def colours_of(
    names: Sequence[str | None], dimension: str, filters: Filters, workspace: Workspace
) -> dict[str | None, Colour]:
    """Returns the colour of each name of one chart, all different."""
    known = [name for name in names if name is not None]
    slots = distinct_slots(known, slots_of(dimension, filters, workspace)) if known else {}
    return {None: NONE} | {name: of_slot(slot) for name, slot in slots.items()}


def of_slot(slot: int) -> Colour:
    pattern, place = divmod(slot, COLOURS)
    return Colour(LIGHT[f"--c{place}"], pattern)


def token_of(colour: str) -> str:
    """Returns the token of a colour, which has a value for dark mode too."""
    return TOKENS.get(colour, colour)
