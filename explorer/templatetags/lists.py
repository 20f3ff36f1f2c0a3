"""Makes the headers and links of the lists of sessions, users, agents and tools."""

from typing import Any

from django import template
from django.urls import reverse

from analytics.templatetags.links import page_query
from explorer.listing import Page

register = template.Library()

TEXTS = ("user_id", "agent_id", "tool", "session_id")
"""The columns that are sorted from A to Z first; others show their largest value first."""


def list_link(context: template.Context, **changes: str | None) -> str:
    """Returns a link to the list with some parameters changed. It is right on other pages that show the list too."""
    query = page_query(context)
    page: Page = context["page"]
    for name in ("sort", "cursor"):
        query.pop(name, None)
    parameters = {"search": page.search or None, "sort": page.sort} | changes
    for name, value in parameters.items():
        if value:
            query[name] = value
    address = reverse(f"{context['entity'].name}-page")
    return f"{address}?{query.urlencode()}"


@register.inclusion_tag("explorer/_sort.html", takes_context=True)
def sorted_header(context: template.Context, column: str, label: str, classes: str = "") -> dict[str, Any]:
    """Renders the header of a column, with a link that sorts by it, or turns its order around."""
    page: Page = context["page"]
    is_current = page.column == column
    first = column if column in TEXTS else f"-{column}"
    turned = column if page.is_descending else f"-{column}"
    order = "descending" if page.is_descending else "ascending"
    return {
        "label": label,
        "classes": classes,
        "order": order if is_current else "",
        "arrow": ("▼" if page.is_descending else "▲") if is_current else "",
        "link": list_link(context, sort=turned if is_current else first),
    }


@register.simple_tag(takes_context=True)
def next_page_link(context: template.Context, cursor: str) -> str:
    return list_link(context, cursor=cursor)


@register.simple_tag(takes_context=True)
def first_page_link(context: template.Context) -> str:
    return list_link(context)
