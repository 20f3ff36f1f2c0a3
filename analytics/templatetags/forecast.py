"""Draws a forecast: what was spent, what is expected with its range, and the limit."""

from datetime import date, datetime
from itertools import accumulate
from typing import Any

from django import template

from analytics.chart import Bucket, Chart, Figure
from analytics.templatetags.budget import NO_FORECAST, PERIOD_WORDS
from analytics.templatetags.links import buckets
from web.number_text import dollars, usd_exact

register = template.Library()


@register.simple_tag(takes_context=True)
def forecast_days(context: template.Context) -> list[Bucket]:
    """Returns a row for each day of the period: what was spent by its end, and what is expected."""
    data, filters = context["data"], context["filters"]
    spent = dict(zip(days_of(data["spent"]), accumulate(day["spend_usd"] for day in data["spent"]), strict=True))
    expected = dict(zip(days_of(data["days"]), data["days"], strict=True))
    rows = buckets(context, [{"timestamp": start.isoformat()} for start in filters.bucket_starts])
    days = [row["starts"].astimezone(filters.zone).date() for row in rows]
    return [row | {"spent": spent.get(day), **amounts(expected.get(day))} for row, day in zip(rows, days, strict=True)]


def days_of(listed: list[dict[str, Any]]) -> list[date]:
    return [date.fromisoformat(one["day"]) for one in listed]


def amounts(day: dict[str, Any] | None) -> dict[str, float | None]:
    names = ("expected", "low", "high")
    return {name: day[f"{name}_usd"] if day else None for name in names}


@register.simple_tag(takes_context=True)
def forecast_figure(context: template.Context, rows: list[Bucket]) -> Figure:
    chart, limit = Chart(context["filters"], ("spend",)), context["data"]["limit"]

    def line(name: str, field: str, colour: str) -> Figure:
        return chart.line(name, rows, [row[field] for row in rows], colour, usd_exact)

    low, high = (line(name, field, "--primary-fill") for name, field in (("At least", "low"), ("At most", "high")))
    for edge in (low, high):
        edge |= {"mode": "lines", "line": {"color": "--primary-fill", "width": 0}, "showlegend": False}
    expected = line("Expected", "expected", "--primary")
    expected["line"] |= {"dash": "dash"}
    series = [low, high | {"fill": "tonexty"}, expected, line("Spent", "spent", "--success")]
    if limit:
        series.append(chart.line("Budget", rows, [limit["limit_usd"]] * len(rows), "--error", usd_exact))
    return chart.figure(series, rows, tickprefix="$")


@register.filter
def forecast_sentence(data: dict[str, Any]) -> str:
    """Says what the period will cost, like: November ends at $1,730, between $1,610 and $1,870."""
    name = period_name(data)
    if data["expected_usd"] is None:
        return f"{dollars(data['spent_usd'])} spent in {name} so far. {NO_FORECAST[data['reason']]}"
    low, high = dollars(data["low_usd"]), dollars(data["high_usd"])
    between = "" if low == high else f", between {low} and {high}"
    return f"{name} ends at {dollars(data['expected_usd'])}{between}; {dollars(data['spent_usd'])} are spent."


def period_name(data: dict[str, Any]) -> str:
    if data["period"] == "month":
        return f"{datetime.fromisoformat(data['period_start']):%B}"
    return f"The {PERIOD_WORDS[data['period']][0]}" if data["expected_usd"] is not None else f"this {data['period']}"
