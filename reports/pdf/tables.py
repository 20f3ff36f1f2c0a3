"""Lays out the tables of a report: widths of columns, size of the text, and where names are cut."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from reports.document import Column, Table, Value
from reports.pdf.letters import fitting, width
from reports.pdf.text import flowing
from reports.words import in_one_unit

SIZES = (8.0, 7.5, 7.0, 6.5, 6.0)
"""Of the text, in points: the largest with which the table fits."""
PADDING = 8.0
"""Between two columns, in points."""
BOLD = 1.09
"""How much wider bold letters are."""
LONGEST_WORD = 90.0
"""The most room of a word in the title of a column, in points."""
WORDS = ("text", "moment", "day")
"""Units whose values stand at the left."""
LEAST_NAME = 70.0
"""The least width of a column of names, in points."""
MOST_FLOWING = 250
"""Rows. In a longer table each name stands on one line and loses its middle: rows of one height take less memory."""


class Layout(NamedTuple):
    size: float
    widths: Sequence[float]
    is_wide: bool
    """It needs pages on their side."""


def table_data(table: Table, zone: ZoneInfo, widths: tuple[float, float]) -> dict[str, Any]:
    """Returns the table as the template reads it. `widths` are those of an upright page and of one on its side."""
    columns = [column_texts(column, place, table, zone) for place, column in enumerate(table.columns)]
    layout = layout_of(table.columns, columns, widths)
    is_long = len(table.rows) > MOST_FLOWING
    if is_long:
        columns = [
            cut(texts, wide, layout.size) if is_text(column) else texts
            for texts, wide, column in zip(columns, layout.widths, table.columns, strict=True)
        ]
    rows = [list(row) for row in zip(*columns, strict=True)]
    totals = rows.pop() if table.totals is not None else None
    return {
        "title": flowing(table.title),
        "columns": [
            {"title": title(column), "isText": column.unit in WORDS, "width": wide}
            for column, wide in zip(table.columns, layout.widths, strict=True)
        ],
        "rows": rows if is_long else [[flowing(cell) for cell in row] for row in rows],
        "totals": None if totals is None else [flowing(cell) for cell in totals],
        "shares": [] if is_long else shares(table),
        "note": flowing(table.note),
        "size": layout.size,
        "isLong": is_long,
        "isWide": layout.is_wide,
    }


def column_texts(column: Column, place: int, table: Table, zone: ZoneInfo) -> list[str]:
    """Writes the values of a column, and its total, in one unit."""
    rows: list[Sequence[Value]] = [*table.rows, *([] if table.totals is None else [table.totals])]
    return in_one_unit([row[place] for row in rows], column.unit, zone)


def is_text(column: Column) -> bool:
    return column.unit == "text"


def title(column: Column) -> str:
    """Returns the title with its long words cut, so that it never needs more room than the column has."""
    return " ".join(fitting(word, LONGEST_WORD, SIZES[0]) for word in column.title.split())


def cut(texts: Sequence[str], wide: float, size: float) -> list[str]:
    return [fitting(text, wide - PADDING, size) for text in texts]


# --- Widths ---


def layout_of(columns: Sequence[Column], cells: Sequence[Sequence[str]], widths: tuple[float, float]) -> Layout:
    """Chooses the largest text with which numbers stand on one line, and names have room."""
    upright, on_side = widths
    for page, size in [*((upright, size) for size in SIZES), *((on_side, size) for size in SIZES)]:
        needs = [needed(column, of, size) for column, of in zip(columns, cells, strict=True)]
        if sum(least for least, _ in needs) <= page:
            return Layout(size, shared(needs, page), page == on_side)
    return Layout(SIZES[-1], [on_side / len(columns)] * len(columns), is_wide=True)


def needed(column: Column, cells: Sequence[str], size: float) -> tuple[float, float]:
    """Returns the least width of a column, and the width in which nothing breaks."""
    word = max(map(width, title(column).split()), default=0) * size * BOLD + PADDING
    whole_title = width(title(column)) * size * BOLD + PADDING
    whole = max((width(cell) for cell in cells), default=0) * size * BOLD + PADDING
    least = min(whole, LEAST_NAME) if is_text(column) else whole
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
