"""Makes the bytes of an export, part by part."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from tempfile import TemporaryFile
from typing import IO, Any

import orjson

from explorer.trace_csv import COLUMNS as TRACE_COLUMNS
from explorer.trace_csv import all_pages, csv_lines
from explorer.trace_filters import TraceFilters
from reports.exports import columns, tables
from reports.exports.columns import Column
from reports.exports.parameters import ExportRequest
from reports.exports.reading import Question, give_back_connections, parts, read, read_csv

FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""The type of each kind of file."""
LINE = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
READ_BYTES = 256 * 1024

Counted = Callable[[int], None]
"""Is told how many more rows are in the file."""


def chunks(kind: str, file_format: str, request: ExportRequest, counted: Counted) -> Iterator[bytes]:
    """Yields the file. An empty chunk says only that time has passed."""
    if file_format == "xlsx":
        yield from workbook(kind, request, counted)
    elif isinstance(request.rows, TraceFilters):
        pages = counting(trace_pages(request.rows), counted)
        yield from csv_lines(pages) if file_format == "csv" else map(json_lines, pages)
    else:
        yield from lines(file_format, columns_of(kind, request), request.rows, counted)


def columns_of(kind: str, request: ExportRequest) -> Sequence[Column]:
    if kind == "scores":
        return columns.SCORES
    return (*columns.CALLS, columns.ATTRIBUTES) if request.with_content else columns.CALLS


def lines(file_format: str, of_kind: Sequence[Column], question: Question, counted: Counted) -> Iterator[bytes]:
    """Yields the lines of calls or scores, which the database writes."""
    if file_format == "csv":
        yield (",".join(column.name for column in of_kind) + "\n").encode()
    for part in parts(question):
        text, number = (csv_part if file_format == "csv" else json_part)(part, of_kind)
        counted(number)
        give_back_connections()
        yield text


def csv_part(part: Question, of_kind: Sequence[Column]) -> tuple[bytes, int]:
    return read_csv(part, columns.csv_values(of_kind))


def json_part(part: Question, of_kind: Sequence[Column]) -> tuple[bytes, int]:
    found = read(part, columns.json_line(of_kind))
    return "".join(f"{row['line']}\n" for row in found).encode(), len(found)


def json_lines(page: Iterable[Any]) -> bytes:
    return b"".join(orjson.dumps(row, default=float, option=LINE) for row in page)


def trace_pages(question: TraceFilters) -> Iterator[list[Any]]:
    for page in all_pages(question.filters.workspace_id, question):
        give_back_connections()
        yield page


def counting(pages: Iterable[list[Any]], counted: Counted) -> Iterator[list[Any]]:
    for page in pages:
        counted(len(page))
        yield page


def workbook(kind: str, request: ExportRequest, counted: Counted) -> Iterator[bytes]:
    """Yields a workbook, which is written to the disk first: the table of contents of a zip archive is at its end."""
    with TemporaryFile() as file:
        if isinstance(request.rows, TraceFilters):
            tables.write(file, TRACE_COLUMNS, counting(trace_pages(request.rows), counted))
        else:
            of_kind = columns_of(kind, request)
            found = counting((read(part, columns.cells(of_kind)) for part in parts(request.rows)), counted)
            tables.write(file, [column.name for column in of_kind], found)
        file.seek(0)
        yield from blocks(file)


def blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(READ_BYTES):
        yield block
