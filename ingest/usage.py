"""Reads usage objects: the counts of one call as a provider's answer or a client states them.

OpenAI, Anthropic, Google, Bedrock, LangChain, Langfuse, LiteLLM and others each write their own shape. A key is
understood by the words in it, whatever the shape. Three things differ, and a total decides between them where one is
given: whether input contains the cached tokens, whether output contains reasoning, and which parts overlap.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from typing import Any

from ingest.values import MAX_TOKENS, token_count
from traces.text import NAME_LENGTH

MAX_DEPTH = 4
MAX_KEYS = 256

INPUT = frozenset({"input", "input_tokens", "prompt_tokens", "prompt_token_count", "input_token_count"})
OUTPUT = frozenset(
    {
        *("output", "output_tokens", "completion_tokens", "output_token_count"),
        *("candidates_token_count", "response_token_count"),
    }
)
TOTAL = frozenset({"total", "total_tokens", "total_token_count"})
TEXTS = frozenset({"service_tier", "speed"})

CONTAINS_CACHE = frozenset(
    {
        *("prompt_tokens", "prompt_token_count"),
        *("cached_input_tokens", "cached_prompt_tokens", "prompt_cache_hit_tokens"),
    }
)
"""Keys of shapes whose input contains everything that other keys count again: OpenAI's, Google's, Vercel's."""
DETAILS_OF_INPUT = re.compile(r"^(input|prompt)_tokens?_details\.")
BESIDE_INPUT = frozenset({"tool_use_prompt_token_count"})
BESIDE_OUTPUT = frozenset({"thoughts_token_count"})
"""Google counts these beside the prompt and beside the candidates."""

ATTRIBUTE_PREFIXES = (
    *("gen_ai.usage.", "llm.token_count.", "llm.usage.", "ai.usage.", "usage."),
    *("anthropic.usage.", "openai.usage.", "gen_ai.anthropic.usage."),
)
"""Beginnings of attributes that count one part of the usage."""

CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
NOT_TOKENS = re.compile(r"cost|price|second|duration|character|miss|no_cache|total")
NOT_PRICED = re.compile(r"text|prediction|citation")
INPUT_SIDE = re.compile(r"input|prompt|cache")
OUTPUT_SIDE = re.compile(r"output|completion|candidates|response")
MODALITY = re.compile(r"audio|image|video")
CACHE_LIFETIME = re.compile(r"5m|1h")
WRITE = re.compile(r"writ|creat")
SEARCH = re.compile(r"web_search|search_web|num_search_queries")
REASONING = re.compile(r"reasoning|thoughts|thinking")


