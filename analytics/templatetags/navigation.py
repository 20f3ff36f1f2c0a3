"""Renders the navigation of all pages."""

from itertools import chain
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from analytics.navigation import Entry, current, groups
from analytics.templatetags.links import LISTED, elsewhere_link

register = template.Library()


@register.simple_tag(takes_context=True)
def navigation(context: template.Context) -> SafeString:
    """Renders the entries of the navigation. Without a workspace their links name none."""
    found = list(groups())
    shown = current([*chain(*found)], context["request"].path) if "request" in context else None
    entries = [
        {"entry": entry, "href": link(context, entry), "is_current": entry == shown, "begins": not place}
        for group in found
        for place, entry in enumerate(group)
    ]
    return SafeString(render_to_string("_entries.html", {"entries": entries}))


def link(context: template.Context, entry: Entry) -> str:
    address = entry.address or ""
    if not context.get("workspace") or entry.route == "documents":
        return address
    if not entry.keeps_window:
        return f"{address}?workspace={context['workspace'].id}"
    left_out: dict[str, Any] = dict.fromkeys((*LISTED, *entry.left_out))
    return address + elsewhere_link(context, **left_out)
