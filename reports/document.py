"""Describes a report as data: what its page, PDF and tables show, with raw numbers.

A kind of report makes a `Document`; the renderers know nothing of questions, and the kinds nothing of files.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

Unit = Literal["count", "average", "usd", "ms", "percent", "rate", "text", "moment", "day"]
"""How a value is written: `average` has decimals, `percent` is 0 to 100, `rate` is calls a second. `moment` and `day`
are aware datetimes."""
Value = str | int | float | datetime | None
"""None is shown as a dash; it is never 0."""


class Figure(NamedTuple):
    """One number at the top of a section."""

    label: str
    value: Value
    unit: Unit
    change_percent: float | None = None
    """Against the window before; None where there is none to compare with."""
    note: str = ""


class Series(NamedTuple):
    name: str
    values: Sequence[float | None]
    """One for each entry of the chart's axis."""
    color: str
    """Of the palette in light mode, like `#5b54c9`: the colour this name has on the pages."""
    is_before: bool = False
    """Drawn dashed and paler: the window before."""
    pattern: int = 0
    """1 and 2: hatched and dotted bars, or other dashes of a line. It tells names of the same colour apart."""


class Line(NamedTuple):
    """A labelled horizontal line, like a budget or a goal."""

    label: str
    value: float


class Chart(NamedTuple):
    form: Literal["bars", "stacked_bars", "lines", "stepped", "horizontal_bars"]
    title: str
    axis: Sequence[datetime] | Sequence[str]
    """Starts of buckets, or the names of horizontal bars."""
    series: Sequence[Series]
    unit: Unit
    lines: Sequence[Line] = ()
    granularity: str = ""
    """`hourly`, `daily` and so on, of an axis of time."""


class Column(NamedTuple):
    title: str
    unit: Unit
    name: str
    """Of the field in CSV and XLSX, like `cost_usd`."""
    has_share: bool = False
    """Shows each value's share of the column as a bar behind it."""


class Table(NamedTuple):
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]
    totals: Sequence[Value] | None = None
    note: str = ""
    """For example that the rest is summed in the last row."""
    is_main: bool = False
    """It is the one that a CSV file has. Without such a table that is the first."""


class Section(NamedTuple):
    title: str
    sentence: str = ""
    figures: Sequence[Figure] = ()
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()


class Document(NamedTuple):
    kind: str
    """The name of its kind, like `cost`."""
    title: str
    subject: str
    """What it is about beside the workspace, like `customer acme`; empty for the whole workspace."""
    workspace: str
    start: datetime
    end: datetime
    zone: ZoneInfo
    filters: Sequence[tuple[str, str]]
    """Names and values in words, as the chips of the page show them."""
    made_at: datetime
    sentence: str
    """Answers the report's question, first of all."""
    sections: Sequence[Section]
