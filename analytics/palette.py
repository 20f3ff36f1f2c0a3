"""A model keeps its colour on every page and in every window, and shares it only when all are taken."""

from collections.abc import Iterable
from zlib import crc32

COLOURS = 8
"""`--c0` to `--c7` in app.css: apart for the colour-blind, in light and in dark."""


def slots(names: Iterable[str]) -> dict[str, int]:
    """Names in the order in which they came: a newcomer never changes the colour of one that was there.

    Each takes the place its hash says, or the next one that fewer have taken.
    """
    taken = [0] * COLOURS
    found: dict[str, int] = {}
    for name in names:
        first = crc32(name.encode()) % COLOURS
        slot = min(range(COLOURS), key=lambda slot: (taken[slot], (slot - first) % COLOURS))
        taken[slot] += 1
        found[name] = slot
    return found
