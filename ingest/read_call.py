"""Reads a call: model, provider, tokens and the cost that the client reports."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from ingest import client_rules, fields
from ingest.attributes import Attributes
from ingest.model_names import inferred_provider
from ingest.operations import model_in_name
from ingest.span_facts import SpanFacts
from ingest.spans import Span
from ingest.values import MAX_COST_USD, MAX_TOKENS, token_count
from traces.text import ID_LENGTH, NAME_LENGTH, clean

MAX_DECIMALS = 12
"""Clients add up prices as floats: 0.00032279999999999997 means 0.0003228."""
SMALLEST_COST_USD = Decimal(10) ** -MAX_DECIMALS


def read_call(facts: SpanFacts, span: Span, attributes: Attributes) -> None:
    facts.requested_model = attributes.text(fields.REQUESTED_MODEL)
    facts.used_model = attributes.text(fields.USED_MODEL)
    facts.response_id = response_id(attributes)
    facts.service_tier = attributes.text(fields.SERVICE_TIER)
    facts.reported_cost_usd = reported_cost(attributes)
    read_tokens(facts, attributes)
    if reader := client_rules.READERS.get(facts.kind):
        reader(facts, span)
    if facts.requested_model is None:
        facts.requested_model = model_in_name(span.name)
    normalise_tokens(facts, span)
    providers = [facts.provider] if facts.provider else attributes.values_of(fields.PROVIDER)
    facts.provider = provider_of(providers) or inferred_provider(facts.model or "")


def read_tokens(facts: SpanFacts, attributes: Attributes) -> None:
    facts.input_tokens = attributes.count(fields.INPUT_TOKENS)
    if facts.input_tokens is None:
        facts.input_tokens = summed_input(attributes)
    facts.output_tokens = attributes.count(fields.OUTPUT_TOKENS)
    facts.cache_read_tokens = attributes.count(fields.CACHE_READ_TOKENS)
    facts.cache_write_tokens = attributes.count(fields.CACHE_WRITE_TOKENS)
    facts.reasoning_tokens = attributes.count(fields.REASONING_TOKENS)


def summed_input(attributes: Attributes) -> int | None:
    """Returns the sum over a usage object whose parts do not overlap: input + cache_read_input_tokens + ..."""
    for name in client_rules.SUMMED_USAGE:
        usage = attributes.structure(name)
        if isinstance(usage, dict):
            counts = [token_count(value) for key, value in usage.items() if "input" in key or "cache" in key]
            valid = [count for count in counts if count is not None]
            return min(sum(valid), MAX_TOKENS) if valid else None
    return None


def normalise_tokens(facts: SpanFacts, span: Span) -> None:
    """Drops counts of 0, which SDKs write for streams without usage, and adds cached tokens to input without them."""
    if not facts.input_tokens and not facts.output_tokens:
        facts.input_tokens = facts.output_tokens = None
    elif span.scope in client_rules.EXCLUSIVE_SCOPES or facts.cached_tokens > (facts.input_tokens or 0):
        facts.include_cache()


def reported_cost(attributes: Attributes) -> str | None:
    for value in attributes.values_of(fields.REPORTED_COST_USD):
        try:
            cost = Decimal(str(value))
        except InvalidOperation:
            continue
        if cost.is_finite() and 0 < cost < MAX_COST_USD:
            return plain_cost(cost)
    return None


def plain_cost(cost: Decimal) -> str | None:
    """Returns the cost in digits, without the errors of floats."""
    exponent = cost.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -MAX_DECIMALS:
        cost = cost.quantize(SMALLEST_COST_USD).normalize()
    return f"{cost:f}" if cost else None


def response_id(attributes: Attributes) -> str | None:
    by_name = attributes.text(fields.RESPONSE_ID, ID_LENGTH)
    if by_name is not None:
        return by_name
    for name, pattern in client_rules.RESPONSE_ID_PATTERNS:
        text = attributes.values.get(name)
        if isinstance(text, str) and (match := pattern.search(text)):
            return clean(match[1], ID_LENGTH)
    return None


def provider_of(values: Iterable[Any]) -> str | None:
    """Returns the first value that is a provider and not a framework."""
    for value in values:
        if isinstance(value, str):
            name = client_rules.PROVIDER_SUFFIX.sub("", value.strip().lower())
            name = client_rules.PROVIDER_NAMES.get(name, name)
            if name not in client_rules.FRAMEWORKS:
                return clean(name, NAME_LENGTH)
    return None
