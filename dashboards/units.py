"""Writes the values of a panel: in the measure's own unit, or in the unit and with the decimals that the panel has."""

from collections.abc import Sequence
from functools import partial

from analytics.chart import Figure
from analytics.query_measures import SCORE_PREFIX
from analytics.templatetags.charts import ticks_of_counts
from analytics.templatetags.query_text import AXES, Value, adds_up, column_of, with_unit
from dashboards.document import Panel
from web.number_text import MINUS, NOTHING, Number

NAMES = {"usd": "unit_usd", "ms": "unit_ms", "percent": "unit_rate", "count": "unit", "number": f"{SCORE_PREFIX}unit"}
"""A name that is written like a measure of this unit."""
SIGNS = {"_usd": ("$", ""), "_ms": ("", " ms"), "_rate": ("", " %")}
SECOND_MS = 1000


def written_as(panel: Panel, measure: str) -> str:
    """Returns the name by whose end the values are formatted."""
    return NAMES[panel.unit] if panel.unit else measure


def is_duration(panel: Panel, measure: str) -> bool:
    """Returns whether a chart shows seconds."""
    return written_as(panel, measure).endswith("_ms")


def texts(panel: Panel, measure: str, values: Sequence[Number]) -> list[Value]:
    """Writes all values of a measure in one unit."""
    name = written_as(panel, measure)
    written = column_of(name, values)
    if panel.decimals is None:
        return written
    return [one._replace(text=fixed(value, name, panel.decimals)) for one, value in zip(written, values, strict=True)]


def fixed(value: Number, name: str, decimals: int) -> str:
    if value is None:
        return NOTHING
    before, after = next((signs for end, signs in SIGNS.items() if name.endswith(end)), ("", ""))
    size = abs(value)
    if name.endswith("_ms") and size >= SECOND_MS:
        size, after = size / SECOND_MS, " s"
    digits = f"{size:,.{decimals}f}"
    is_negative = value < 0 and any(digit in digits for digit in "123456789")
    return f"{MINUS if is_negative else ''}{before}{digits}{after}"


def hover_text(panel: Panel, measure: str, value: Number) -> str:
    return with_unit(measure, value) if panel.unit is None else column_of(written_as(panel, measure), [value])[0].exact


def hover(panel: Panel, measure: str) -> "partial[str]":
    return partial(hover_text, panel, measure)


def axis(panel: Panel, measure: str, totals: Sequence[Number]) -> Figure:
    """Returns the axis of the amounts. `totals` are the highest values that it has to show."""
    name = written_as(panel, measure)
    own = next((dict(axis) for end, axis in AXES.items() if name.endswith(end)), {})
    if panel.decimals is not None and "tickformat" not in own:
        own["tickformat"] = f",.{panel.decimals}f"
    elif not own and adds_up(measure):
        own = ticks_of_counts([int(total or 0) for total in totals])
    return own


UNIT_OF = {"_usd": "USD", "_ms": "time", "_rate": "percent", "_tokens": "tokens", "_second": "tokens per second"}


def unit_of(panel: Panel, measure: str) -> str:
    """Returns what the values of a measure are, so that one chart does not mix several."""
    name = written_as(panel, measure)
    if panel.unit or name.startswith(SCORE_PREFIX):
        return panel.unit or "score"
    return next((unit for end, unit in UNIT_OF.items() if name.endswith(end)), "count")
