"""Merges the copies of a span, field by field, into one that does not depend on the order in which they came.

A copy is better than another if it ends later; else if it has more usage fields. A field comes from the best copy that
knows it, and of two equally good ones the greater text is taken. Fields that make sense only together come from one
copy: the input tokens with the cached ones, a cost with its parts. The status is that of the last end.

A merged span notes how good the copies were whose fields are not from the best one, so that a third copy is compared
with them.

A copy may have the end of the span without its start. The merged span stores this end. Its latency is computed once
another copy has the start, in either order.
"""

from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

from ingest.span_facts import EPOCH, MICROSECOND, READ_AGAIN, SpanFacts
from ingest.values import MAX_LATENCY_MS
from workspaces.label_limits import MAX_LABELS

Rank = tuple[int, int]
"""How good a copy is: its end in microseconds, or -1, and the number of its usage fields."""

OPEN_END = -1
BEST = ""
"""The name under which the rank of the best copy is noted."""
ATTRIBUTE = "@"
"""The beginning of the name under which the rank of an attribute is noted."""
LABEL = "#"
"""The same for a label."""
USAGE_NAMES = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "usage_details",
    "reported_cost_usd",
)
INPUT = ("input_tokens", "cache_read_tokens", "cache_write_tokens")
OUTPUT = ("output_tokens", "reasoning_tokens")
DETAILS = ("usage_details",)
"""What is in the details of neither side, like the service tier, and perhaps was only asked for."""
DETAILS_OF = {INPUT: ("input", "cache"), OUTPUT: ("output",)}
"""Beginnings of the details that are parts of a side, and come from the same copy."""
COST = ("reported_cost_usd", "reported_parts")
# Facts that belong together come from one copy.
TOGETHER = (
    ("timestamp", "is_timeless"),
    ("kind", "operation", "is_presumed"),
    ("status", "error_type", "error_message"),
    ("agent", "has_named_agent"),
    *(INPUT, OUTPUT, DETAILS, COST),
)
IDENTITY = {"trace_id", "span_id", "ranks"}
LABELS = {"labels", *READ_AGAIN}
"""Labels are merged one by one, or read from the merged attributes."""
ALONE = {field.name for field in fields(SpanFacts)} - IDENTITY - LABELS - {name for names in TOGETHER for name in names}
UNITS = (*TOGETHER, *((name,) for name in sorted(ALONE)))
KNOWN_KINDS = {"": 0, "other": 0, "chain": 1}


def merge_facts(one: SpanFacts, other: SpanFacts) -> SpanFacts:
    best = max(rank_of(one), rank_of(other))
    values: dict[str, Any] = {}
    ranks = {name: rank for name, rank in (one.ranks or {}).items() if name.startswith(ATTRIBUTE)}
    details: dict[str, int | str] = {}
    for unit in UNITS:
        source = max(one, other, key=lambda copy: preference(copy, unit))
        values |= {name: getattr(source, name) for name in unit}
        details |= details_of(source, unit)
        if known(source, unit) > 0 and field_rank(source, unit[0]) != best:
            ranks[unit[0]] = list(field_rank(source, unit[0]))
    values["labels"] = merge_labels(one, other, best, ranks)
    if one.is_timeless and other.is_timeless:
        values["timestamp"] = min(one.timestamp, other.timestamp)
    elif values["lone_end_us"] is not None and not values["is_timeless"]:
        values["latency_ms"] = latency_until(max(last_end(one), last_end(other)), values["timestamp"])
        ranks.pop("latency_ms", None)  # it is not of one copy
    merged = replace(one, **values | {"usage_details": details or None}, ranks=None)
    if ranks or rank_of(merged) != best:
        merged.ranks = {BEST: list(best), **ranks}
    return merged


def merge_labels(one: SpanFacts, other: SpanFacts, best: Rank, ranks: dict[str, list[int]]) -> dict[str, str] | None:
    """Returns the labels of both copies. Adds to `ranks` those that are not from the best.

    Where they are too many, the first by their names are taken: these are the same in every order of the copies.
    """
    labels: dict[str, str] = {}
    for name in sorted({**(one.labels or {}), **(other.labels or {})})[:MAX_LABELS]:
        rank, labels[name] = max(
            (field_rank(copy, LABEL + name), copy.labels[name])
            for copy in (one, other)
            if copy.labels and name in copy.labels
        )
        if rank != best:
            ranks[LABEL + name] = list(rank)
    return labels or None


