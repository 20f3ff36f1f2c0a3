"""Makes a PDF of a report: selectable text, tags for screen readers (PDF/UA), fonts of its own."""

from reports.document import Document
from reports.pdf.content import files_of
from reports.pdf.papers import Paper
from reports.pdf.typesetting import PdfError, typeset

__all__ = ["Paper", "PdfError", "pdf"]


def pdf(document: Document, paper: Paper = "a4") -> bytes:
    """Returns the report as a PDF. `PdfError` says why it could not be made."""
    return typeset(files_of(document, paper), document.made_at)
