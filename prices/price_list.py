"""Finds a model on the price list, and never another one.

The list matches names by prefixes, so that new dates of a model are known. It would also take `gpt-4o-acme-tuned` for
a known model. Here a match counts only if what the name has beyond the list's own text cannot change the price.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

from genai_prices.data_snapshot import find_provider_by_id, get_snapshot
from genai_prices.types import ModelInfo, Provider

from prices.providers import BY_SPELLING, LISTED, list_id

VARIANTS = {
    "latest": ("", "an alias of the newest date of the model"),
    "preview": ("google", "Google bills a preview as the model; OpenAI's `gpt-4-...-preview` is another model"),
    "exp": ("google", "an experimental version, which Google bills as the model"),
}
"""Ends of a name that leave the price as it is: the only provider where that holds (empty: any), and the reason."""
DATES = (
    r"20\d{2}-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])",  # 2024-08-06, 20241022
    r"(?:0[1-9]|1[0-2])-20\d{2}",  # 08-2024
    r"(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])",  # 0613, 05-06
    r"2[3-9](?:0[1-9]|1[0-2])",  # 2411
)
VERSIONS = (r"v\d{1,2}(?::\d{1,2})?", r"00\d")
REGIONS = r"(?:us|eu|apac|jp|au|ca|in|sa|me|af|uk|us-gov|global)\."
VENDORS = r"(?:anthropic|amazon|meta|cohere|ai21|mistral|deepseek|openai|qwen|writer|stability|moonshotai|zai|nvidia)\."
BEGINNING = re.compile(rf"(?:{REGIONS})?(?:{VENDORS})?")
"""Of Bedrock's names: the region and the vendor in front of the model."""
BEDROCK_VENDOR = re.compile(rf"(?:{REGIONS})?{VENDORS}\w")


def find_model(provider: str | None, name: str) -> tuple[str, ModelInfo] | None:
    """The model on the list, and the id of its provider there. None where nobody knows its price.

    The whole name is tried first, then with one leading segment less at a time. Only where no provider is known is it
    taken from the name.
    """
    return find(provider, name.strip().lower())


@lru_cache(maxsize=16384)
def find(provider: str | None, name: str) -> tuple[str, ModelInfo] | None:
    for provider_id, candidate in candidates(provider, name):
        listed = find_provider_by_id(get_snapshot().providers, provider_id)
        model = find_in(listed, candidate) if listed else None
        if listed and model:
            return listed.id, model
    return None


def candidates(provider: str | None, name: str) -> Iterator[tuple[str, str]]:
    """Each id on the list with the name to look for there, in the order in which they are tried."""
    if provider is not None:
        known = list_id(provider)
        if known:
            for candidate in shorter(without_provider(name, known)):
                yield known, candidate
        return
    for candidate in shorter(name):
        vendor, _, rest = re.sub(":", "/", candidate, count=1).partition("/")
        named = list_id(vendor) if vendor in BY_SPELLING or vendor in LISTED else None
        if named and rest:
            yield named, rest
    if BEDROCK_VENDOR.match(name.rpartition("/")[2]):
        yield "aws", name.rpartition("/")[2]
    for candidate in shorter(name):
        for listed in get_snapshot().providers:
            if listed.model_match is not None and listed.model_match.is_match(candidate):
                yield listed.id, candidate


def shorter(name: str) -> Iterator[str]:
    """The name, then with one leading segment less at a time: a/b/c, b/c, c."""
    segments = name.split("/")
    for start in range(len(segments)):
        yield "/".join(segments[start:])


def without_provider(name: str, provider_id: str) -> str:
    """Without `openai:` in front, as some frameworks write a model."""
    vendor, colon, rest = name.partition(":")
    return rest if colon and list_id(vendor) == provider_id else name


def find_in(provider: Provider, name: str) -> ModelInfo | None:
    for model in provider.models:
        if model.id.lower() == name:
            return model
    rest = rest_pattern(provider.id)
    for candidate in (name, *without_rest(name, rest)):
        found = provider.find_model(candidate, all_providers=get_snapshot().providers)
        if found:
            return found if is_same_model(found, name, rest) else None
    return None


@cache
def rest_pattern(provider_id: str) -> re.Pattern[str]:
    """What may follow the model in a name: dates, versions and variants."""
    variants = [name for name, (only, _) in VARIANTS.items() if only in ("", provider_id)]
    return re.compile(rf"(?:[-@](?:{'|'.join((*DATES, *VERSIONS, *variants))})|:\d{{1,2}})+")


def without_rest(name: str, rest: re.Pattern[str]) -> Iterator[str]:
    """The name with less and less of such a rest at its end, for models that the list knows by exact names only."""
    for end in range(len(name) - 1, 0, -1):
        if name[end] in "-@:" and rest.fullmatch(name[end:]):
            yield name[:end]


def is_same_model(model: ModelInfo, name: str, rest: re.Pattern[str]) -> bool:
    """Whether the name is one of the list's texts, with nothing around it that could change the price."""
    for is_pattern, text in texts_of(model):
        found = re.search(text if is_pattern else re.escape(text), name)
        if found and BEGINNING.fullmatch(name[: found.start()]):
            after = name[found.end() :]
            if not after or rest.fullmatch(after):
                return True
    return False


def texts_of(model: ModelInfo) -> list[tuple[bool, str]]:
    """The texts by which the list knows the model, and whether they are patterns."""
    return [(False, model.id.lower()), *clauses(model.match)]


def clauses(match: Any) -> Iterator[tuple[bool, str]]:
    for name in ("or_", "and_"):
        for inner in getattr(match, name, ()):
            yield from clauses(inner)
    for name in ("equals", "starts_with", "ends_with", "contains"):
        text = getattr(match, name, None)
        if text:
            yield False, text.lower()
    if pattern := getattr(match, "regex", None):
        yield True, getattr(pattern, "pattern", pattern)
