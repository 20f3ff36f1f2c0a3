"""Makes reports: the document of a request, and the files of a document."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from reports.document import Document
from reports.kinds import KINDS, ReportRequest

FileFormat = Literal["pdf", "csv", "xlsx", "html"]
Paper = Literal["a4", "letter"]
MEDIA_TYPES: dict[FileFormat, str] = {
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html; charset=utf-8",
}


class File(NamedTuple):
    name: str
    media_type: str
    body: bytes


def document(request: ReportRequest) -> Document:
    """Returns the report. Its kind must be registered."""
    return KINDS[request.kind].build(request)


def file(document: Document, file_format: FileFormat, paper: Paper = "a4") -> File:
    """Returns the report as a file. Only a PDF has paper."""
    body = pdf_bytes(document, paper) if file_format == "pdf" else RENDERERS[file_format](document)
    return File(file_name(document, file_format), MEDIA_TYPES[file_format], body)


def pdf_bytes(document: Document, paper: Paper) -> bytes:
    from reports.pdf import pdf

    return pdf(document, paper)


def file_name(document: Document, file_format: FileFormat) -> str:
    """Returns a name like `cost_2026-11-01_2026-12-01.pdf`."""
    days = (moment.astimezone(document.zone).date().isoformat() for moment in (document.start, document.end))
    return f"{'_'.join((document.kind, *days))}.{file_format}"


RENDERERS: dict[FileFormat, Callable[[Document], bytes]] = {}
