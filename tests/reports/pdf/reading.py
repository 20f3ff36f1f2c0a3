"""Reads PDFs: their texts, where these stand, and what screen readers find."""

from io import BytesIO

import pypdfium2
from pypdf import PdfReader


def texts(body: bytes) -> list[str]:
    """Returns the text of each page."""
    return [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(body)]


def text(body: bytes) -> str:
    """Returns the text of all pages; lines that the page is too narrow for are joined by a space."""
    return " ".join(" ".join(texts(body)).split())


def reader(body: bytes) -> PdfReader:
    return PdfReader(BytesIO(body))
