"""Reads what a call used: the counts by the price list's keys, and the circumstances that change its price."""

from collections.abc import Mapping

from genai_prices.data_units import unit_data
from genai_prices.units import UnitRegistry

from prices.service_tiers import STANDARD
from traces.row import Row

UNITS = UnitRegistry(unit_data)

Context = tuple[tuple[str, str], ...]
"""Circumstances that select another price, like `("service_tier", "flex")`, by the price list's names."""
CONTEXT_KEYS = ("service_tier", "speed")
BATCH = ("processing", "batch")

EVERY_CALL = frozenset({"tokens", "tool_calls", "requests"})
"""Kinds of units that calls have beside others. A model that is sold by the hour or page has none of them."""


def has_usage(row: Row) -> bool:
    """Tells whether enough is known to price the call. Half of its usage would give half of its price.

    No chat call is without input: SDKs write 0 where a stream did not report it. Counts that contradict each other,
    like a cache or audio larger than the input, have no price either.
    """
    if row.usage_details and not do_parts_fit(row, row.usage_details):
        return False
    if row.operation == "embeddings":
        return row.input_tokens is not None
    if not row.input_tokens or row.output_tokens is None:
        return row.usage_details is not None and bool(other_units(row.usage_details))
    if not row.cache_read_tokens and not row.cache_write_tokens:
        return True
    return (row.cache_read_tokens or 0) + (row.cache_write_tokens or 0) <= row.input_tokens


def do_parts_fit(row: Row, details: Mapping[str, int | str]) -> bool:
    """Tells whether the tokens of each kind, and the modalities together, are no more than the whole."""
    wholes = {"input": row.input_tokens or 0, "output": row.output_tokens or 0}
    modalities = dict.fromkeys(wholes, 0)
    for key, count in details.items():
        dimensions = UNITS.units[key].dimensions if key in UNITS.units else {}
        if dimensions.get("family") != "tokens" or not isinstance(count, int):
            continue
        direction = dimensions["direction"]
        if "modality" in dimensions and "token_type" not in dimensions:
            modalities[direction] += count
        if max(count, modalities[direction]) > wholes[direction]:
            return False
    return True


def other_units(details: Mapping[str, int | str]) -> set[str]:
    """Returns the keys that count no tokens, like seconds of audio."""
    return {key for key in details if key in UNITS.units and not is_of_every_call(key)}


def is_of_every_call(usage_key: str) -> bool:
    return UNITS.units[usage_key].dimensions["family"] in EVERY_CALL


def context_of(details: Mapping[str, int | str]) -> Context:
    named = {key: str(details[key]).strip().lower() for key in CONTEXT_KEYS if key in details}
    context = [(key, value) for key, value in named.items() if value not in STANDARD]
    return tuple(BATCH if item == ("service_tier", "batch") else item for item in context)


def usage_counts(row: Row) -> dict[str, int]:
    """Returns the counts of the call by the price list's keys."""
    counts = {
        "input_tokens": row.input_tokens or 0,
        "output_tokens": row.output_tokens or 0,
        "cache_read_tokens": row.cache_read_tokens or 0,
        "cache_write_tokens": row.cache_write_tokens or 0,
    }
    if row.reasoning_tokens:
        counts["output_reasoning_tokens"] = row.reasoning_tokens
    details = row.usage_details or {}
    return counts | {key: value for key, value in details.items() if key in UNITS.units and isinstance(value, int)}


def has_counts(details: Mapping[str, int | str]) -> bool:
    return any(key not in CONTEXT_KEYS for key in details)
