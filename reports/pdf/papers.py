"""Papers and their margins, in points."""

from typing import Any, Literal, NamedTuple

Paper = Literal["a4", "letter"]
MARGIN, TOP, BOTTOM = 48.0, 64.0, 54.0


class Size(NamedTuple):
    name: str
    """As the compiler calls it."""
    width: float
    height: float


SIZES: dict[Paper, Size] = {"a4": Size("a4", 595.28, 841.89), "letter": Size("us-letter", 612.0, 792.0)}


def widths_of(paper: Paper) -> tuple[float, float]:
    """Returns how wide the text is on an upright page, and on one that lies on its side."""
    size = SIZES[paper]
    return size.width - 2 * MARGIN, size.height - 2 * MARGIN


def height_of(paper: Paper, is_wide: bool) -> float:
    """Returns how high the text of a page is."""
    size = SIZES[paper]
    return (size.width if is_wide else size.height) - TOP - BOTTOM


def page_data(paper: Paper) -> dict[str, Any]:
    return {"paper": SIZES[paper].name, "margin": MARGIN, "top": TOP, "bottom": BOTTOM}
