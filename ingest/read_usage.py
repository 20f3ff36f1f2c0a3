"""Reads the tokens of a call, and what it used beside them, from single attributes and from usage objects."""

from ingest import fields
from ingest.attributes import Attributes
from ingest.client_rules import EXCLUDES_CACHE
from ingest.span_facts import SpanFacts
from ingest.spans import Span
from ingest.usage import add_cache_writes, by_total, usage_of
from ingest.usage_facts import COUNTED_PARTS, take_parts, take_text, take_usage
from ingest.values import MAX_TOKENS, token_count, value_at


def read_usage(facts: SpanFacts, span: Span, attributes: Attributes) -> int | None:
    """Reads the counts as the client states them. Returns the total if it states one."""
    total = attributes.count(fields.TOTAL_TOKENS)
    facts.input_tokens = attributes.count(fields.INPUT_TOKENS)
    facts.output_tokens = attributes.count(fields.OUTPUT_TOKENS)
    facts.cache_read_tokens = attributes.count(fields.CACHE_READ_TOKENS)
    facts.cache_write_tokens = attributes.count(fields.CACHE_WRITE_TOKENS)
    facts.reasoning_tokens = attributes.count(fields.REASONING_TOKENS)
    if attributes.shape.usage_parts:
        take_parts(facts, single_parts(attributes))
    if facts.input_tokens is not None and facts.cached_tokens and any(rule(span) for rule in EXCLUDES_CACHE):
        facts.input_tokens += facts.cached_tokens
    return read_details(facts, attributes, total) if attributes.shape.has_details else total


def read_details(facts: SpanFacts, attributes: Attributes, total: int | None) -> int | None:
    """Reads usage objects, service tier and speed. Returns the total, which an object may state."""
    for name, path in attributes.places.get(fields.USAGE, ()):
        if usage := usage_of(value_at(attributes.structure(name), path)):
            take_usage(facts, usage)
            total = usage.total_tokens if total is None else total
    take_text(facts, "service_tier", attributes.text(fields.SERVICE_TIER))
    take_text(facts, "speed", attributes.text(fields.SPEED))
    return total


def single_parts(attributes: Attributes) -> dict[str, int]:
    """Returns the parts of the usage that single attributes count, among them those with unknown names."""
    parts: dict[str, int] = {}
    for name, part in attributes.shape.usage_parts:
        if (count := token_count(attributes.values[name])) is not None:
            parts[part] = max(parts.get(part, 0), count)
    add_cache_writes(parts)
    return parts


# --- Making the counts contain their parts ---


def normalise_usage(facts: SpanFacts, total: int | None) -> None:
    """Makes input contain the cached tokens and output contain reasoning."""
    if total:
        complete_from_total(facts, total)
    if not facts.input_tokens and not facts.output_tokens:
        drop_zeros(facts)
    elif not is_consistent(facts, total):
        inputs, outputs = possible_inputs(facts), possible_outputs(facts)
        facts.input_tokens, facts.output_tokens = by_total(total, inputs, outputs)
        if (facts.reasoning_tokens or 0) > (facts.output_tokens or 0):
            facts.reasoning_tokens = None
    drop_impossible(facts)


def drop_zeros(facts: SpanFacts) -> None:
    """Makes counts of 0 unknown: SDKs write them for streams without usage."""
    facts.input_tokens = facts.output_tokens = None
    facts.cache_read_tokens = facts.cache_read_tokens or None
    facts.cache_write_tokens = facts.cache_write_tokens or None
    facts.reasoning_tokens = facts.reasoning_tokens or None


def drop_impossible(facts: SpanFacts) -> None:
    """Makes counts unknown that grew too large when parts were added. No call has them, so none has a price."""
    for name in ("input_tokens", "output_tokens", *COUNTED_PARTS):
        if (getattr(facts, name) or 0) > MAX_TOKENS:
            setattr(facts, name, None)


def is_consistent(facts: SpanFacts, total: int | None) -> bool:
    """Returns whether input and output can contain their parts, and are the total. So it is for most calls."""
    tokens_in, tokens_out = facts.input_tokens or 0, facts.output_tokens or 0
    contain = facts.cached_tokens <= tokens_in and (facts.reasoning_tokens or 0) <= tokens_out
    return contain and (total is None or total == tokens_in + tokens_out)


def complete_from_total(facts: SpanFacts, total: int) -> None:
    """Sets the side that is missing. A total that equals the other side was made by a client that misses it too."""
    if facts.input_tokens and not facts.output_tokens:
        contains_cache = facts.cached_tokens <= facts.input_tokens
        rest = total - facts.input_tokens - (0 if contains_cache else facts.cached_tokens)
        facts.output_tokens = rest if rest > 0 else facts.output_tokens
    elif facts.output_tokens and not facts.input_tokens:
        facts.input_tokens = total - facts.output_tokens if total > facts.output_tokens else facts.input_tokens
    elif facts.kind == "embedding" and not facts.input_tokens:
        facts.input_tokens = total


def possible_inputs(facts: SpanFacts) -> list[int | None]:
    """Returns the input tokens with the cached ones, the likeliest first. A count below its part excludes it."""
    tokens, cached = facts.input_tokens, facts.cached_tokens
    if tokens is None or not cached:
        return [tokens]
    return [tokens + cached] if cached > tokens else [tokens, tokens + cached]


def possible_outputs(facts: SpanFacts) -> list[int | None]:
    tokens, reasoning = facts.output_tokens, facts.reasoning_tokens
    if tokens is None or not reasoning:
        return [tokens]
    return [tokens + reasoning, tokens] if reasoning > tokens else [tokens, tokens + reasoning]
