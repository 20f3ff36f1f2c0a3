"""Finds a model on the price list, and never another one.

The list matches names by prefixes, so that new dates of a model are known. It would also take `gpt-4o-acme-tuned` for
a known model. Here a match counts only if what the name has beyond the list's own text cannot change the price. A
release that the list does not know has the price of the model's name only if it is newer than all that it knows.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

from genai_prices.data_snapshot import find_provider_by_id, get_snapshot
from genai_prices.types import ModelInfo, Provider

from prices.open_weights import has_open_weights
from prices.providers import (
    BEDROCK_REGIONS,
    BEDROCK_VENDORS,
    PATH_SEGMENTS,
    is_framework,
    is_known,
    list_id,
    provider_name,
    provider_of_model,
    without_frameworks,
)

ENDINGS = (
    # kind, provider on the list (empty: any), pattern, why the price stays as it is
    ("date", "", r"[-@]20\d{2}-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])", "a release: 2024-08-06, 20241022"),
    ("date", "", r"[-@](?:0[1-9]|1[0-2])-20\d{2}", "a release, as Google and Cohere write it: 08-2024"),
    ("date", "", r"-(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])", "a release without its year: 0613, 05-06"),
    ("date", "", r"-2[3-9](?:0[1-9]|1[0-2])", "a release, as Mistral writes it: 2411"),
    ("date", "", r"[-@]latest", "an alias of the newest release"),
    ("date", "google", r"@default", "Vertex AI's alias of the newest release"),
    ("date", "google", r"-preview-\d\d-\d\d(?:-20\d\d)?", "a release, which Google bills as the model"),
    ("version", "aws", r"-v\d(?::\d)?|:\d", "Bedrock counts the revisions of a model: v1:0"),
    ("version", "google", r"-v2", "Claude 3.5 Sonnet v2 costs what the first one does"),
    ("version", "google", r"-00\d", "Google counts the releases of a model: 002"),
)
"""Ends of a name that leave the price as it is. A name has at most one of each kind."""
CLOUD_SEGMENT = re.compile(r"arn:aws[\w-]*:bedrock:.*|[a-z]{2}(?:-gov)?-[a-z]+-\d")
"""The beginning of an ARN, or a region: `us-east-1/anthropic.claude-v2`."""
API_PATH = re.compile(
    r"^(?:projects/[^/]+/locations/[^/]+/)?publishers/[^/]+/models/|^accounts/fireworks/models/|^openai/deployments/"
)
"""What stands before the model in the paths of Vertex AI, Fireworks and Azure."""
RELEASES = (
    re.compile(r"[-@]20(?P<year>\d{2})-?(?P<month>\d{2})-?(?P<day>\d{2})(?!\d)"),
    re.compile(r"-(?P<month>\d{2})-(?P<day>\d{2})-20(?P<year>\d{2})(?!\d)"),
    re.compile(r"[-@](?P<month>\d{2})-20(?P<year>\d{2})(?!\d)"),
    re.compile(r"-(?P<year>2[3-9])(?P<month>0[1-9]|1[0-2])(?!\d)"),
    re.compile(r"-\d{2}-?\d{2}(?!\d)"),
)
"""The ways to write a release in ENDINGS. The last one has no year."""
BEGINNING = re.compile(rf"^(?:{BEDROCK_REGIONS})?(?:{BEDROCK_VENDORS})?")
"""Of Bedrock's names: the region and the vendor in front of the model."""


def find_model(provider: str | None, name: str) -> tuple[Provider, ModelInfo] | None:
    """Returns the model on the list with its provider there; None where nobody knows its price.

    The whole name is tried first, then with one leading segment less at a time. Only where no provider is known is it
    taken from the name.
    """
    return find(provider_name(provider), name.strip().lower())


@lru_cache(maxsize=16384)
def find(provider: str | None, name: str) -> tuple[Provider, ModelInfo] | None:
    for provider_id, candidate in candidates(provider or provider_of_model(name), name):
        listed = find_provider_by_id(get_snapshot().providers, provider_id)
        model = find_in(listed, candidate) if listed else None
        if listed and model:
            return listed, model
    return None


def candidates(provider: str | None, name: str) -> Iterator[tuple[str, str]]:
    """Yields each id on the list with the name to look for there, in the order in which they are tried."""
    if provider is not None:
        known = list_id(provider)
        if known:
            for candidate in (name, *shorter(API_PATH.sub("", without_provider(name, known)), known)):
                yield known, candidate
        return
    own_name = without_frameworks(name)
    if "/" not in own_name and not has_open_weights(own_name):
        for listed in get_snapshot().providers:
            if listed.model_match is not None and listed.model_match.is_match(own_name):
                yield listed.id, own_name


def shorter(name: str, provider_id: str) -> Iterator[str]:
    """Yields the name, then with one leading segment less at a time: a/b/c, b/c, c.

    Only segments that cannot mean another provider are left out. `acme/gpt-4o` may be anything.
    """
    while name:
        yield name
        if not is_droppable(name, provider_id):
            return
        name = name.partition("/")[2]


def is_droppable(name: str, provider_id: str) -> bool:
    """Tells whether the first segment of the name says nothing, or nothing else than the provider.

    `openai/` at Azure says who made the model: the list knows that Azure sells what OpenAI makes.
    """
    first, _, rest = name.partition("/")
    if is_framework(first) or first in PATH_SEGMENTS or CLOUD_SEGMENT.fullmatch(first):
        return True
    if is_known(first) and list_id(first) == provider_id:
        return True
    return has_open_weights(name) or (list_id(first) in resold_by(provider_id) and is_sold_by(list_id(first), rest))


