"""Makes the files that the compiler reads: the document as plain data, and its charts."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unicodedata import bidirectional
from zoneinfo import ZoneInfo

import orjson

from analytics.templatetags.changes import NOTICED_FROM, compared
from reports.document import Chart, Document, Figure, Section, Series
from reports.pdf.charts import Drawing, drawing
from reports.pdf.letters import fitting, fonts_of, is_right_to_left, width
from reports.pdf.papers import Paper, page_data, widths_of
from reports.pdf.tables import BOLD, table_data
from reports.pdf.text import Flowing, prose, value_text, with_readable_text
from reports.words import before, window_title, written

TEMPLATES = Path(__file__).with_name("templates")
GAP = 16.0
"""Between two charts, in points like all lengths."""
HEAD_TITLE_WIDTH, HEAD_GAP, HEAD_SIZE = 130.0, 24.0, 7.5
"""Of the line at the top of each page: the most room of the title, and the size of the letters."""
CARDS, CARD_GAP, CARD_PADDING = 4, 8.0, 9.0
LARGEST, SMALLEST = 16.0, 9.0
"""The sizes of a figure, in points. Only a number may be smaller, since it stands on one line."""
LABEL_LINES, NAME_LINES, LABEL_SIZE = 1.7, 2.7, 8.0
"""A label, and a name that is the value, lose their middle when they would take another line."""
MOST_ROWS_BESIDE = 10
"""Horizontal bars with more rows have the width of the page."""
CHART_TITLE_SIZE = 9.5
LEGEND_WIDTH, LEGEND_SIZE = 150.0, 7.5
LEFT_TO_RIGHT_MARK = "\u200e"
KANA = range(0x3041, 0x3100)
JAPANESE, CHINESE = "Noto Sans CJK JP", "Noto Sans CJK SC"


def files_of(document: Document, paper: Paper) -> dict[str, bytes]:
    """Returns all that the compiler reads, by name."""
    document = with_readable_text(document)
    drawings: dict[str, bytes] = {}
    sections = [section_data(section, document, paper, drawings) for section in document.sections]
    data = {**heading(document, paper), **page_data(paper), "gap": GAP, "sections": sections}
    text = orjson.dumps(data)
    fonts = orjson.dumps(families(text.decode()))
    return {**templates(), **drawings, "document.json": text, "fonts.json": fonts}


def templates() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(TEMPLATES.glob("*.typ"))}


def families(text: str) -> list[str]:
    """Returns the fonts of a text. Chinese and Japanese write some letters differently."""
    is_japanese = any(ord(letter) in KANA for letter in text)
    return [CHINESE if name == JAPANESE and not is_japanese else name for name in fonts_of(text)]


def heading(document: Document, paper: Paper) -> dict[str, Any]:
    zone = document.zone
    window = window_title(document.start, document.end, zone)
    return {
        "title": prose(document.title),
        "fileTitle": f"{document.title} · {document.workspace}",
        "subject": prose(document.subject),
        "workspace": value_text(document.workspace),
        "head": running_head(document, window, paper),
        "window": window,
        "zone": zone.key,
        "madeAt": written(document.made_at, "moment", zone),
        "filters": [[prose(name), value_text(value)] for name, value in document.filters],
        "sentence": prose(document.sentence),
    }


def running_head(document: Document, window: str, paper: Paper) -> list[Flowing]:
    """Returns the workspace, and the title with the window, which stand on one line at the top of each page."""
    title = f"{fitting(document.title, HEAD_TITLE_WIDTH, HEAD_SIZE)}{after(document.title)} · {window}"
    room = widths_of(paper)[0] - HEAD_GAP - width(title) * HEAD_SIZE
    return [value_text(fitting(document.workspace, room, HEAD_SIZE)), prose(title)]


def after(title: str) -> str:
    """Returns a mark for a title with Arabic or Hebrew in it: the digits behind it stay behind it."""
    return LEFT_TO_RIGHT_MARK if any(bidirectional(letter) in ("R", "AL") for letter in title) else ""


# --- Sections ---


def section_data(section: Section, document: Document, paper: Paper, drawings: dict[str, bytes]) -> dict[str, Any]:
    """Returns a section as data, and adds its charts to the drawings."""
    upright, _ = widths_of(paper)
    zone, earlier = document.zone, before(document.start, document.end, document.zone)
    return {
        "title": prose(section.title),
        "sentence": prose(section.sentence),
        "figures": [figure_data(figure, zone, earlier, upright) for figure in section.figures],
        "charts": [row_data(row, zone, upright, drawings) for row in chart_rows(section.charts)],
        "tables": [table_data(table, zone, paper) for table in section.tables],
        "notes": [prose(note) for note in section.notes],
    }


def figure_data(figure: Figure, zone: ZoneInfo, earlier: str, page_width: float) -> dict[str, Any]:
    """Returns a figure with the largest size in which its number stands on one line of its card."""
    room = (page_width - CARD_GAP * (CARDS - 1)) / CARDS - 2 * CARD_PADDING
    value, is_text = written(figure.value, figure.unit, zone), isinstance(figure.value, str)
    fitted = min(LARGEST, room / max(width(value) * BOLD, 1))
    size = max(SMALLEST, fitted) if is_text else fitted
    return {
        "label": prose(fitting(figure.label, room * LABEL_LINES, LABEL_SIZE)),
        "value": value_text(fitting(value, room * NAME_LINES, size * BOLD)) if is_text else value,
        "size": size,
        "change": "" if figure.change_percent is None else compared(figure.change_percent, earlier, ""),
        "direction": direction(figure.change_percent),
        "note": prose(fitting(figure.note, room * NAME_LINES, LABEL_SIZE)),
    }


def direction(change: float | None) -> int:
    """Returns 1 and -1 for the arrow up and down, and 0 for none."""
    return 0 if change is None or abs(change) < NOTICED_FROM else 1 if change > 0 else -1


# --- Charts ---


def chart_rows(charts: Sequence[Chart]) -> Iterator[Sequence[Chart]]:
    """Puts two charts beside each other, where none is tall."""
    left = list(charts)
    while left:
        row = left[:1] if any(map(is_tall, left[:2])) else left[:2]
        left = left[len(row) :]
        yield row


def is_tall(chart: Chart) -> bool:
    return chart.form == "horizontal_bars" and len(chart.axis) > MOST_ROWS_BESIDE


def row_data(row: Sequence[Chart], zone: ZoneInfo, wide: float, drawings: dict[str, bytes]) -> list[dict[str, Any]]:
    each = wide if len(row) == 1 else (wide - GAP) / 2
    return [chart_data(chart, zone, each, drawings) for chart in row]


def chart_data(chart: Chart, zone: ZoneInfo, wide: float, drawings: dict[str, bytes]) -> dict[str, Any]:
    drawn = drawing(chart, zone, wide)
    name = f"chart-{len(drawings)}.svg"
    drawings[name] = drawn.svg.encode()
    return {
        "title": prose(fitting(chart.title, wide, CHART_TITLE_SIZE * BOLD)),
        "file": name,
        "alt": description(chart, zone),
        "width": drawn.width,
        "height": drawn.height,
        "labels": labels_data(drawn),
        "legend": [legend_data(series, chart) for series in chart.series] if len(chart.series) > 1 else [],
    }


def labels_data(drawn: Drawing) -> list[dict[str, Any]]:
    return [label._asdict() | {"isRtl": is_right_to_left(label.text)} for label in drawn.labels]


def legend_data(series: Series, chart: Chart) -> dict[str, Any]:
    is_line = series.is_before or chart.form in ("lines", "stepped")
    return {
        "name": value_text(fitting(series.name, LEGEND_WIDTH, LEGEND_SIZE)),
        "color": series.color,
        "isLine": is_line,
        "isBefore": series.is_before,
        "pattern": series.pattern,
    }


def description(chart: Chart, zone: ZoneInfo) -> str:
    """Says in words what the chart shows, for people who do not see it."""
    return " ".join([f"{chart.title}.", *(series_words(series, chart, zone) for series in chart.series)])


def series_words(series: Series, chart: Chart, zone: ZoneInfo) -> str:
    values = [value for value in series.values if value is not None]
    if not values:
        return f"{series.name}: no values."
    low, high = (written(value, chart.unit, zone) for value in (min(values), max(values)))
    return f"{series.name}: from {low} to {high}, {len(values)} values."
