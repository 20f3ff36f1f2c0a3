"""Adds the counts of usage objects to the facts of a call."""

from ingest.span_facts import SpanFacts
from ingest.usage import Usage
from prices.service_tiers import STANDARD
from traces.text import NAME_LENGTH, clean

COUNTED_PARTS = ("cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
"""The parts that have a column of their own."""


def take_usage(facts: SpanFacts, usage: Usage) -> None:
    """Takes what the facts lack. Where both state the same count without its parts, the usage object knows better."""
    cached = usage.parts.get("cache_read_tokens", 0) + usage.parts.get("cache_write_tokens", 0)
    if facts.input_tokens is None or facts.input_tokens == usage.stated_input:
        facts.input_tokens = facts.input_tokens if usage.input_tokens is None else usage.input_tokens
    elif usage.stated_input is None and usage.excludes_cache and not facts.cached_tokens:
        facts.input_tokens += cached
    if facts.output_tokens is None or facts.output_tokens == usage.stated_output:
        facts.output_tokens = facts.output_tokens if usage.output_tokens is None else usage.output_tokens
    take_parts(facts, usage.parts)
    for name, text in usage.texts.items():
        take_text(facts, name, text)


def take_parts(facts: SpanFacts, parts: dict[str, int]) -> None:
    for name, count in parts.items():
        if name in COUNTED_PARTS:
            if getattr(facts, name) is None:
                setattr(facts, name, count)
        elif count:
            add_detail(facts, name, count)
    writes = parts.get("cache_write_1h_tokens", 0)
    if writes > (facts.cache_write_tokens or 0):
        facts.cache_write_tokens = parts["cache_write_tokens"]


def take_text(facts: SpanFacts, name: str, text: str | None) -> None:
    """Takes the service tier or speed, unless it has the plain price."""
    if text and (lower := text.strip().lower()) not in STANDARD:
        add_detail(facts, name, clean(lower, NAME_LENGTH))


def add_detail(facts: SpanFacts, name: str, value: int | str) -> None:
    if facts.usage_details is None:
        facts.usage_details = {}
    facts.usage_details.setdefault(name, value)
