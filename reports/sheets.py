"""Writes a report as CSV, its main table, and as an Excel workbook with all of its tables."""

import re
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from xlsxwriter import Workbook

from reports.document import Column, Document, Figure, Table, Unit, Value
from reports.exports.tables import short
from reports.words import window_title
from web.csv_text import cell, written

NAME_LENGTH = 31
"""The longest name of a sheet in Excel."""
NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
RESERVED = {"history", "summary"}
WIDEST = 60
FORMATS: dict[Unit, str] = {
    "count": "#,##0",
    "average": "#,##0.00",
    "usd": '"$"#,##0.00####',
    "ms": '#,##0.0" ms"',
    "percent": "0.0%",
    "rate": '0.0000" a second"',
    "moment": "yyyy-mm-dd hh:mm",
    "day": "yyyy-mm-dd",
}


# --- CSV ---


def csv_bytes(document: Document) -> bytes:
    """Writes the main table, with the names of fields as the head and numbers unrounded; its totals are left out."""
    table = main_table(document)
    if table is None:
        return written([])
    return written([[column.name for column in table.columns], *csv_rows(table, document.zone)])


def main_table(document: Document) -> Table | None:
    tables = tables_of(document)
    return next((table for table in tables if table.is_main), tables[0] if tables else None)


def tables_of(document: Document) -> list[Table]:
    return [table for section in document.sections for table in section.tables]


def csv_rows(table: Table, zone: ZoneInfo) -> Iterator[list[str]]:
    for row in table.rows:
        yield [csv_cell(value, column.unit, zone) for value, column in zip(row, table.columns, strict=True)]


def csv_cell(value: Value, unit: Unit, zone: ZoneInfo) -> str:
    is_day = unit == "day" and isinstance(value, datetime)
    return value.astimezone(zone).date().isoformat() if is_day else cell(value)  # type: ignore[union-attr]


# --- XLSX ---


def xlsx_bytes(document: Document) -> bytes:
    """Writes a workbook: a sheet of figures, then one for each table. Texts are never formulas or links."""
    file = BytesIO()
    with Workbook(file, {"in_memory": True, "default_date_format": FORMATS["moment"]}) as workbook:
        workbook.set_properties({"title": short(document.title), "created": clock(document.made_at, document.zone)})
        Sheets(workbook, document).write()
    return file.getvalue()


class Sheets:
    def __init__(self, workbook: Any, document: Document) -> None:
        self.workbook, self.document = workbook, document
        self.names: set[str] = set(RESERVED)
        self.head = workbook.add_format({"bold": True})
        self.title = workbook.add_format({"bold": True, "font_size": 16})
        self.formats = {unit: workbook.add_format({"num_format": text}) for unit, text in FORMATS.items()}
        self.totals = {
            unit: workbook.add_format({"num_format": text, "bold": True, "top": 1}) for unit, text in FORMATS.items()
        }
        self.totals["text"] = workbook.add_format({"bold": True, "top": 1})

    def write(self) -> None:
        self.write_summary()
        for table in tables_of(self.document):
            self.write_table(table)

    def write_summary(self) -> None:
        sheet = self.workbook.add_worksheet("Summary")
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 1, 24)
        row = count()
        sheet.write_string(next(row), 0, short(self.document.title), self.title)
        for name, value in head_lines(self.document):
            place = next(row)
            sheet.write_string(place, 0, short(name))
            sheet.write_string(place, 1, short(value))
        next(row)
        sheet.write_string(next(row), 0, short(self.document.sentence))
        for section in self.document.sections:
            if section.figures or section.notes:
                next(row)
                sheet.write_string(next(row), 0, short(section.title), self.head)
            for figure in section.figures:
                self.write_figure(sheet, next(row), figure)
            for note in section.notes:
                sheet.write_string(next(row), 0, short(note))

    def write_figure(self, sheet: Any, row: int, figure: Figure) -> None:
        sheet.write_string(row, 0, short(figure.label))
        self.write_cell(sheet, row, 1, figure.value, figure.unit)
        if figure.change_percent is not None:
            sheet.write_string(row, 2, "against the window before")
            self.write_cell(sheet, row, 3, figure.change_percent, "percent")
        if figure.note:
            sheet.write_string(row, 4, short(figure.note))

    def write_table(self, table: Table) -> None:
        sheet = self.workbook.add_worksheet(self.name_of(table.title))
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(table.columns):
            sheet.write_string(0, place, short(column.title), self.head)
            sheet.set_column(place, place, width_of(table, place))
        if table.rows:
            sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)
        for number, row in enumerate(table.rows, start=1):
            self.write_row(sheet, number, row, table.columns, self.formats)
        if table.totals:
            self.write_row(sheet, len(table.rows) + 1, table.totals, table.columns, self.totals)
        if table.note:
            sheet.write_string(len(table.rows) + 3, 0, short(table.note))

    def write_row(self, sheet: Any, row: int, values: Any, columns: Any, formats: dict[Unit, Any]) -> None:
        for place, (value, column) in enumerate(zip(values, columns, strict=True)):
            self.write_cell(sheet, row, place, value, column.unit, formats)

    def write_cell(
        self, sheet: Any, row: int, place: int, value: Value, unit: Unit, formats: dict[Unit, Any] | None = None
    ) -> None:
        formats = formats or self.formats
        if value is None:
            return
        if isinstance(value, str):
            sheet.write_string(row, place, short(value), formats.get("text"))
        elif isinstance(value, datetime):
            sheet.write_datetime(row, place, clock(value, self.document.zone), formats.get(unit))
        else:
            sheet.write_number(row, place, value / 100 if unit == "percent" else value, formats.get(unit))

    def name_of(self, title: str) -> str:
        """Returns a name for a sheet that Excel takes, unlike all before."""
        plain = NOT_IN_NAMES.sub(" ", title).strip().strip("'")[:NAME_LENGTH].strip().strip("'") or "Table"
        name = next(name for name in spellings(plain) if name.lower() not in self.names)
        self.names.add(name.lower())
        return name


def spellings(name: str) -> Iterator[str]:
    yield name
    for number in count(2):
        end = f" {number}"
        yield f"{name[: NAME_LENGTH - len(end)]}{end}"


def head_lines(document: Document) -> Iterator[tuple[str, str]]:
    """Yields what the report is about, as names and values."""
    zone = document.zone
    yield "Workspace", document.workspace
    if document.subject:
        yield "About", document.subject
    yield "Window", f"{window_title(document.start, document.end, zone)} ({zone})"
    yield from document.filters
    yield "Made", f"{document.made_at.astimezone(zone):%-d %B %Y, %H:%M}"


def width_of(table: Table, place: int) -> int:
    column: Column = table.columns[place]
    if column.unit != "text":
        return max(len(column.title) + 2, 14)
    longest = max((len(str(row[place] or "")) for row in table.rows), default=0)
    return min(max(longest, len(column.title)) + 2, WIDEST)


def clock(moment: datetime, zone: ZoneInfo) -> datetime:
    """Returns the clock on the wall, since Excel knows no zones."""
    return moment.astimezone(zone).replace(tzinfo=None)
