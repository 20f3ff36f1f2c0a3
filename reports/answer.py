"""The JSON of a report, as the API answers it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from typing_extensions import TypedDict

from reports.document import Chart, Document, Figure, Section, Table, Unit

Cell = str | int | float | datetime | None


class FigureItem(TypedDict):
    label: str
    value: Cell
    unit: Unit
    change_percent: float | None
    """Against the window of equal length before; null where there is none to compare with."""
    note: str


class SeriesItem(TypedDict):
    name: str
    values: list[float | None]
    """One for each entry of the chart's axis."""
    color: str
    pattern: int
    """1 and 2: hatched and dotted. It tells names of the same colour apart."""
    is_before: bool
    """It is the window before."""


class LineItem(TypedDict):
    label: str
    value: float


class ChartItem(TypedDict):
    form: str
    title: str
    axis: list[str | datetime]
    """Starts of buckets, or names."""
    series: list[SeriesItem]
    unit: Unit
    lines: list[LineItem]
    granularity: str
    """Empty where the axis has names."""


class ColumnItem(TypedDict):
    name: str
    title: str
    unit: Unit


class TableItem(TypedDict):
    title: str
    columns: list[ColumnItem]
    rows: list[dict[str, Cell]]
    """By the names of the columns."""
    totals: dict[str, Cell] | None
    note: str
    is_main: bool
    """It is the one that the CSV file has."""


class SectionItem(TypedDict):
    title: str
    sentence: str
    figures: list[FigureItem]
    charts: list[ChartItem]
    tables: list[TableItem]
    notes: list[str]


class FilterItem(TypedDict):
    name: str
    values: str
    """In words."""


class ReportAnswer(TypedDict):
    kind: str
    title: str
    subject: str
    """What a statement is about, like `customer acme`; empty for the others."""
    workspace: str
    start: datetime
    end: datetime
    zone: str
    filters: list[FilterItem]
    made_at: datetime
    sentence: str
    sections: list[SectionItem]


def answer_of(document: Document) -> ReportAnswer:
    return {
        "kind": document.kind,
        "title": document.title,
        "subject": document.subject,
        "workspace": document.workspace,
        "start": document.start,
        "end": document.end,
        "zone": str(document.zone),
        "filters": [{"name": name, "values": values} for name, values in document.filters],
        "made_at": document.made_at,
        "sentence": document.sentence,
        "sections": [section_item(section) for section in document.sections],
    }


def section_item(section: Section) -> SectionItem:
    return {
        "title": section.title,
        "sentence": section.sentence,
        "figures": [figure_item(figure) for figure in section.figures],
        "charts": [chart_item(chart) for chart in section.charts],
        "tables": [table_item(table) for table in section.tables],
        "notes": list(section.notes),
    }


def figure_item(figure: Figure) -> FigureItem:
    return {
        "label": figure.label,
        "value": figure.value,
        "unit": figure.unit,
        "change_percent": figure.change_percent,
        "note": figure.note,
    }


def chart_item(chart: Chart) -> ChartItem:
    return {
        "form": chart.form,
        "title": chart.title,
        "axis": list(chart.axis),
        "series": [
            {
                "name": one.name,
                "values": list(one.values),
                "color": one.color,
                "pattern": one.pattern,
                "is_before": one.is_before,
            }
            for one in chart.series
        ],
        "unit": chart.unit,
        "lines": [{"label": line.label, "value": line.value} for line in chart.lines],
        "granularity": chart.granularity,
    }


def table_item(table: Table) -> TableItem:
    return {
        "title": table.title,
        "columns": [{"name": one.name, "title": one.title, "unit": one.unit} for one in table.columns],
        "rows": [row_item(table, row) for row in table.rows],
        "totals": row_item(table, table.totals) if table.totals else None,
        "note": table.note,
        "is_main": table.is_main,
    }


def row_item(table: Table, row: Iterable[Any]) -> dict[str, Cell]:
    return {column.name: value for column, value in zip(table.columns, row, strict=True)}
