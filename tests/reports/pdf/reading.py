"""Reads PDFs: their texts, where these stand, and what screen readers find."""

import re
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from itertools import combinations
from typing import Any, NamedTuple

import pypdfium2
from pypdf import PdfReader

JOINED = re.compile("[\u0600-\u06ff\u0900-\u097f]")
"""Scripts whose letters join, so that the boxes of neighbours overlap."""
TOLERANCE = 1.2
"""In points: the letters of neighbouring lines come that close to each other."""
HEAD_HEIGHT = 10
"""Of the line at the top of each page, in points."""


class Box(NamedTuple):
    left: float
    bottom: float
    right: float
    top: float
    text: str

    def overlaps(self, other: "Box") -> bool:
        across = min(self.right, other.right) - max(self.left, other.left)
        upright = min(self.top, other.top) - max(self.bottom, other.bottom)
        return across > TOLERANCE and upright > TOLERANCE


# --- Texts ---


def pages(body: bytes) -> list[str]:
    """Returns the text of each page, with single spaces."""
    document = pypdfium2.PdfDocument(body)
    return [" ".join(page.get_textpage().get_text_bounded().split()) for page in document]


def text(body: bytes) -> str:
    return " ".join(pages(body))


def letters(words: str) -> Counter[str]:
    """Counts the letters: those of some scripts do not come out in the order in which they were written."""
    return Counter(words.replace(" ", ""))


def unbroken(words: str) -> str:
    """Returns the text without spaces and hyphens: a hyphen at the end of a line reads as another letter."""
    return re.sub(r"[\s\x02-]", "", words)


# --- Places ---


def boxes(page: Any) -> Iterator[Box]:
    found = page.get_textpage()
    for place in range(found.count_rects()):
        box = found.get_rect(place)
        yield Box(*box, found.get_text_bounded(*box))


def first_line(body: bytes) -> list[tuple[str, float]]:
    """Returns the letters of the line at the top of the first page, each with its left edge."""
    page = pypdfium2.PdfDocument(body)[0]
    found = page.get_textpage()
    places = [(letter, found.get_charbox(place)) for place, letter in enumerate(found.get_text_range())]
    top = max(box[1] for letter, box in places if letter == "·")
    return [(letter, box[0]) for letter, box in places if abs(box[1] - top) < HEAD_HEIGHT]


def outside(body: bytes, margin: float) -> list[str]:
    """Returns the texts that reach into the margin of a page."""
    return [
        box.text
        for page in pypdfium2.PdfDocument(body)
        for box in boxes(page)
        if box.left < margin or box.right > page.get_width() - margin
        if box.text.strip()
    ]


def overlapping(body: bytes) -> list[tuple[str, str]]:
    return [
        (one.text, other.text)
        for page in pypdfium2.PdfDocument(body)
        for one, other in combinations(list(boxes(page)), 2)
        if one.overlaps(other) and one.text.strip() and other.text.strip()
        if not (JOINED.search(one.text) and JOINED.search(other.text))
    ]


def size(body: bytes) -> tuple[float, float]:
    page = pypdfium2.PdfDocument(body)[0]
    return round(page.get_width()), round(page.get_height())


# --- Tags and fonts ---


def reader(body: bytes) -> PdfReader:
    return PdfReader(BytesIO(body))


def elements(body: bytes) -> Iterator[Any]:
    """Yields the elements of the tree that screen readers read."""
    yield from below(reader(body).trailer["/Root"]["/StructTreeRoot"])


def below(element: Any) -> Iterator[Any]:
    kids = element.get("/K", [])
    for kid in kids if isinstance(kids, list) else [kids]:
        found = kid.get_object()
        if isinstance(found, dict) and "/S" in found:
            yield found
            yield from below(found)


def fonts(body: bytes) -> dict[str, bool]:
    """Returns whether each font is in the file."""
    found = [font for page in reader(body).pages for font in page["/Resources"].get("/Font", {}).values()]
    return {font["/BaseFont"]: is_embedded(font.get_object()) for font in found}


def is_embedded(font: Any) -> bool:
    parts = font.get("/DescendantFonts", [font])
    return all({"/FontFile2", "/FontFile3"} & part.get_object()["/FontDescriptor"].keys() for part in parts)
