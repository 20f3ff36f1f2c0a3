"""Makes reports: the document of a request, and the files of a document."""

from collections.abc import Callable
from datetime import timedelta
from typing import Literal, NamedTuple

from analytics.csv_answer import LONGEST_NAME, safe_name
from reports.document import Document
from reports.html import html_bytes
from reports.kinds import KINDS, ReportRequest
from reports.sheets import csv_bytes, xlsx_bytes
from web.problems import unavailable

FileFormat = Literal["pdf", "csv", "xlsx", "html"]
Paper = Literal["a4", "letter"]
MEDIA_TYPES: dict[FileFormat, str] = {
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html; charset=utf-8",
}


MOMENT = timedelta(microseconds=1)


class File(NamedTuple):
    name: str
    media_type: str
    body: bytes


RENDERERS: dict[FileFormat, Callable[[Document], bytes]] = {"csv": csv_bytes, "xlsx": xlsx_bytes, "html": html_bytes}


def document(request: ReportRequest) -> Document:
    """Returns the report. Its kind must be registered."""
    return KINDS[request.kind].build(request)


def file(document: Document, file_format: FileFormat, paper: Paper = "a4") -> File:
    """Returns the report as a file. Only a PDF has paper."""
    body = pdf_bytes(document, paper) if file_format == "pdf" else RENDERERS[file_format](document)
    return File(file_name(document, file_format), MEDIA_TYPES[file_format], body)


def pdf_bytes(document: Document, paper: Paper) -> bytes:
    """Returns the PDF, or raises a 503 Problem that says why there is none."""
    from reports.pdf import PdfError, pdf

    try:
        return pdf(document, paper)
    except PdfError as error:
        raise unavailable(str(error)) from error


def file_name(document: Document, file_format: FileFormat) -> str:
    """Returns a name like `cost_2026-11-01_2026-11-30.pdf`: subject, filters, first and last day."""
    first, last = (at.astimezone(document.zone).date() for at in (document.start, document.end - MOMENT))
    of_filters = (f"{name}={value}" for name, value in document.filters)
    of_subject = [document.subject] if document.subject else []
    days = f"_{first}" if first == last else f"_{first}_{last}"
    about = safe_name((document.kind, *of_subject, *of_filters), LONGEST_NAME - len(days))
    return f"{about}{days}.{file_format}"
