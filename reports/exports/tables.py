"""Writes rows as an Excel workbook, on the disk: memory holds one row at a time."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from tempfile import TemporaryDirectory
from typing import IO, Any

import orjson
from xlsxwriter import Workbook

from web.csv_text import plain
from web.problems import Problem

SHEET_ROWS = 1_048_576
"""Of Excel, with the head."""
MOST_ROWS = 2_000_000
LONGEST_CELL = 32_767
CUT = "… [cut]"
TIME_FORMAT = "yyyy-mm-dd hh:mm:ss.000"
TOO_MANY = f"A workbook holds at most {MOST_ROWS:,} rows. Ask for a shorter window, or for csv or jsonl."


class TooManyRows(Problem):
    def __init__(self) -> None:
        super().__init__(422, TOO_MANY, [{"loc": ["query", "end"], "msg": TOO_MANY}])


def write(file: IO[bytes], columns: Sequence[str], parts: Iterable[Iterable[Mapping[str, Any]]]) -> None:
    """Writes all rows into the file. Each sheet begins with the names of the columns.

    Texts are never formulas or links, money and times are numbers. A text that is too long for a cell of Excel is cut
    and says so. Raises TooManyRows.
    """
    with TemporaryDirectory(prefix="export-") as folder:
        options = {"constant_memory": True, "tmpdir": folder, "default_date_format": TIME_FORMAT}
        with Workbook(file, options) as workbook:
            sheets = Sheets(workbook, columns)
            for number, row in enumerate(one for part in parts for one in part):
                if number == MOST_ROWS:
                    raise TooManyRows
                sheets.add(row)


class Sheets:
    """The sheets of a workbook. A new one begins when one is full."""

    def __init__(self, workbook: Any, columns: Sequence[str]) -> None:
        self.workbook, self.columns = workbook, columns
        self.head = workbook.add_format({"bold": True})
        self.begin()

    def begin(self) -> None:
        self.sheet = self.workbook.add_worksheet()
        self.sheet.freeze_panes(1, 0)
        for place, name in enumerate(self.columns):
            self.sheet.write_string(0, place, name, self.head)
        self.row = 1

    def add(self, row: Mapping[str, Any]) -> None:
        if self.row == SHEET_ROWS:
            self.begin()
        for place, name in enumerate(self.columns):
            self.write_cell(place, row[name])
        self.row += 1

    def write_cell(self, place: int, value: Any) -> None:
        if value is None:
            return
        if isinstance(value, datetime):
            self.sheet.write_datetime(self.row, place, value.astimezone(UTC).replace(tzinfo=None))
        elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            self.sheet.write_number(self.row, place, value)
        else:
            self.sheet.write_string(self.row, place, short(text_of(value)))


def text_of(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(map(plain, value))
    return orjson.dumps(value).decode()


def short(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - len(CUT)] + CUT
