"""Writes amounts of savings in words."""

from datetime import UTC, datetime
from typing import Any

from django import template

from insights.savings.items import SavingItem, SavingList, savings
from web.number_text import usd

register = template.Library()

HEADINGS = {"dismissed": "Dismissed savings", "done": "Savings that are done"}


@register.filter
def savings_words(found: SavingList, state: str) -> str:
    """Returns the sentence above the list."""
    if state in HEADINGS:
        return HEADINGS[state]
    if not found["data"]:
        return "Savings"
    return f"{usd(found['total_usd_per_month'])} a month could be saved"


@register.filter
def amount_words(one: SavingItem) -> str:
    return f"{usd(one['usd_per_month'])} a month" if one["calls"] else "Not found yet"


@register.filter
def range_words(one: SavingItem) -> str:
    """Returns how sure the amount is."""
    low, high = usd(one["low_usd_per_month"]), usd(one["high_usd_per_month"])
    if not one["calls"]:
        return ""
    return f"It is between {low} and {high} a month." if low != high else "It is the sum over these four weeks."


@register.filter
def effect_words(one: SavingItem) -> str:
    """Returns what was saved since somebody said that it is done."""
    effect = one["effect"]
    if effect is None:
        return ""
    before = usd(effect["before_usd_per_month"])
    after, saved = effect["after_usd_per_month"], effect["saved_usd_per_month"]
    if after is None or saved is None:
        return f"It was {before} a month. After a week, or once there are enough calls, it is measured what was saved."
    if saved <= 0:
        return f"Nothing was saved: it was {before} a month, and is {usd(after)} since."
    return f"Saved {usd(saved)} a month: it was {before}, and is {usd(after)} since."


@register.simple_tag(takes_context=True)
def open_savings(context: Any) -> SavingList:
    """Returns the savings of the page's workspace that nobody has decided about."""
    return savings(context["workspace"], "open", datetime.now(UTC))