@dataclass(slots=True)
class Usage:
    """The counts of one usage object. Input contains the cached tokens, and output contains reasoning."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    stated_input: int | None = None
    """As the object states it, perhaps without the cached tokens."""
    stated_output: int | None = None
    total_tokens: int | None = None
    excludes_cache: bool = False
    """Input in this shape does not contain the cached tokens."""
    parts: dict[str, int] = field(default_factory=dict)
    """By the name of the fact: `cache_read_tokens`, `reasoning_tokens`, `input_audio_tokens`, `web_searches`, ..."""
    texts: dict[str, str] = field(default_factory=dict)
    """`service_tier` and `speed`."""


def usage_of(value: Any) -> Usage | None:
    """Returns the counts of the object; None if it is no object or has none."""
    if not isinstance(value, dict):
        return None
    usage, counts = Usage(), {}
    for key, leaf in leaves(value):
        if (count := token_count(leaf)) is not None:
            counts[key] = count
        elif key in TEXTS and isinstance(leaf, str):
            usage.texts[key] = leaf
    add_parts(usage, counts)
    add_wholes(usage, counts)
    return usage if counts or usage.texts else None


def leaves(value: dict[str, Any], prefix: str = "", depth: int = MAX_DEPTH) -> Iterator[tuple[str, Any]]:
    """Yields the values with their keys in snake case: `prompt_tokens_details.cached_tokens`."""
    for key, item in list(value.items())[:MAX_KEYS]:
        name = prefix + snake_case(str(key)[:NAME_LENGTH])
        if isinstance(item, dict) and depth:
            yield from leaves(item, f"{name}.", depth - 1)
        elif isinstance(item, list):
            yield from modalities(name, item)
        else:
            yield name, item


def modalities(name: str, items: list[Any]) -> Iterator[tuple[str, Any]]:
    """Yields Google's counts by modality and Bedrock's by lifetime: `prompt_tokens_details.audio`."""
    for item in items[:MAX_KEYS]:
        if isinstance(item, dict) and (lifetime := item.get("ttl")):
            yield (
                f"{name}.write_{str(lifetime)[:NAME_LENGTH].lower()}",
                item.get("inputTokens", item.get("input_tokens")),
            )
        if isinstance(item, dict) and (modality := item.get("modality")):
            count = item.get("tokenCount", item.get("token_count"))
            yield f"{name}.{str(modality).rpartition('.')[2].lower()}", count


@lru_cache(maxsize=4096)
def snake_case(key: str) -> str:
    return CAMEL.sub("_", key).lower()


@lru_cache(maxsize=4096)
def part_of(key: str) -> str | None:
    """Returns the fact that a key counts, by the words in it; None for wholes and for what has no price of its own."""
    if NOT_TOKENS.search(key) or NOT_PRICED.search(key):
        return None
    if SEARCH.search(key):
        return "web_searches"
    modality = match[0] + "_" if (match := MODALITY.search(key)) else ""
    if match := CACHE_LIFETIME.search(key):
        return f"cache_{modality}write_{match[0]}_tokens"
    if "cache" in key:
        return f"cache_{modality}{'write' if WRITE.search(key) else 'read'}_tokens"
    if modality:
        side = "output_" if OUTPUT_SIDE.search(key) else "input_" if INPUT_SIDE.search(key) else None
        return f"{side}{modality}tokens" if side else None
    return "reasoning_tokens" if REASONING.search(key) else None


def part_of_attribute(name: str) -> str | None:
    """Returns the part of the usage that a single attribute counts: `gen_ai.usage.audio.input_tokens`."""
    prefix = next((prefix for prefix in ATTRIBUTE_PREFIXES if name.startswith(prefix)), None)
    return part_of(snake_case(name[len(prefix) :])) if prefix else None


def add_parts(usage: Usage, counts: dict[str, int]) -> None:
    """Adds the parts. Where two keys spell the same part, the larger count is right: clients leave the other at 0."""
    parts = usage.parts
    for key, count in counts.items():
        if part := part_of(key):
            parts[part] = max(parts.get(part, 0), count)
    add_cache_writes(parts)


def add_cache_writes(parts: dict[str, int]) -> None:
    """Makes the cache writes contain those for five minutes and for one hour, which some clients count apart."""
    by_lifetime = parts.pop("cache_write_5m_tokens", 0) + parts.get("cache_write_1h_tokens", 0)
    if by_lifetime > parts.get("cache_write_tokens", 0):
        parts["cache_write_tokens"] = by_lifetime


def add_wholes(usage: Usage, counts: dict[str, int]) -> None:
    """Adds input, output and total.

    Top-level keys beside them add up, as in Langfuse's `input_cached_tokens` and Anthropic's `cache_read_input_tokens`,
    unless the shape is one whose input contains them. Keys inside `..._details` are always parts.
    """
    stated_input, stated_output = largest(counts, INPUT), largest(counts, OUTPUT)
    usage.total_tokens = largest(counts, TOTAL)
    contains = not CONTAINS_CACHE.isdisjoint(counts) or any(map(DETAILS_OF_INPUT.match, counts))
    usage.excludes_cache = not contains
    always_in, always_out = total_of(counts, BESIDE_INPUT), total_of(counts, BESIDE_OUTPUT)
    beside_in = always_in + total_beside(counts, INPUT, ("input", "cache"))
    beside_out = always_out + total_beside(counts, OUTPUT, ("output",))
    cached = usage.parts.get("cache_read_tokens", 0) + usage.parts.get("cache_write_tokens", 0)
    default_in, default_out = (always_in, always_out) if contains else (max(beside_in, cached), beside_out)
    if stated_input is None and not contains and beside_in > cached:
        stated_input = 0
    if stated_output is None and beside_out > 0:
        stated_output = 0
    inputs = choices(stated_input, default_in, always_in, beside_in, cached, at_least=cached)
    outputs = choices(stated_output, default_out, always_out, beside_out, usage.parts.get("reasoning_tokens", 0))
    usage.stated_input, usage.stated_output = stated_input, stated_output
    usage.input_tokens, usage.output_tokens = by_total(usage.total_tokens, inputs, outputs)


def largest(counts: dict[str, int], keys: Iterable[str]) -> int | None:
    return max((counts[key] for key in keys if key in counts), default=None)


def total_of(counts: dict[str, int], keys: Iterable[str]) -> int:
    return sum(counts.get(key, 0) for key in keys)


def total_beside(counts: dict[str, int], wholes: frozenset[str], words: tuple[str, ...]) -> int:
    """Returns the sum of the keys beside the whole of a side. Two spellings of the same part count once."""
    by_part: dict[str, int] = {}
    for key, count in counts.items():
        if is_beside(key, wholes, words):
            part = part_of(key) or key
            by_part[part] = max(by_part.get(part, 0), count)
    return sum(by_part.values())


def is_beside(key: str, wholes: frozenset[str], words: tuple[str, ...]) -> bool:
    """Returns whether the key is at the top level and counts tokens of this side, but not the whole side."""
    return "." not in key and key not in wholes and any(word in key for word in words) and not NOT_TOKENS.search(key)


def choices(stated: int | None, *beside: int, at_least: int = 0) -> list[int | None]:
    """Returns the counts that the side can have, the likeliest first."""
    if stated is None:
        return [None]
    possible: list[int | None] = [
        min(stated + more, MAX_TOKENS) for more in dict.fromkeys(beside) if stated + more >= at_least
    ]
    return possible or [stated]


def by_total(total: int | None, inputs: list[int | None], outputs: list[int | None]) -> tuple[int | None, int | None]:
    """Returns the first pair that has this total, else the likeliest."""
    pairs = product(inputs, outputs)
    likeliest = inputs[0], outputs[0]
    if total is None or None in likeliest:
        return likeliest
    return next((pair for pair in pairs if (pair[0] or 0) + (pair[1] or 0) == total), likeliest)
