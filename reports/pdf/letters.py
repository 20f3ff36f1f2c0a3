"""Makes text safe to typeset: every letter has a glyph, or is written as U+XXXX; nothing invisible stays invisible.

The compiler refuses a PDF/UA document with a letter that no font has, so one strange name would cost the whole report.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate

from reports.pdf.fonts import Font, fonts, widths

SPACES = dict.fromkeys(map(ord, "\t\n\v\f\r\x85\u2028\u2029"), " ")
JOINERS, DIRECTION_MARKS = "\u200c\u200d", "\u200e\u200f\u061c"
"""Persian, Indic scripts and emoji need joiners; names in Arabic and Hebrew have marks."""
VARIANTS = range(0xFE00, 0xFE10)
INVISIBLE = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
MARKS = {"Mn", "Mc", "Me"}
SKIN_TONES = range(0x1F3FB, 0x1F400)
STACKED, MOST_STACKED = {220, 230}, 2
"""Classes of marks above and below: two on one letter are used in Vietnamese."""
RIGHT_TO_LEFT = {"R", "AL"}
FULL_WIDTH, OTHER_WIDTH = 1.05, 0.85
"""Of letters that are not measured, as parts of the font's size: wide and narrow ones. It is rather too much."""
LONGEST_WORD, PIECE = 18, 6
"""A longer word may break after every sixth letter."""
NOT_ASCII = re.compile(r"[ -~]?[^\x00-\x7f]+")
"""Letters with the one before them, which may be what a mark stands on."""
ELLIPSIS, HEAD = "\u2026", 0.6
"""A name that is too long loses its middle: this part of what remains is its beginning."""


# --- Letters without a glyph ---


def readable(text: str) -> str:
    """Writes each letter that cannot be shown as U+XXXX, and line breaks as spaces."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(shown(cluster) for cluster in clusters(text.translate(SPACES)))


def clusters(text: str) -> Iterator[str]:
    """Splits into letters with the marks, joiners and variants that belong to them: one font shows each."""
    start = 0
    for place in range(1, len(text) + 1):
        if place == len(text) or not (continues(text[place]) or text[place - 1] == "\u200d"):
            yield text[start:place]
            start = place


def continues(letter: str) -> bool:
    is_variant = ord(letter) in VARIANTS or ord(letter) in SKIN_TONES
    return letter in JOINERS or is_variant or unicodedata.category(letter) in MARKS


def shown(cluster: str) -> str:
    if is_whole(cluster) and not is_tower(cluster) and font_of(cluster):
        return cluster
    if len(cluster) == 1:
        return code_point(cluster)
    return "".join(letter if is_shown_alone(letter) else code_point(letter) for letter in cluster)


def is_shown_alone(letter: str) -> bool:
    return unicodedata.category(letter) not in MARKS and shown(letter) == letter


@lru_cache(maxsize=4096)
def font_of(cluster: str) -> str | None:
    """Returns the first font that shows all of it."""
    return next((font.family for font in fonts() if all(has(font, letter) for letter in cluster)), None)


def fonts_of(text: str) -> list[str]:
    """Returns the fonts that a readable text needs: the compiler tries one after the other for each letter."""
    words = set(NOT_ASCII.findall(text))
    needed = {font_of(cluster) for word in words for cluster in clusters(word)} | {fonts()[0].family}
    return [font.family for font in fonts() if font.family in needed]


def is_whole(cluster: str) -> bool:
    """Returns whether it begins with a letter. Marks and joiners alone have nothing to stand on."""
    first = cluster[0]
    if first in DIRECTION_MARKS:
        return True
    return not continues(first) and unicodedata.category(first) not in INVISIBLE


def is_tower(cluster: str) -> bool:
    """Returns whether so many marks stand on the letter that they would reach into other lines."""
    return sum(unicodedata.combining(letter) in STACKED for letter in cluster) > MOST_STACKED


def has(font: Font, letter: str) -> bool:
    """Returns whether the font shows the letter, or the letter is one that shows nothing by itself."""
    return letter in JOINERS or letter in DIRECTION_MARKS or ord(letter) in VARIANTS or font.has(letter)


def code_point(letter: str) -> str:
    return f"U+{ord(letter):04X}"


# --- Direction and widths ---


def is_right_to_left(text: str) -> bool:
    """Returns whether the first letter that has a direction runs from right to left."""
    directions = (unicodedata.bidirectional(letter) for letter in text)
    return next((found in RIGHT_TO_LEFT for found in directions if found in {"L", *RIGHT_TO_LEFT}), False)


def width(text: str) -> float:
    """Estimates the width of a line as a multiple of the font's size; never too small for the scripts of our fonts."""
    return sum(map(letter_width, text))


def is_measured(text: str) -> bool:
    """Returns whether the width is exact, where letters that stand beside each other do not move (no kerning)."""
    return widths().keys() >= set(text)


def letter_width(letter: str) -> float:
    if letter in widths():
        return widths()[letter]
    if unicodedata.category(letter) in MARKS:
        return 0
    return FULL_WIDTH if unicodedata.east_asian_width(letter) in "WF" else OTHER_WIDTH


def fitting(text: str, room: float, size: float) -> str:
    """Cuts the middle out of a text that would be wider than the room, which is a length like the size."""
    if width(text) * size <= room:
        return text
    letters, left = list(clusters(text)), room / size - width(ELLIPSIS)
    head = within(letters, left * HEAD)
    tail = within(letters[::-1], left - sum(map(width, head)))
    return f"{''.join(head)}{ELLIPSIS}{''.join(tail[::-1])}"


def within(letters: list[str], room: float) -> list[str]:
    """Returns the first letters that fit."""
    ends = accumulate(map(width, letters))
    return letters[: sum(end <= room for end in ends)]


def pieces(text: str) -> list[str]:
    """Splits a text where lines may break beside the spaces: within words too long for a line of their own."""
    return [piece for word in re.split(r"(?<= )", text) for piece in broken(word)]


def broken(word: str) -> Iterator[str]:
    letters = list(clusters(word))
    if len(letters) <= LONGEST_WORD:
        yield word
        return
    for start in range(0, len(letters), PIECE):
        yield "".join(letters[start : start + PIECE])
