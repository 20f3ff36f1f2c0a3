"""Makes the figures, tables and charts that several kinds of reports have."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from analytics.change import percentage
from analytics.panel_extras import SERIES_SHOWN
from analytics.query_string import NOT
from analytics.splits import dimension_label, in_sentence
from analytics.templatetags.changes import compared
from analytics.templatetags.query_text import groups_of
from reports.colours import LIGHT, NONE, OTHERS, Colour, colours_of
from reports.document import Chart, Column, Document, Section, Series, Table, Unit, Value
from reports.kinds import ReportRequest
from reports.kinds.asking import Data, query
from reports.words import THE_DAY_BEFORE, before, within
from traces.filters import Filters

ALL_OTHERS = "all others"
ROWS = 100
"""The most values of a dimension that a table lists. All others are one row."""
WEEK, DAY = timedelta(days=7), timedelta(days=1)
UNPRICED = "{calls:,} call{s} {have} no price and {are} in no total."


class Measured(NamedTuple):
    title: str
    unit: Unit


MEASURES: Mapping[str, Measured] = {
    "calls": Measured("Calls", "count"),
    "errors": Measured("Failed", "count"),
    "error_rate": Measured("Error rate", "percent"),
    "unique_users": Measured("Users", "count"),
    "cost_usd": Measured("Cost", "usd"),
    "cost_per_call_usd": Measured("Per call", "usd"),
    "unpriced_calls": Measured("Unpriced calls", "count"),
    "input_tokens": Measured("Input tokens", "count"),
    "output_tokens": Measured("Output tokens", "count"),
    "avg_latency_ms": Measured("Average latency", "ms"),
    "p50_latency_ms": Measured("p50", "ms"),
    "p95_latency_ms": Measured("p95", "ms"),
    "p99_latency_ms": Measured("p99", "ms"),
}


# --- The document ---


def settled(request: ReportRequest) -> ReportRequest:
    """Returns the request for a window that does not move while the report is made."""
    return replace(request, filters=replace(request.filters, range=None))


def document_of(
    request: ReportRequest, title: str, sentence: str, sections: Sequence[Section], subject: str = ""
) -> Document:
    filters = request.filters
    return Document(
        kind=request.kind,
        title=title,
        subject=subject,
        workspace=request.workspace.name,
        start=filters.start,
        end=filters.end,
        zone=filters.zone,
        filters=filters_in_words(filters),
        made_at=datetime.now(UTC),
        sentence=sentence,
        sections=sections,
    )


def filters_in_words(filters: Filters) -> list[tuple[str, str]]:
    """Returns the filters as the bar of the pages shows them, like ("Agent", "not support")."""
    return [
        (dimension_label(name), f"{'not ' if prefix else ''}{', '.join(values)}")
        for name in filters.active_names
        for prefix, values in zip(("", NOT), filters.values[name], strict=True)
        if values
    ]


def when(request: ReportRequest) -> str:
    """Names the window in a sentence, like: in November 2026."""
    return within(request.filters.start, request.filters.end, request.filters.zone)


def no_call(request: ReportRequest) -> str:
    of_filters = " under these filters" if request.filters.values else ""
    return f"No call {when(request)}{of_filters}."


def versus(change_percent: float | None, request: ReportRequest) -> str:
    """Returns the change for the end of a sentence, like: , 12 % more than in the 30 days before."""
    if change_percent is None:
        return ""
    filters = request.filters
    window = before(filters.start, filters.end, filters.zone)
    return f", {compared(change_percent, window, 'on ' if window == THE_DAY_BEFORE else 'in ')}"


def unpriced_words(calls: int) -> str:
    """Says how many calls have no price; nothing where all have one."""
    is_one = calls == 1
    words = {"s": "" if is_one else "s", "have": "has" if is_one else "have", "are": "is" if is_one else "are"}
    return UNPRICED.format(calls=calls, **words) if calls else ""


# --- Tables ---


def value_name(value: str | None, dimension: str) -> str:
    return f"no {in_sentence(dimension)}" if value is None else value


def columns_of(names: Iterable[str], share_of: str = "") -> list[Column]:
    """Returns the columns of measures. The one named `share_of` shows shares too, and its percentages follow."""
    found: list[Column] = []
    for name in names:
        found.append(Column(*MEASURES[name], name, has_share=name == share_of))
        if name == share_of:
            found.append(Column("Share", "percent", "percentage"))
    return found


def cells_of(line: Data, names: Iterable[str], share_of: str, whole: float | None) -> list[Value]:
    found: list[Value] = []
    for name in names:
        found.append(line[name])
        if name == share_of:
            found.append(percentage(line[name], whole))
    return found


def table_by(
    request: ReportRequest,
    dimension: str,
    measures: Sequence[str],
    title: str,
    limit: int = ROWS,
    order: str = "",
    share_of: str = "",
) -> Table:
    """Returns the measures for each value of a dimension, the others in one row, and the totals."""
    data = query(request, measures, (dimension,), limit, order)
    whole = data["totals"][share_of] if share_of else None
    lines = [(value_name(line[dimension], dimension), line) for line in data["data"]]
    lines += [(ALL_OTHERS, data["rest"])] if data["rest"] else []
    of_dimension = Column(dimension_label(dimension).capitalize(), "text", dimension)
    return Table(
        title,
        [of_dimension, *columns_of(measures, share_of)],
        [[name, *cells_of(line, measures, share_of, whole)] for name, line in lines],
        ["Total", *cells_of(data["totals"], measures, share_of, whole)] if lines else None,
        note=rest_note(limit) if data["rest"] else "",
    )


def rest_note(limit: int) -> str:
    return f"The first {limit:,} are listed; the row {ALL_OTHERS} sums the rest."


def bucket_column(filters: Filters) -> Column:
    """Returns the column of the starts of buckets."""
    is_clock = filters.granularity in ("minute", "hourly")
    title = {"daily": "Day", "weekly": "Week from", "monthly": "Month from"}.get(filters.granularity, "Time")
    return Column(title, "moment" if is_clock else "day", "timestamp")


def table_over_time(request: ReportRequest, measures: Sequence[str], title: str) -> Table:
    """Returns the measures of each bucket, and their totals."""
    data = query(request, measures, is_series=True)
    return Table(
        title,
        [bucket_column(request.filters), *columns_of(measures)],
        [[start_of(line), *(line[name] for name in measures)] for line in data["data"]],
        ["Total", *(data["totals"][name] for name in measures)],
    )


def start_of(point: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(point["timestamp"])


def moment_of(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


# --- Charts ---


def chart_by(request: ReportRequest, dimension: str, measure: str, title: str) -> Chart:
    """Returns stacked bars over time: the values with most of the measure, and all others."""
    data = query(request, (measure,), (dimension,), SERIES_SHOWN, is_series=True)
    groups = {group[0]: points for group, points in groups_of(data).items()}
    colours = colours_of(list(groups), dimension, request.filters, request.workspace)
    series = [
        series_of(value_name(value, dimension), points, measure, colours[value]) for value, points in groups.items()
    ]
    if data["rest"]:
        series.append(series_of(ALL_OTHERS, data["rest"]["data"], measure, OTHERS))
    return chart_over_time(request, "stacked_bars", title, series, measure)


def series_of(name: str, points: Sequence[Data], measure: str, colour: Colour) -> Series:
    return Series(name, [point[measure] for point in points], colour.colour, pattern=colour.pattern)


def chart_over_time(request: ReportRequest, form: Any, title: str, series: Sequence[Series], measure: str) -> Chart:
    filters = request.filters
    return Chart(form, title, filters.bucket_starts, series, MEASURES[measure].unit, granularity=filters.granularity)


def before_series(request: ReportRequest, measure: str) -> list[Series]:
    """Returns the window before as a series, if its weekdays or hours meet those of this window."""
    filters = request.filters
    length = filters.end - filters.start
    if length % WEEK and length != DAY:
        return []
    data = query(request, (measure,), compare="previous", is_series=True)
    values = [point["previous"][measure] for point in data["data"]]
    name = before(filters.start, filters.end, filters.zone).capitalize()
    return [Series(name, values, NONE.colour, is_before=True)] if any(values) else []


def horizontal_bars(table: Table, title: str, column: str, most: int = 10) -> Chart:
    """Returns the first rows of a table as bars, each with the name of its first column."""
    place = [one.name for one in table.columns].index(column)
    rows = [row for row in table.rows if row[0] != ALL_OTHERS][:most]
    values: list[Any] = [row[place] for row in rows]
    return Chart(
        "horizontal_bars",
        title,
        [str(row[0]) for row in rows],
        [Series(table.columns[place].title, values, LIGHT["--primary-fill"])],
        table.columns[place].unit,
    )