def resold_by(provider_id: str) -> list[str]:
    """Returns the makers whose models the provider sells at their prices."""
    listed = find_provider_by_id(get_snapshot().providers, provider_id)
    return (listed.fallback_model_providers or []) if listed else []


def is_sold_by(provider_id: str | None, name: str) -> bool:
    listed = provider_id and find_provider_by_id(get_snapshot().providers, provider_id)
    return bool(listed and any(find_in(listed, one) for one in shorter(name, listed.id)))


@lru_cache(maxsize=16384)
def names_another_provider(provider: str | None, name: str) -> bool:
    """Tells whether the name says that another provider served the call: `groq/...` through OpenAI's SDK.

    OpenRouter's own names begin with the makers of its models.
    """
    known = list_id(provider_name(provider) or "")
    if known is None:
        return False
    *_, rest = shorter(API_PATH.sub("", without_provider(name.strip().lower(), known)), known)
    first = re.split("[/:]", rest, maxsplit=1)[0]
    is_maker = list_id(first) in resold_by(known) or first in first_segments(known)
    return first != rest and is_known(first) and not is_maker


@cache
def first_segments(provider_id: str) -> frozenset[str]:
    """Returns the segments with which the names of the provider's models begin, like `meta-llama`."""
    listed = find_provider_by_id(get_snapshot().providers, provider_id)
    ids = (model.id.lower() for model in (listed.models if listed else ()))
    return frozenset(name.partition("/")[0] for name in ids if "/" in name)


def without_provider(name: str, provider_id: str) -> str:
    """Returns the name without `openai:` in front, as some frameworks write a model."""
    vendor, colon, rest = name.partition(":")
    return rest if colon and list_id(vendor) == provider_id else name


def find_in(provider: Provider, name: str) -> ModelInfo | None:
    for model in provider.models:
        if model.id.lower() == name:
            return model
    ending = ending_pattern(provider.id)
    for candidate in (name, *without_ending(name, ending)):
        found = find_exactly(provider, candidate)
        if found:
            is_sold = candidate == name or is_new_release(provider, found, name, len(candidate))
            return found if is_sold and is_same_model(found, name, ending) else None
    return None


def find_exactly(provider: Provider, name: str) -> ModelInfo | None:
    return provider.find_model(name, all_providers=get_snapshot().providers)


def is_new_release(provider: Provider, model: ModelInfo, name: str, base_length: int) -> bool:
    """Tells whether the price of the base is that of the release that the name ends with.

    It is, if the release is newer than all that the list knows, and the newest of these is the same model as the base.
    """
    release = release_of(name[base_length:])
    if release is None:
        return True
    base = without_maker(name[:base_length])
    known = [(when, text) for start, when, text in releases(provider.id) if start == base]
    if not known:
        return bool(release)
    newest, text = max(known)
    return newest < release and find_exactly(provider, text) is model


def release_of(ending: str) -> str | None:
    """Returns the date in the ending, as 20240806 or 202408; empty if it has no year; None for no date."""
    for pattern in RELEASES:
        if found := pattern.search(ending):
            date = found.groupdict()
            return f"20{date['year']}{date['month']}{date.get('day', '')}" if date else ""
    return None


@cache
def releases(provider_id: str) -> list[tuple[str, str, str]]:
    """Returns the dated names that the list knows at the provider: the base, the date, the whole name."""
    return [
        (without_maker(base), date, text)
        for one in (provider_id, *resold_by(provider_id))
        for text in exact_texts(one)
        for base in without_ending(text, ending_pattern(one))
        if (date := release_of(text[len(base) :]))
    ]


def exact_texts(provider_id: str) -> set[str]:
    listed = find_provider_by_id(get_snapshot().providers, provider_id)
    models = listed.models if listed else ()
    return {text for model in models for is_pattern, text in texts_of(model) if not is_pattern}


def without_maker(name: str) -> str:
    """Returns the name without who made it, as the list writes it: `openai/gpt-4o`, `anthropic.claude-3-haiku`."""
    return BEGINNING.sub("", name.rpartition("/")[2], count=1)


@cache
def ending_pattern(provider_id: str) -> re.Pattern[str]:
    """Returns the pattern for all that may follow the model in a name: a date, a version, or both in any order."""
    kinds = {
        kind: "|".join(text for one, only, text, _ in ENDINGS if one == kind and only in ("", provider_id))
        for kind in ("date", "version")
    }
    date, version = (f"(?:{text or '(?!)'})" for text in kinds.values())
    return re.compile(rf"{date}{version}?|{version}{date}?")


def without_ending(name: str, ending: re.Pattern[str]) -> Iterator[str]:
    """Yields the name with less and less of such an ending.

    The list knows some models by exact names only.
    """
    for end in range(len(name) - 1, 0, -1):
        if name[end] in "-@:" and ending.fullmatch(name[end:]):
            yield name[:end]


def is_same_model(model: ModelInfo, name: str, ending: re.Pattern[str]) -> bool:
    """Tells whether the name is one of the list's texts, with nothing around it that could change the price."""
    for is_pattern, text in texts_of(model):
        found = re.search(text if is_pattern else re.escape(text), name)
        if found and BEGINNING.fullmatch(name[: found.start()]):
            after = name[found.end() :]
            if not after or ending.fullmatch(after):
                return True
    return False


def texts_of(model: ModelInfo) -> list[tuple[bool, str]]:
    """Returns the texts by which the list knows the model, and whether they are patterns."""
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
