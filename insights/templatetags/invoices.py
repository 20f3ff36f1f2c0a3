"""Formats the ledger and what it is compared with."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse

from analytics.templatetags.links import iso, page_link
from analytics.templatetags.times import in_zone, local_bucket
from insights.invoices.importing import window_of
from insights.invoices.models import Invoice
from traces.filters import Filters
from web.number_text import NOTHING, percent, usd

register = template.Library()

SOURCES = {
    "override": "this workspace's own",
    "reported": "the client's figure",
    "unknown": "none",
}
PRICED_REASONS = ("factor", "unpriced", "cached", "price")
LIST_PREFIX = "genai-prices-"


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
        return f"{model}, list {lists.removeprefix(LIST_PREFIX)}"
    if source == "override":
        return f"{SOURCES[source]}, number {price_id.partition(':')[2]}"
    return SOURCES.get(source, str(source))


@register.filter
def signed_usd(value: float) -> str:
    """Formats a difference, like +$2.90 or \u2212$0.40."""
    return f"{'+' if value > 0 else ''}{usd(value)}"


@register.filter
def iso_day(text: str | None) -> str:
    """Formats a day, like Mon 2 Nov 2026."""
    return f"{date.fromisoformat(text):%a %-d %b %Y}" if text else "no day"


@register.filter
def field_value(form: Mapping[str, Any], name: str) -> str:
    return str(form.get(name) or "")


@register.simple_tag
def reason_price_url(reason: dict[str, Any], invoice: Invoice) -> str:
    """Returns the address of a price that would remove the reason; empty where no price does."""
    if reason["kind"] not in PRICED_REASONS or not reason["model"]:
        return ""
    query = {"workspace": invoice.workspace_id, "model": reason["model"]}
    query |= {"factor": reason["factor"]} if reason["kind"] == "factor" else {}
    return f"{reverse('invoice-price', args=[invoice.pk])}?{urlencode(query)}"


@register.simple_tag
def invoice_sentence(one: dict[str, Any]) -> str:
    """Says what is billed, what was counted, and the difference."""
    difference, ours = one["difference_usd"], one["ours_usd"]
    days = f"{iso_day(one['first_day'])} to {iso_day(one['last_day'])}"
    said = f"{one['provider']} billed {usd(one['theirs_usd'])} for {days}, and we counted {usd(ours)}"
    if not difference:
        return f"{said}: the same."
    share = f", {percent(abs(difference) / ours * 100)}" if ours else ""
    return f"{said}: {usd(abs(difference))}{share} {'more' if difference > 0 else 'less'} is billed."


@register.simple_tag
def ledger_day_url(day: str, invoice: Invoice) -> str:
    """Returns the address of the ledger of the invoice's provider on a day."""
    start, end = window_of(date.fromisoformat(day), date.fromisoformat(day))
    query = {"workspace": invoice.workspace_id, "provider": invoice.provider, "start": iso(start), "end": iso(end)}
    return f"{reverse('ledger-page')}?{urlencode(query)}"
