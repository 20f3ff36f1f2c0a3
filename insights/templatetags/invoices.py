"""Formats the ledger and what it is compared with."""

from datetime import UTC, datetime
from typing import Any

from django import template

from analytics.templatetags.links import iso, page_link
from analytics.templatetags.times import in_zone, local_bucket
from traces.filters import Filters
from web.number_text import NOTHING

register = template.Library()

SOURCES = {
    "override": "this workspace's own",
    "reported": "the client's figure",
    "unknown": "none",
}
LONGEST_LIST = "genai-prices-"


@register.filter
def bucket_day(timestamp: str, filters: Filters) -> str:
    return local_bucket(datetime.fromisoformat(timestamp), filters)


@register.simple_tag(takes_context=True)
def ledger_of_day(context: template.Context, timestamp: str, filters: Filters) -> str:
    """Returns the link to the ledger of one day, whose lines have prices; empty where the page is that of one day."""
    start = in_zone(timestamp, filters.zone)
    end = filters.bucket_end(start)
    if filters.granularity != "daily" or (filters.start, filters.end) == (start, end):
        return ""
    link: str = page_link(context, range=None, start=iso(start.astimezone(UTC)), end=iso(end))
    return link


@register.filter
def class_words(token_class: str) -> str:
    return token_class.replace("_", " ")


@register.filter
def price_words(line: dict[str, Any]) -> str:
    """Names the price of a line, like: openai/gpt-4o, genai-prices 0.1.2."""
    source, price_id = line["price_source"], line["price_id"] or ""
    if source is None:
        return NOTHING
    lists, _, model = price_id.partition(":")
    if source == "genai-prices" and model:
        return f"{model}, list {lists.removeprefix(LONGEST_LIST)}"
    if source == "override":
        return f"{SOURCES[source]}, number {price_id.partition(':')[2]}"
    return SOURCES.get(source, str(source))