def merge_attributes(
    one: dict[str, Any], one_facts: SpanFacts, other: dict[str, Any], other_facts: SpanFacts, merged: SpanFacts
) -> dict[str, Any]:
    """Returns the attributes of both copies. Notes in `merged` the ranks of those that are not from the best."""
    best = max(rank_of(one_facts), rank_of(other_facts))
    ranks = {name: rank for name, rank in (merged.ranks or {}).items() if not name.startswith(ATTRIBUTE)}
    attributes = {}
    for name in one | other:
        copies = [
            (field_rank(facts, ATTRIBUTE + name), str(values[name]), values[name])
            for values, facts in ((one, one_facts), (other, other_facts))
            if values.get(name) is not None
        ]
        rank, _, attributes[name] = max(copies, key=lambda copy: copy[:2], default=(best, "", None))
        if rank != best:
            ranks[ATTRIBUTE + name] = list(rank)
    is_noted = set(ranks) - {BEST} or rank_of(replace(merged, ranks=None)) != best
    merged.ranks = {**ranks, BEST: list(best)} if is_noted else None
    return attributes


# --- How good a copy is, and each of its fields ---


def rank_of(facts: SpanFacts) -> Rank:
    if facts.ranks:
        return as_rank(facts.ranks[BEST])
    end = last_end(facts)
    if facts.latency_ms is not None and facts.is_timeless:
        end = (facts.end - facts.timestamp) // MICROSECOND
    used = sum(getattr(facts, name) is not None for name in USAGE_NAMES)
    return end, used


def last_end(facts: SpanFacts) -> int:
    """Returns the latest end of the copies in microseconds since 1970; OPEN_END if none says one."""
    has_end = facts.latency_ms is not None and not facts.is_timeless
    stated = (facts.end - EPOCH) // MICROSECOND if has_end else OPEN_END
    return max(stated, OPEN_END if facts.lone_end_us is None else facts.lone_end_us)


def latency_until(end_us: int, start: datetime) -> float | None:
    latency_us = end_us - (start - EPOCH) // MICROSECOND
    return latency_us / 1000 if 0 <= latency_us / 1000 <= MAX_LATENCY_MS else None


def field_rank(facts: SpanFacts, name: str) -> Rank:
    noted = (facts.ranks or {}).get(name)
    return as_rank(noted) if noted else rank_of(facts)


def as_rank(noted: Iterable[int]) -> Rank:
    end, used = noted
    return end, used


def preference(facts: SpanFacts, unit: tuple[str, ...]) -> tuple[Any, ...]:
    """Returns what the copy from which the field is taken has more of than the other."""
    rank = field_rank(facts, unit[0])
    if unit[0] == "status":
        end, used = rank
        # A span that is still open has not succeeded, but an item without a duration can say that it failed.
        says_only_that_it_failed = end == OPEN_END and facts.status != "success"
        return says_only_that_it_failed, end, known(facts, unit), used, text(facts, unit)
    return known(facts, unit), rank, text(facts, unit)


def known(facts: SpanFacts, unit: tuple[str, ...]) -> int:
    """Returns how well the copy knows the field: 0 if not at all."""
    match unit[0]:
        case "timestamp":
            return int(not facts.is_timeless)
        case "kind":
            return 1 if facts.is_presumed else KNOWN_KINDS.get(facts.kind, 2)
        case "status":
            return int(facts.status != "success")
        case "latency_ms" | "first_token_ms":
            return int(getattr(facts, unit[0]) is not None)  # a call that took no time has its end
        case "agent":
            return 2 if facts.has_named_agent else int(bool(facts.agent))
        case "input_tokens" | "output_tokens" | "reported_cost_usd":
            is_stated = getattr(facts, unit[0]) is not None
            return 2 if is_stated else int(any(getattr(facts, name) is not None for name in unit))
        case "usage_details":
            # The usual tier is no detail: a copy with tokens and without a tier knows that it was the usual one.
            has_tokens = (facts.input_tokens, facts.output_tokens) != (None, None)
            return 2 if has_tokens else int(bool(details_of(facts, unit)))
    return int(getattr(facts, unit[0]) not in (None, "", False))


def details_of(facts: SpanFacts, unit: tuple[str, ...]) -> dict[str, int | str]:
    """Returns the details that belong to the unit."""
    details = facts.usage_details or {}
    if unit in DETAILS_OF:
        return {key: value for key, value in details.items() if key.startswith(DETAILS_OF[unit])}
    of_sides = sum(DETAILS_OF.values(), ())
    return {key: value for key, value in details.items() if not key.startswith(of_sides)} if unit == DETAILS else {}


def text(facts: SpanFacts, unit: tuple[str, ...]) -> str:
    """Returns the text that decides between equally good copies. The latency comes from the same copy as the start."""
    names = ("timestamp", "latency_ms") if unit[0] in ("timestamp", "latency_ms") else unit
    values = [getattr(facts, name) for name in names if name != "usage_details"]
    values += sorted(details_of(facts, unit).items())
    return str([value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value) for value in values])
