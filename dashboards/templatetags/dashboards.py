"""Shows the panels of dashboards."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django import template
from django.urls import reverse

from analytics.chart import Figure
from analytics.templatetags.changes import compared
from analytics.templatetags.links import page_link
from dashboards import drawing, from_metrics
from dashboards.document import Place

register = template.Library()

ADDRESS = re.compile(r"https?://[^\s<>\"']+")
NOT_AT_END = ".,;:!?)"
TITLE_END = re.compile(r"(.*?)(\s\S{1,14}\s*|\S{1,8}\s*)", re.DOTALL)
"""As in dashboards.js, which shows the titles of a draft."""


@register.simple_tag(takes_context=True)
def panel_chart(context: template.Context) -> dict[str, Any]:
    return drawing.chart(context)


@register.simple_tag(takes_context=True)
def panel_ranking(context: template.Context) -> dict[str, Any]:
    return drawing.ranking(context)


class Part(NamedTuple):
    text: str
    is_link: bool = False


@register.filter
def with_links(text: str) -> list[Part]:
    """Splits a text at its addresses with http or https, so that these can be links."""
    return list(parts_of(text))


def parts_of(text: str) -> Iterator[Part]:
    end = 0
    for found in ADDRESS.finditer(text):
        address = found[0].rstrip(NOT_AT_END)
        yield Part(text[end : found.start()])
        yield Part(address, is_link=True)
        end = found.start() + len(address)
    yield Part(text[end:])


@register.filter
def ends(title: str) -> Sequence[str]:
    """Returns the begin of a title, which is cut where there is no room, and its end, which is not.

    It splits at a space where it can: letters that are joined, like Arabic ones, would change their form.
    """
    found = TITLE_END.fullmatch(title)
    return found.groups() if found else (title, "")


@register.filter
def place_classes(place: Place) -> str:
    """Returns the classes that place a panel on the grid: rows are written by tens and ones, so that these suffice."""
    tens, ones = divmod(place.y, 10)
    hundreds, tens = divmod(tens, 10)
    height_tens, height = divmod(place.height, 10)
    return f"x-{place.x} w-{place.width} k-{hundreds} t-{tens} y-{ones} g-{height_tens} h-{height}"


class Arc(NamedTuple):
    colour: str
    length: str
    turned_by: str
    words: str


GAP = 0.4
"""Between the parts of a ring, in percent."""
FITTING_LETTERS = 5
"""So many letters of full size fit into a ring."""


@register.filter
def arcs(rows: list[dict[str, Any]]) -> list[Arc]:
    """Returns the parts of a ring that is 100 long."""
    found, begin = [], 0.0
    for row in rows:
        share = row["first"]["share"] or 0
        name = row.get("words") or " · ".join(words for _, words in row["names"])
        shown = share if share >= 100 else max(share - GAP, GAP)
        if share:
            found.append(Arc(row["colour"], f"{shown:.4g}", f"{-begin:.4g}", f"{name} {row['first']['text'].text}"))
        begin += share
    return found


@register.filter
def scale_in_ring(text: str) -> str:
    """Returns by how much a text is drawn smaller, so that it fits into the hole of a ring."""
    return f"{min(1, FITTING_LETTERS / len(text)):.3g}"


@register.filter
def has_any(figure: Figure) -> bool:
    """Returns whether a chart has anything to draw."""
    return any(value is not None for series in figure["data"] for value in series["y"])


@register.filter
def change_since(value: float | None, earlier: str) -> str:
    """Formats a change, like 12 % more than a week before."""
    return compared(value, earlier, "")


@register.simple_tag(takes_context=True)
def earlier_window(context: template.Context) -> str:
    return drawing.earlier_words(context["panel"], context["filters"])


@register.filter
def first_value(totals: dict[str, Any], measures: list[str]) -> float | None:
    value: float | None = totals[measures[0]]
    return value


@register.filter
def at(values: list[Any], place: int) -> Any:
    return values[place]


@register.simple_tag(takes_context=True)
def add_link(context: template.Context, metric: str) -> str:
    """Returns the address of the page that adds the panel of a metric to a dashboard; empty if none can show it."""
    if metric not in from_metrics.PANELS:
        return ""
    return reverse("add-to-dashboard") + page_link(context, panel=metric, was=None)
