"""Gives each name a colour and pattern that is the same on every page and in every window."""

from collections.abc import Iterable, Sequence
from zlib import crc32

COLOURS = 8
"""`--c0` to `--c7` in app.css, which colour-blind people can tell apart, in light and in dark."""
PATTERNS = ("", "/", ".")
"""Plotly's names; in app.css they are `.p1` and `.p2`. Names of the same colour have different patterns."""
DASHES = ("solid", "dot", "longdashdot")
"""Of lines, instead of patterns."""
SLOTS = COLOURS * len(PATTERNS)
MOST_KNOWN = 1000
"""So many names of a workspace get their colour by first appearance, and the others by hash."""


def slot_of(name: str, slots: dict[str, int]) -> int:
    """Returns the slot of a name; of one that is not in `slots` the slot of its hash, which never changes either."""
    return slots[name] if name in slots else crc32(name.encode()) % SLOTS


def colour_slots(names: Iterable[str]) -> dict[str, int]:
    """Returns the slot of each name: a colour, and a pattern from the ninth name on.

    `names` are in the order of their first appearance, so that a new name never changes the slot of an older one. Each
    gets the colour of its hash, or the next colour among the least used. The first eight names have different colours.
    """
    uses = [0] * COLOURS
    slots: dict[str, int] = {}
    for name in names:
        first = crc32(name.encode()) % COLOURS
        slot = min(range(COLOURS), key=lambda slot: (uses[slot], (slot - first) % COLOURS))
        slots[name] = slot + COLOURS * (uses[slot] % len(PATTERNS))
        uses[slot] += 1
    return slots


def distinct_slots(names: Sequence[str], slots: dict[str, int]) -> dict[str, int]:
    """Returns the slots of the names of one chart. Of two names with one slot, the later one gets the next free one.

    `slots` are those of the names that are known, in the order of their first appearance. The others come after them,
    as they will once they are known.
    """
    if len(slots) < MOST_KNOWN:
        slots = colour_slots(dict.fromkeys([*slots, *names]))
    distinct: dict[str, int] = {}
    for name in names:
        first = slot_of(name, slots)
        free = (slot % SLOTS for slot in range(first, first + SLOTS) if slot % SLOTS not in distinct.values())
        distinct[name] = next(free, first)
    return distinct
