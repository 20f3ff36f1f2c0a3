"""Shows a report as HTML: what its templates write, and the file that needs nothing else."""

import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from analytics.templatetags.changes import compared
from reports.document import Chart, Column, Document, Figure, Section, Table, Value
from reports.pdf.charts import TEXT_SIZE, Label, drawing
from reports.sheets import head_lines
from reports.words import before, exactly, in_one_unit, written

STYLE = (settings.BASE_DIR / "static" / "print.css").read_text()
STYLE_OF_FILE = re.compile(rb"<style>(.*?)</style>", re.DOTALL)
NOTHING_FROM = ("default-src", "script-src", "connect-src", "form-action", "frame-ancestors", "base-uri")
POLICY = "".join(f"{name} 'none'; " for name in NOTHING_FROM) + "style-src 'sha256-{}'"
CHART_WIDTH = 520
"""In points."""
TEXT = '<text x="{}" y="{}" text-anchor="{}" fill="{}">{}</text>'
NUMBERS = ("count", "average", "usd", "ms", "percent", "rate")

LinkOf = Callable[[str, str], str]
"""Returns the address of what a value of a dimension has, or nothing."""


class Cell(NamedTuple):
    text: str
    exact: str
    is_number: bool
    share: str = ""
    """Of the bar behind the figure, in percent."""
    link: str = ""


class ShownTable(NamedTuple):
    table: Table
    columns: Sequence[tuple[str, bool]]
    """Titles, and whether they are over numbers."""
    rows: Sequence[Sequence[Cell]]
    totals: Sequence[Cell]


class ShownFigure(NamedTuple):
    figure: Figure
    text: str
    exact: str
    change: str
    """In words, like: 12 % more than the 30 days before."""


class ShownChart(NamedTuple):
    chart: Chart
    name: str
    """Of its element on the page."""
    drawing: Any
    numbers: ShownTable


class ShownSection(NamedTuple):
    section: Section
    name: str
    figures: Sequence[ShownFigure]
    charts: Sequence[ShownChart]
    tables: Sequence[ShownTable]


def no_link(dimension: str, value: str) -> str:
    return ""


def html_bytes(document: Document) -> bytes:
    """Returns the report as one file, which needs no other file and runs no script."""
    context = {"style": SafeString(STYLE), **shown(document, partial(svg_of, zone=document.zone))}
    return render_to_string("reports/file.html", context).encode()


def policy_of(file: bytes) -> str:
    """Returns the header for a file that `html_bytes` has made, maybe in an older version: nothing in it runs or is
    loaded, and only its own style applies.
    """
    style = STYLE_OF_FILE.search(file)
    return POLICY.format(b64encode(sha256(style.group(1) if style else b"").digest()).decode())


@dataclass(frozen=True)
class Showing:
    """How a document is shown."""

    document: Document
    draw: Callable[[Chart], Any]
    link_of: LinkOf
    most_rows: int | None
    """Of a table; None: all."""

    @property
    def zone(self) -> ZoneInfo:
        return self.document.zone

    def section(self, section: Section, name: str) -> ShownSection:
        return ShownSection(
            section,
            name,
            [self.figure(one) for one in section.figures],
            [self.chart(chart, f"{name}-{place}") for place, chart in enumerate(section.charts)],
            [shown_table(beginning(table, self.most_rows), self.zone, self.link_of) for table in section.tables],
        )

    def figure(self, one: Figure) -> ShownFigure:
        window = before(self.document.start, self.document.end, self.zone)
        change = "" if one.change_percent is None else compared(one.change_percent, window, "")
        return ShownFigure(
            one, written(one.value, one.unit, self.zone), exactly(one.value, one.unit, self.zone), change
        )

    def chart(self, chart: Chart, name: str) -> ShownChart:
        return ShownChart(chart, name, self.draw(chart), shown_table(numbers_of(chart), self.zone, no_link))


def svg_of(chart: Chart, zone: ZoneInfo) -> SafeString:
    """Draws a chart as PDFs have it, with its texts as texts of the SVG."""
    found = drawing(chart, zone, CHART_WIDTH)
    texts = format_html_join("", TEXT, map(text_of, found.labels))
    return SafeString(f"{found.svg.removesuffix('</svg>')}{texts}</svg>")


def text_of(label: Label) -> tuple[str, str, str, str, str]:
    moved, anchor = {"left": (0.0, "start"), "center": (0.5, "middle"), "right": (1.0, "end")}[label.align]
    x, y = label.x + label.width * moved, label.y + TEXT_SIZE
    return f"{x:.1f}", f"{y:.1f}", anchor, label.color, label.text


def shown(
    document: Document, draw: Callable[[Chart], Any], link_of: LinkOf = no_link, most_rows: int | None = None
) -> dict[str, Any]:
    """Returns the variables of the templates. `draw` returns what the template of a chart shows."""
    showing = Showing(document, draw, link_of, most_rows)
    sections = [showing.section(section, f"part-{place}") for place, section in enumerate(document.sections)]
    head = [("Report", document.title), *head_lines(document)]
    return {"document": document, "head": head, "sections": sections}


def beginning(table: Table, most_rows: int | None) -> Table:
    """Returns the table with its first rows, and a note that says how many there are."""
    if most_rows is None or len(table.rows) <= most_rows:
        return table
    note = f"The first {most_rows:,} of {len(table.rows):,} rows: the files have all. {table.note}".strip()
    return table._replace(rows=table.rows[:most_rows], note=note)


def shown_table(table: Table, zone: ZoneInfo, link_of: LinkOf) -> ShownTable:
    """Writes the columns, each in one unit, with the totals in the same unit."""
    lines = [*table.rows, *([table.totals] if table.totals else [])]
    columns = [
        cells_of(column, [line[place] for line in lines], len(table.rows), zone, link_of if not place else no_link)
        for place, column in enumerate(table.columns)
    ]
    rows = list(zip(*columns, strict=True))
    head = [(column.title, column.unit in NUMBERS) for column in table.columns]
    return ShownTable(table, head, rows[: len(table.rows)], rows[len(table.rows)] if table.totals else [])


def cells_of(column: Column, values: Sequence[Value], rows: int, zone: ZoneInfo, link_of: LinkOf) -> list[Cell]:
    largest = max((value for value in values[:rows] if isinstance(value, int | float)), default=0)
    texts = in_one_unit(values, column.unit, zone)
    return [
        Cell(
            text,
            exactly(value, column.unit, zone),
            column.unit in NUMBERS,
            share_of(value, largest) if column.has_share and place < rows else "",
            link_of(column.name, value) if isinstance(value, str) and place < rows else "",
        )
        for place, (value, text) in enumerate(zip(values, texts, strict=True))
    ]


def share_of(value: Value, largest: float) -> str:
    return f"{value * 100 / largest:.4g}" if isinstance(value, int | float) and largest else ""


def numbers_of(chart: Chart) -> Table:
    """Returns the numbers behind a chart as a table."""
    is_time = bool(chart.granularity)
    first = Column(
        "Time" if is_time else "Name", moment_unit(chart) if is_time else "text", "timestamp" if is_time else "name"
    )
    columns = [first, *(Column(one.name, chart.unit, one.name) for one in chart.series)]
    return Table(
        chart.title, columns, [list(row) for row in zip(chart.axis, *(s.values for s in chart.series), strict=True)]
    )


def moment_unit(chart: Chart) -> Any:
    return "moment" if chart.granularity in ("minute", "hourly") else "day"
