"""Reads a file as a table: its encoding, its separator, its header, and its lines one after the other."""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from io import StringIO
from typing import NamedTuple

from web.problems import Problem

MOST_BYTES = 20 * 1024 * 1024
SEPARATORS = (",", ";", "\t", "|")
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
LINES_SEARCHED = 20
"""Among these the header is found: some files begin with a title."""
MOST_COLUMNS = 200
MOST_LINES = 500_000
EXCEL_SEPARATOR = re.compile(r"sep=(.)\r?\n", re.I)
NOT_TEXT = (
    (b"PK", "is a ZIP or Excel file: save the sheet as CSV"),
    (b"\x1f\x8b", "is compressed twice"),
    (b"%PDF", "is a PDF: export the CSV"),
)


class Line(NamedTuple):
    number: int
    """In the file, from 1."""
    cells: list[str]


class Sheet(NamedTuple):
    text: str
    encoding: str
    separator: str
    header_line: int
    columns: list[str]

    @property
    def fingerprint(self) -> str:
        """Returns the same text for every file with this header."""
        return sha256("\0".join(self.columns).encode()).hexdigest()

    def lines(self) -> Iterator[Line]:
        """Yields the lines below the header, without empty ones, each with a cell for each column."""
        for line in read_lines(self.text, self.separator):
            if line.number <= self.header_line or not any(cell.strip() for cell in line.cells):
                continue
            if line.number > MOST_LINES:
                raise bad_file(f"The file has more than {MOST_LINES:,} lines.")
            if len(line.cells) > len(self.columns) and any(line.cells[len(self.columns) :]):
                message = f"has {len(line.cells)} cells, and the header has {len(self.columns)}"
                raise bad_file(f"Line {line.number} {message}: a separator in a cell needs quotes.")
            yield Line(line.number, [*line.cells, *[""] * (len(self.columns) - len(line.cells))])


def bad_file(message: str, column: str = "file") -> Problem:
    return Problem(422, message, [{"loc": ["body", column], "msg": message}])


def read_sheet(data: bytes) -> Sheet:
    """Returns the table of the file, or raises a 422 Problem."""
    text, encoding = decode(data)
    separator = EXCEL_SEPARATOR.match(text)
    first_line, mark = (1, separator[1]) if separator else (0, separator_of(text))
    header = header_of(text, mark, first_line)
    names = [name.strip() or f"column {place}" for place, name in enumerate(header.cells, 1)]
    return Sheet(text, encoding, mark, header.number, names)


def decode(data: bytes) -> tuple[str, str]:
    if len(data) > MOST_BYTES:
        raise too_long()
    for beginning, message in NOT_TEXT:
        if data.startswith(beginning):
            raise bad_file(f"The file {message}.")
    encoding = next((name for bom, name in BOMS if data.startswith(bom)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeError:
        text, encoding = decode_western(data), "windows-1252"
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise bad_file(f"Line {line} is not text. Files in UTF-16 need a byte order mark.")
    if not text.strip():
        raise bad_file("The file is empty.")
    return text, encoding


def decode_western(data: bytes) -> str:
    try:
        return data.decode("windows-1252")
    except UnicodeError as error:
        line = data[: error.start].count(b"\n") + 1  # type: ignore[attr-defined]
        raise bad_file(f"Line {line} is neither UTF-8 nor Windows-1252 text.") from error


def too_long() -> Problem:
    return Problem(413, f"The file has more than {MOST_BYTES // 2**20} MB.")


def separator_of(text: str) -> str:
    """Returns the separator that makes the most cells in the same number on most of the first lines."""
    start = "\n".join(text.splitlines()[:LINES_SEARCHED])

    def score(mark: str) -> tuple[int, int]:
        try:
            widths = [len(line.cells) for line in read_lines(start, mark) if any(line.cells)]
        except Problem:
            return 0, 0
        widest = max(widths, default=0)
        return (widths.count(widest), widest) if widest > 1 else (0, 0)

    best = max(SEPARATORS, key=score)
    return best if score(best)[1] > 1 else ","


def header_of(text: str, separator: str, after: int) -> Line:
    """Returns the first full line of those that have as many cells as most of the first lines.

    A title above the header has fewer cells, or empty ones.
    """
    first = [
        line for line, _ in zip(read_lines(text, separator), range(LINES_SEARCHED), strict=False) if line.number > after
    ]
    widths = Counter(len(line.cells) for line in first if filled(line) > 1)
    if not widths:
        raise bad_file("The file has no header: its first lines have a single column.")
    width = max(widths, key=lambda one: (widths[one], one))
    if width > MOST_COLUMNS:
        raise bad_file(f"The file has more than {MOST_COLUMNS} columns.")
    candidates = [line for line in first if len(line.cells) == width]
    fullest = max(map(filled, candidates))
    return next(line for line in candidates if filled(line) >= max(fullest - 1, 2))


def filled(line: Line) -> int:
    return sum(bool(cell.strip()) for cell in line.cells)


def read_lines(text: str, separator: str) -> Iterator[Line]:
    """Yields the lines of the text. A line of the table may have line breaks in quotes."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    before = 0
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise bad_file(f"Line {before + 1} cannot be read: {error}.") from error
        if cells is None:
            return
        yield Line(before + 1, cells)
        before = reader.line_num
