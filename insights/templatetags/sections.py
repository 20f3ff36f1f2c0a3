"""Makes the row of links to the pages of Insights."""

from typing import Any

from django import template

from analytics.templatetags.links import LISTED, QUERY, SPLITS, page_link
from insights.sections import Section, sections

register = template.Library()

OF_ONE_PAGE = dict.fromkeys(
    (*QUERY, "measure", "before_start", "before_end", *SPLITS, *LISTED, "granularity", "was"), None
)
"""Parameters that the links leave out: they belong to one page only."""


@register.simple_tag(takes_context=True)
def section_links(context: template.Context) -> list[dict[str, Any]]:
    """Returns the links of the row: `name`, `address`, and `is_current` for the page that is open."""
    path = context["request"].path
    return [
        {"name": section.name, "address": address + query(context, section), "is_current": path == address}
        for section, address in sections()
    ]


def query(context: template.Context, section: Section) -> str:
    return page_link(context, **OF_ONE_PAGE) if section.keeps_query else f"?workspace={context['workspace'].id}"
