"""Reads a call: model, provider, tokens, first token and the cost that the client reports."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from ingest import client_rules, fields
from ingest.attributes import Attributes
from ingest.first_token import read_first_token
from ingest.operations import is_presumed_call, model_in_name
from ingest.read_usage import normalise_usage, read_usage
from ingest.reported_cost import amounts_of, first_total, part_name, reported_cost
from ingest.span_facts import SpanFacts
from ingest.spans import Span
from ingest.values import value_at
from prices.providers import provider_name, provider_of_models
from traces.text import ID_LENGTH, NAME_LENGTH, clean


def read_call(facts: SpanFacts, span: Span, attributes: Attributes) -> None:
    facts.requested_model = attributes.text(fields.REQUESTED_MODEL)
    facts.used_model = attributes.text(fields.USED_MODEL)
    facts.response_id = response_id(attributes)
    read_first_token(facts, span, attributes)
    total_tokens = read_usage(facts, span, attributes)
    if reader := client_rules.READERS.get(facts.kind):
        reader(facts, span)
    is_model_in_name = not facts.model
    if facts.requested_model is None:
        facts.requested_model = model_in_name(span.name)
    normalise_usage(facts, total_tokens)
    read_cost(facts, attributes)
    facts.is_presumed = is_presumed_call(facts.kind, span, is_model_in_name and not facts.has_usage)
    providers = [facts.provider] if facts.provider else attributes.values_of(fields.PROVIDER)
    facts.provider = provider_of(providers) or provider_of_models(facts.used_model, facts.requested_model)


def read_cost(facts: SpanFacts, attributes: Attributes) -> None:
    total = first_total(attributes.values_of(fields.REPORTED_COST_USD))
    cost_objects = attributes.places.get(fields.REPORTED_COSTS, ())
    if not attributes.shape.cost_parts and not cost_objects:
        facts.reported_cost_usd = total
        return
    needed = ("input",) if facts.kind == "embedding" else ("input", "output")
    items = [(part, attributes.values[name]) for name, part in attributes.shape.cost_parts]
    overlap = bool(items)
    for name, path in () if items else cost_objects:
        costs = value_at(attributes.structure(name), path)
        items += [(part_name(str(key)), cost) for key, cost in costs.items()] if isinstance(costs, dict) else []
    facts.reported_cost_usd, facts.reported_parts = reported_cost(total, amounts_of(items), overlap, needed)


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
        if isinstance(value, str) and (name := known_provider(clean(value, NAME_LENGTH))):
            return name
    return None


@lru_cache(maxsize=4096)
def known_provider(value: str) -> str | None:
    """Returns the product's name for the provider, without the API in `openai.chat`; None for a framework."""
    return provider_name(client_rules.PROVIDER_SUFFIX.sub("", value.strip().lower()))
