"""Sums the lines of a provider's file by day, model and class of tokens. Every fault names its line and column."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from insights.invoices import cells
from insights.invoices.cells import BadCell, Forms
from insights.invoices.columns import Columns, class_of, model_and_class
from insights.invoices.sheet import Line, Sheet, bad_file
from web.problems import FieldError, Problem

MOST_GROUPS = 10_000
"""So many days and models, with names as long as they may be, fit into an answer."""
MOST_DAYS = 400
MOST_ERRORS = 10
MODEL_LENGTH = 200
TOTAL_WORDS = re.compile(r"(grand |sub-?)?(total|totals|sum|summe|gesamt|gesamtsumme|zwischensumme)( .{0,30})?:?", re.I)
"""A line with this as its day or its model sums other lines."""
CENTS = Decimal("0.01")


@dataclass
class Sum:
    amount_usd: Decimal = Decimal(0)
    quantity: Decimal | None = None
    lines: int = 0

    def add(self, amount_usd: Decimal, quantity: Decimal | None) -> None:
        self.amount_usd += amount_usd
        self.lines += 1
        if quantity is not None:
            self.quantity = (self.quantity or Decimal(0)) + quantity


class Group(NamedTuple):
    day: date | None
    """None: a credit or discount for the whole file."""
    model: str
    """As the provider names it; empty where it names none."""
    token_class: str


class FileLines(NamedTuple):
    sums: dict[Group, Sum]
    decimals: int
    """The most decimals of an amount, in USD."""
    totals: list[Decimal]
    """The amounts of lines that sum others, which are left out."""

    @property
    def days(self) -> list[date]:
        return sorted({group.day for group in self.sums if group.day})

    @property
    def total_usd(self) -> Decimal:
        return sum((one.amount_usd for one in self.sums.values()), Decimal(0))


def read_lines(sheet: Sheet, columns: Columns) -> FileLines:
    """Returns the sums, or raises a 422 Problem with the first faults of the file."""
    places = places_of(sheet, columns)
    forms = forms_of(sheet, columns, places)
    found = FileLines({}, 0, [])
    errors: list[FieldError] = []
    most_decimals = 0
    for line in sheet.lines():
        reader = LineReader(line, columns, places, forms)
        try:
            most_decimals = max(most_decimals, add_line(found, reader))
        except BadCell as error:
            errors.append(reader.error(error))
            if len(errors) == MOST_ERRORS:
                break
    if errors:
        raise Problem(422, "The file cannot be read as it is: " + errors[0]["msg"] + ".", errors)
    return checked(found._replace(decimals=most_decimals + (2 if columns.unit == "cents" else 0)))


def checked(found: FileLines) -> FileLines:
    if not found.days:
        raise bad_file("The file has no line with a day.")
    if (found.days[-1] - found.days[0]).days >= MOST_DAYS:
        raise bad_file(f"The days from {found.days[0]} to {found.days[-1]} are more than {MOST_DAYS}.")
    return found


def places_of(sheet: Sheet, columns: Columns) -> dict[str, int]:
    """Returns the place of each column that is used."""
    errors: list[FieldError] = []
    places = {}
    for field, name in columns.named.items():
        if name in sheet.columns:
            places[field] = sheet.columns.index(name)
        else:
            known = ", ".join(sheet.columns[:20])
            errors.append({"loc": ["body", field], "msg": f"there is no column {cells.shown(name)}; there are {known}"})
    if errors:
        raise Problem(422, "The columns are not those of the file.", errors)
    return places


def forms_of(sheet: Sheet, columns: Columns, places: dict[str, int]) -> Forms:
    """Returns how the file writes numbers and days: as chosen, else as the whole columns say."""
    mark = columns.decimal_mark or cells.decimal_mark(line.cells[places["amount"]] for line in sheet.lines())
    if mark is None:
        message = "the amounts do not say whether 1,234 has a decimal comma: choose the decimal mark"
        raise Problem(422, f"{message.capitalize()}.", [{"loc": ["body", "decimal_mark"], "msg": message}])
    days = (line.cells[places["day"]] for line in sheet.lines())
    return Forms(mark, columns.day_order or cells.day_order(days))


class LineReader:
    """Reads the cells of a line, and remembers the column that it read last."""

    def __init__(self, line: Line, columns: Columns, places: dict[str, int], forms: Forms) -> None:
        self.line, self.columns, self.places, self.forms = line, columns, places, forms
        self.column = ""

    def text(self, field: str) -> str:
        self.column = getattr(self.columns, field)
        return self.line.cells[self.places[field]].strip() if field in self.places else ""

    def name(self, field: str) -> str:
        text = self.text(field)
        cells.check_formula(text)
        if len(text) > MODEL_LENGTH:
            raise BadCell(f"has more than {MODEL_LENGTH} characters")
        return text

    def error(self, error: BadCell) -> FieldError:
        return {
            "loc": ["body", f"line {self.line.number}", self.column],
            "msg": f"line {self.line.number}, column {self.column}: {error}",
        }


def add_line(found: FileLines, reader: LineReader) -> int:
    """Adds a line to its group. Returns how many decimals its amount has."""
    day_text, model_text = reader.text("day"), reader.name("model")
    amount_text = reader.text("amount")
    if is_total(day_text) or is_total(model_text) or not (day_text or model_text):
        if amount_text:
            found.totals.append(amount_of(reader, amount_text))
        return 0
    if not amount_text:
        return 0  # a line without a charge
    amount_usd = amount_of(reader, amount_text)
    check_currency(reader)
    group = group_of(reader, day_text, model_text, amount_usd)
    if group not in found.sums and len(found.sums) >= MOST_GROUPS:
        raise bad_file(f"The file has more than {MOST_GROUPS:,} days, models and classes: choose other columns.")
    found.sums.setdefault(group, Sum()).add(amount_usd, quantity_of(reader))
    return cells.decimals(amount_text, reader.forms.decimal_mark)


@lru_cache(maxsize=4096)
def is_total(text: str) -> bool:
    return bool(TOTAL_WORDS.fullmatch(text))


def amount_of(reader: LineReader, text: str) -> Decimal:
    reader.column = reader.columns.amount
    amount = cells.number(text, reader.forms.decimal_mark)
    return amount * CENTS if reader.columns.unit == "cents" else amount


def check_currency(reader: LineReader) -> None:
    currency = reader.text("currency")
    if currency and currency.upper() not in ("USD", "US$", "$"):
        raise BadCell(f"is {cells.shown(currency)}, and only USD can be compared")


def group_of(reader: LineReader, day_text: str, model_text: str, amount_usd: Decimal) -> Group:
    """Returns the group of a line. Only what lowers the bill may have no day."""
    model, named_class = model_and_class(model_text)
    token_class = class_of(reader.name("token_class")) or named_class
    day_text = reader.text("day")
    if not day_text and amount_usd < 0:
        return Group(None, model, token_class)
    return Group(cells.day(day_text, reader.forms.day_order), model, token_class)


def quantity_of(reader: LineReader) -> Decimal | None:
    text = reader.text("quantity")
    return cells.number(text, reader.forms.decimal_mark) if text else None


def preview(sheet: Sheet, most: int) -> Iterator[Line]:
    """Yields the first lines, as the page shows them."""
    for line, _ in zip(sheet.lines(), range(most), strict=False):
        yield line._replace(cells=[cell[:60] for cell in line.cells])
