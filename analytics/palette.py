"""A model keeps its colour and pattern on every page and in every window; the first eight share no colour."""

from collections.abc import Iterable
from zlib import crc32

COLOURS = 8
"""`--c0` to `--c7` in app.css: apart for the colour-blind, in light and in dark."""
PATTERNS = ("", "/", ".")
"""As Plotly names them; app.css has them as `.p1` and `.p2`. Who shares a colour differs by its pattern."""


def slots(names: Iterable[str]) -> dict[str, int]:
    """Names in the order in which they came: a newcomer never changes the colour of one that was there.

    Each takes the colour its hash says, or the next one that fewer have taken; from the ninth on with a pattern.
    """
    taken = [0] * COLOURS
    found: dict[str, int] = {}
    for name in names:
        first = crc32(name.encode()) % COLOURS
        slot = min(range(COLOURS), key=lambda slot: (taken[slot], (slot - first) % COLOURS))
        found[name] = slot + COLOURS * (taken[slot] % len(PATTERNS))
        taken[slot] += 1
    return found
