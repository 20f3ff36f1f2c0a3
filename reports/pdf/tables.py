"""Lays out the tables of a report: widths of columns, size of the text, and where names are cut."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from reports.document import Column, Table, Value
from reports.pdf.letters import fitting, is_measured, is_right_to_left, width
from reports.pdf.papers import Paper, widths_of
from reports.pdf.text import Flowing, prose, value_text
from reports.words import in_one_unit

SIZES = (8.0, 7.5, 7.0, 6.5, 6.0)
"""Of the text, in points: the largest with which the table fits."""
PADDING = 8.0
"""Between two columns, in points: half of it at each side."""
AFTER_NUMBERS = 10.0
"""The wider gap between numbers and words after them."""
BOLD = 1.09
"""How much wider bold letters are."""
LONGEST_WORD = 90.0
"""The most room of a word in the title of a column, in points."""
WORDS = ("text", "moment", "day")
"""Units whose values stand at the left."""
LEAST_NAME = 70.0
"""The least width of a column of names, in points."""


LONG = 250
"""Rows. In a longer table a row is one cell and one line, since cells take much memory; and no bar stands behind it."""
ROW_HEIGHT = 1.9
"""Of such a line, as a multiple of the size of the text."""


Piece = float | str | dict[str, Any]


class Layout(NamedTuple):
    size: float
    widths: Sequence[float]
    lefts: Sequence[float]
    """The space before the text of each column, which is part of its width."""
    is_wide: bool
    """It needs pages on their side."""


def table_data(table: Table, zone: ZoneInfo, paper: Paper) -> dict[str, Any]:
    """Returns a table as the template reads it."""
    columns = texts_of(table, zone)
    layout = layout_of(table.columns, columns, paper)
    totals = None if table.totals is None else [value_text(texts.pop()) for texts in columns]
    is_long = len(table.rows) > LONG
    return {
        "title": prose(table.title),
        "columns": [column_data(*of) for of in zip(table.columns, layout.widths, layout.lefts, strict=True)],
        "rows": lines(table.columns, columns, layout) if is_long else rows_of(columns),
        "totals": totals,
        "shares": [] if is_long else shares(table),
        "note": prose(table.note),
        "size": layout.size,
        "rowHeight": layout.size * ROW_HEIGHT,
        "isLong": is_long,
        "isWide": layout.is_wide,
    }


def rows_of(columns: Sequence[Sequence[str]]) -> list[list[Flowing]]:
    return [[value_text(cell) for cell in row] for row in zip(*columns, strict=True)]


def lines(columns: Sequence[Column], texts: Sequence[Sequence[str]], layout: Layout) -> list[list[Piece]]:
    """Returns the rows of a long table as pieces of a line, each with the space before it."""
    rooms = [wide - left - PADDING / 2 for wide, left in zip(layout.widths, layout.lefts, strict=True)]
    cut = [
        of if is_number(column) else [fitting(text, room, layout.size) for text in of]
        for column, of, room in zip(columns, texts, rooms, strict=True)
    ]
    return [line(row, columns, rooms, layout) for row in zip(*cut, strict=True)]


def line(texts: Sequence[str], columns: Sequence[Column], rooms: Sequence[float], layout: Layout) -> list[Piece]:
    """Returns texts, and before each the space to the text before it. A text of unknown width stands in a box."""
    pieces: list[Piece] = []
    end = start = 0.0
    for text, column, room, left, wide in zip(texts, columns, rooms, layout.lefts, layout.widths, strict=True):
        length = width(text) * layout.size if is_measured(text) else room
        place = start + left + (room - length if is_number(column) else 0)
        boxed = {"text": text, "width": room, "isRtl": is_right_to_left(text)}
        pieces += round(place - end, 2), text if is_measured(text) else boxed
        end, start = place + length, start + wide
    return pieces


def column_data(column: Column, wide: float, left: float) -> dict[str, Any]:
    return {"title": value_text(title(column)), "isText": not is_number(column), "width": wide, "left": left}


def texts_of(table: Table, zone: ZoneInfo) -> list[list[str]]:
    """Writes each column, and its total, in one unit."""
    return [column_texts(column, place, table, zone) for place, column in enumerate(table.columns)]


def column_texts(column: Column, place: int, table: Table, zone: ZoneInfo) -> list[str]:
    """Writes the values of a column, and its total, in one unit."""
    rows: list[Sequence[Value]] = [*table.rows, *([] if table.totals is None else [table.totals])]
    return in_one_unit([row[place] for row in rows], column.unit, zone)


def title(column: Column) -> str:
    """Returns the title with its long words cut, so that it never needs more room than the column has."""
    return " ".join(fitting(word, LONGEST_WORD, SIZES[0]) for word in column.title.split())


# --- Widths ---


def layout_of(columns: Sequence[Column], cells: Sequence[Sequence[str]], paper: Paper) -> Layout:
    """Chooses the largest text with which numbers stand on one line, and names have room."""
    upright, on_side = widths_of(paper)
    lefts = lefts_of(columns)
    for is_wide, page in ((False, upright), (True, on_side)):
        for size in SIZES:
            needs = [needed(*of, size) for of in zip(columns, cells, lefts, strict=True)]
            if sum(least for least, _ in needs) <= page:
                return Layout(size, shared(needs, page), lefts, is_wide)
    return Layout(SIZES[-1], [on_side / len(columns)] * len(columns), lefts, is_wide=True)


def lefts_of(columns: Sequence[Column]) -> list[float]:
    """Returns the space before the text of each column."""
    before: list[Column | None] = [None, *columns]
    return [
        PADDING / 2 + (AFTER_NUMBERS if one and is_number(one) and not is_number(column) else 0)
        for one, column in zip(before, columns, strict=False)
    ]


def is_number(column: Column) -> bool:
    return column.unit not in WORDS


def needed(column: Column, cells: Sequence[str], left: float, size: float) -> tuple[float, float]:
    """Returns the least width of a column, and the width in which nothing breaks."""
    word = max(map(width, title(column).split()), default=0) * size * BOLD + left + PADDING / 2
    whole_title = width(title(column)) * size * BOLD + left + PADDING / 2
    whole = max((width(cell) for cell in cells), default=0) * size * BOLD + left + PADDING / 2
    least = min(whole, LEAST_NAME) if column.unit == "text" else whole
    return max(word, least), max(whole_title, whole)


def shared(needs: Sequence[tuple[float, float]], page: float) -> list[float]:
    """Gives each column its least width, and the rest of the page to those that want more; then to all alike."""
    widths = [least for least, _ in needs]
    for _ in needs:
        wanting = [place for place, (_, whole) in enumerate(needs) if whole > widths[place] + 0.01]
        left = page - sum(widths)
        if not wanting or left < 0.01:
            break
        for place in wanting:
            widths[place] = min(needs[place][1], widths[place] + left / len(wanting))
    return [wide + (page - sum(widths)) / len(widths) for wide in widths]


# --- Shares ---


def shares(table: Table) -> list[list[float]]:
    """Returns for each row how long the bar behind each cell is, from 0 to 1; nothing without such a column."""
    if not any(column.has_share for column in table.columns):
        return []
    columns = [column_shares(column, [row[place] for row in table.rows]) for place, column in enumerate(table.columns)]
    return [list(row) for row in zip(*columns, strict=True)]


def column_shares(column: Column, values: Sequence[Value]) -> list[float]:
    """Returns the values as parts of the largest, like the pages do."""
    numbers = [value if isinstance(value, int | float) and value > 0 else 0 for value in values]
    largest = max(numbers, default=0)
    return [number / largest if column.has_share and largest else 0 for number in numbers]
