"""Knows the letters of the fonts that PDFs are set in: two packages of Noto fonts, which pip installs.

The fonts' own tables take half a second to read, so `coverage.json` has what we need of them. After a change of the
packages `python -m reports.pdf.fonts` writes it again.
"""

import json
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

PACKAGES = ("manimgx_fonts", "manimgx_fonts_cjk")
LAST = ("Emoji", "Symbols", "CJK")
"""Fonts that have letters of others too: these come after all others, the first of them last."""
COVERAGE = Path(__file__).with_name("coverage.json")
MEASURED = "".join(map(chr, range(0x20, 0x7F))) + "\u2013\u2212\u2026"
"""The letters of figures, among others: ASCII, the dash, the minus and the ellipsis."""


class Font(NamedTuple):
    """The letters of a font, as ranges that are sorted and do not touch."""

    family: str
    firsts: tuple[int, ...]
    lasts: tuple[int, ...]

    def has(self, letter: str) -> bool:
        place = bisect_right(self.firsts, ord(letter)) - 1
        return place >= 0 and ord(letter) <= self.lasts[place]


def folders() -> list[str]:
    return [str(files(package)) for package in PACKAGES]


@cache
def fonts() -> tuple[Font, ...]:
    """Returns the fonts in the order in which the compiler looks for a letter."""
    read = json.loads(COVERAGE.read_bytes())["fonts"]
    return tuple(Font(family, *map(tuple, zip(*ranges, strict=True))) for family, ranges in read.items())


@cache
def widths() -> dict[str, float]:
    """Returns the widths of some letters of Noto Sans, exactly, as parts of the font's size."""
    read: dict[str, float] = json.loads(COVERAGE.read_bytes())["widths"]
    return read


# --- Writing coverage.json ---


def coverage() -> str:
    """Reads the fonts' own tables."""
    by_family = dict(sorted(read_fonts(), key=lambda font: (*(part in font[0] for part in LAST), font[0])))
    lines = ",\n".join(f"{json.dumps(family)}: {json.dumps(ranges)}" for family, ranges in by_family.items())
    return f'{{"widths": {json.dumps(read_widths())},\n"fonts": {{\n{lines}\n}}}}\n'


def read_fonts() -> Iterator[tuple[str, list[tuple[int, int]]]]:
    from fontTools.ttLib import TTFont

    for path in font_files():
        with TTFont(path, fontNumber=0, lazy=True) as font:
            names = font["name"]
            yield names.getDebugName(16) or names.getDebugName(1), ranges_of(sorted(font.getBestCmap()))


def read_widths() -> dict[str, float]:
    from fontTools.ttLib import TTFont

    with TTFont(next(path for path in font_files() if path.name.startswith("NotoSans["))) as font:
        letters, metrics = font.getBestCmap(), font["hmtx"]
        return {letter: metrics[letters[ord(letter)]][0] / font["head"].unitsPerEm for letter in MEASURED}


def font_files() -> list[Path]:
    return sorted(
        path for folder in folders() for path in Path(folder).glob("*.[ot]t[fc]") if "Italic" not in path.name
    )


def ranges_of(letters: list[int]) -> list[tuple[int, int]]:
    breaks = [place for place, (one, following) in enumerate(pairwise(letters), 1) if following != one + 1]
    return [(letters[start], letters[end - 1]) for start, end in pairwise([0, *breaks, len(letters)])]


if __name__ == "__main__":
    COVERAGE.write_text(coverage())
