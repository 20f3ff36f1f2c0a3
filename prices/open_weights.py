"""Models with open weights. Who serves them, and at which price, their names do not say.

A name without a provider has a price only if its maker sells the model under exactly this name, and hardly anybody
else serves it under it: `open-mistral-7b`, `deepseek-chat`, `mistral-small-latest`.
"""

import re
from functools import lru_cache
from typing import NamedTuple


class Family(NamedTuple):
    pattern: str
    """Matches the beginning of the name in lower case."""
    publishers: tuple[str, ...]
    """Under whose names the weights are published: `openai/gpt-oss-120b` says who made it, not who serves it."""
    reason: str


FAMILIES = (
    Family(
        r"gpt-(?:oss|j|neo)", ("openai", "eleutherai"), "clouds and own servers have it; its maker does not sell it"
    ),
    Family(r"(?:code|shield|embedding)?gemma", ("google",), "made for own servers"),
    Family(
        r"(?:meta-|code)?llama|muse-spark-open",
        ("meta", "meta-llama", "meta-models"),
        "dozens of clouds sell it at prices of their own",
    ),
    Family(r"qwen(?!\.)|qwq|qvq", ("qwen", "alibaba"), "own servers and dozens of clouds have it"),
    Family(
        r"mistral(?:$|:latest|:\d)|mistral-(?:\d|nemo)|mixtral|mathstral|codestral(?:$|:)"
        r"|(?:mistral-small|devstral|magistral(?!-medium)|ministral|pixtral-12b|voxtral)"
        r"(?!(?:-\w+)*-(?:latest|2[3-9](?:0[1-9]|1[0-2]))$)|(?:mistral|codestral|devstral)-.*instruct",
        ("mistralai",),
        "the usual names on own servers; Mistral's own end in -latest or a release, or begin with open-",
    ),
    Family(
        r"deepseek-(?!(?:chat|reasoner|flash)$)",
        ("deepseek-ai",),
        "clouds sell each version at prices of their own; only DeepSeek has the names without a version",
    ),
    Family(r"phi-?\d", ("microsoft",), "made for own servers"),
    Family(
        r"kimi-k\d(?!.*(?:preview|turbo|highspeed))",
        ("moonshotai",),
        "clouds sell it at prices of their own; only Moonshot has previews and fast variants",
    ),
    Family(r"(?:chat)?glm-?\d", ("zai-org", "z-ai", "thudm"), "Z.ai and Zhipu sell it at different prices"),
    Family(r"minimax-(?:m|0)(?!.*highspeed)", ("minimaxai",), "clouds sell it at prices of their own"),
)
PATTERNS = tuple((re.compile(family.pattern), frozenset(family.publishers)) for family in FAMILIES)


@lru_cache(maxsize=4096)
def has_open_weights(name: str) -> bool:
    """Tells whether the name, in lower case, is that of open weights, with or without who published them."""
    publisher, slash, own_name = name.partition("/")
    if not slash:
        return any(pattern.match(name) for pattern, _ in PATTERNS)
    return any(publisher in publishers and pattern.match(own_name) for pattern, publishers in PATTERNS)
