"""Compares two spans that may record the same call."""

import re
from functools import lru_cache

from ingest import client_rules
from ingest.model_names import base_model
from ingest.span_facts import SpanFacts

FORM = re.compile(r"^[A-Za-z]+[-_]")
"""The beginning of an id, like `chatcmpl-` or `msg_`. An API gives all its ids the same."""

FEW_IDS = re.compile(r"^([A-Za-z]+[-_])?\d{1,3}$")
"""Matches ids of a server that has only some hundred, so that several calls a minute have the same one."""
VERSION = re.compile(r"-(latest|(preview-)?\d{2}-\d{4}|\d{4}(-preview)?)$")
"""The version in a model's name: `-0613`, `-latest`, `-preview-09-2025`. A request may leave it out."""


def own_id(facts: SpanFacts) -> str | None:
    """Returns the id that the provider gave the response. Some libraries invent ids of their own."""
    if facts.scope in client_rules.INVENTED_ID_SCOPES and facts.kind != "raw":
        return None
    return facts.response_id


def have_same_id(one: SpanFacts, other: SpanFacts) -> bool:
    return one.response_id is not None and one.response_id == other.response_id


def have_different_ids(one: SpanFacts, other: SpanFacts) -> bool:
    """Returns whether the ids are of one form and differ. Two forms are ids of different things."""
    first, second = own_id(one), own_id(other)
    return bool(first and second and first != second and form(first) == form(second))


@lru_cache(maxsize=4096)
def form(response_id: str) -> str:
    match = FORM.match(response_id)
    return match[0] if match else ""


def is_equal_usage(one: SpanFacts, other: SpanFacts) -> bool:
    return (one.input_tokens, one.output_tokens) == (other.input_tokens, other.output_tokens)


def contradict(one: SpanFacts, other: SpanFacts) -> bool:
    """Returns whether both spans state tokens, and not the same."""
    return differ(one.input_tokens, other.input_tokens) or differ(one.output_tokens, other.output_tokens)


def are_other_models(one: SpanFacts, other: SpanFacts) -> bool:
    """Returns whether both spans name models and have none in common, be it requested or used."""
    names, others = model_names(one), model_names(other)
    return bool(names and others and names.isdisjoint(others))


def model_names(facts: SpanFacts) -> set[str]:
    return {without_version(name) for name in (facts.requested_model, facts.used_model) if name}


@lru_cache(maxsize=4096)
def without_version(model: str) -> str:
    return VERSION.sub("", base_model(model) or model)


def differ(one: object, other: object) -> bool:
    return one is not None and other is not None and one != other


@lru_cache(maxsize=4096)
def is_provider_scope(scope: str) -> bool:
    """Returns whether the scope is a provider's SDK, or an instrumentation of one."""
    return client_rules.PROVIDER_SCOPE.match(scope) is not None
