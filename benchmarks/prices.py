"""Counts the calls whose price is exactly that of the price list, and the names that must not have a price.

python -m benchmarks.prices
"""

import os
import random
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "observability.settings")
django.setup()

from genai_prices.data_snapshot import get_snapshot  # noqa: E402
from genai_prices.types import ModelInfo, Provider, Usage  # noqa: E402

from prices.list_price import is_for_tokens, named_prices  # noqa: E402
from prices.open_weights import has_open_weights  # noqa: E402
from prices.price_list import resold_by, texts_of  # noqa: E402
from prices.pricing import CallToPrice, price_calls  # noqa: E402
from prices.providers import list_id  # noqa: E402
from prices.usage import UNITS  # noqa: E402
from traces.row import Row  # noqa: E402

DATES = (
    datetime(2025, 3, 1, 12, tzinfo=UTC),
    datetime(2026, 3, 1, 3, tzinfo=UTC),
    datetime(2026, 11, 25, 20, tzinfo=UTC),
)
TOKENS = {"input_tokens": 12_345, "output_tokens": 678, "cache_read_tokens": 1_000, "cache_write_tokens": 2_000}
OTHER_COUNT = 7
"""Of every other unit that a model has a price for."""
CHANGES = (
    *("-acme", "-acme-tuned", "_acme", "x", "-ultra", "-cyber", "-custom", "-beta", "-fp8", "-q4", "-distill"),
    *("-turbo", "-mini", "-nano", "-lite", "-pro", "-max", "-fast", "-high", "-thinking", "-vision", "-codex"),
    *("-32k", "-70b", ":70b", ":nitro", ":thinking", ":acme", "/acme", "@acme"),
)
OWN_SERVERS = ("vllm", "ollama", "acme-gateway", "lmstudio", "my.proxy.internal")
DATED = re.compile(r"-(?:20\d\d-\d\d-\d\d|20\d{6}|\d\d-20\d\d|2[3-9](?:0[1-9]|1[0-2]))$")
SOLD_BY_OPENAI = re.compile(r"(?!gpt-oss).*")
PLAIN = re.compile(r"(?:gpt|o)-?[\d.]+o?(?:-mini|-nano|-turbo)?")
CLAUDE = re.compile(r"claude-(?:opus|sonnet|haiku)-\d(?:-\d)?")
GEMINI = re.compile(r"gemini-\d\.\d-(?:flash|pro)(?:-lite)?")
NOVA = re.compile(r"(?:amazon|meta|deepseek|mistral)\.[^:]*(?::\d)?")
OTHER_PROVIDERS = ("groq", "together", "fireworks", "azure", "deepseek", "anthropic", "openrouter", "hosted_vllm")
ALTERED = 250
"""Of each kind."""
LEGITIMATE = 200


class Name(NamedTuple):
    provider: str | None
    model: str
    base: ModelInfo
    """The model on the list from which the name was made."""


@dataclass
class Count:
    """How many were tried, and the ones that were wrong."""

    title: str
    tried: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, is_right: bool, label: str) -> None:
        self.tried += 1
        if not is_right:
            self.wrong.append(label)

    def __str__(self) -> str:
        shown = "".join(f"\n    {label}" for label in self.wrong[:20])
        return f"{self.tried - len(self.wrong):>6,} of {self.tried:>6,}  {self.title}{shown}"


def priced(provider: str | None, model: str, at: datetime, counts: Mapping[str, int]) -> Row:
    details: dict[str, int | str] = {key: count for key, count in counts.items() if key not in TOKENS}
    row = Row(at, "trace", "span", "chat", "agent", provider=provider, model=model, usage_details=details or None)
    for name in TOKENS:
        setattr(row, name, counts.get(name, 0))
    price_calls([], [CallToPrice(row, (model,))])
    return row


def listed() -> Iterator[tuple[Provider, ModelInfo]]:
    for provider in get_snapshot().providers:
        for model in provider.models:
            yield provider, model


# --- Calls as the list names them ---


def listed_calls(count: Count, every_unit: bool) -> Count:
    """Prices each model of the list at each date. With `every_unit` a call uses all that its model has a price for."""
    for provider, model in listed():
        for at in DATES:
            prices = named_prices(model.get_prices(at))
            if not every_unit and not is_for_tokens(prices):
                continue
            keys = {UNITS.unit_for_price_key(key).usage_key for key in prices} - {"requests"}
            counts = TOKENS | (dict.fromkeys(keys - TOKENS.keys(), OTHER_COUNT) if every_unit else {})
            own = model.calc_price(Usage(**counts), provider, genai_request_timestamp=at).total_price
            ours = priced(provider.id, model.id, at, counts).cost_usd
            count.add(ours == own, f"{provider.id} {model.id} {at:%F}: {ours} instead of {own}")
    return count


def calls_without_units(count: Count) -> Count:
    """Models that are sold by the hour, page or character have no price for a call that reports only tokens."""
    for provider, model in listed():
        if not is_for_tokens(named_prices(model.get_prices(DATES[-1]))):
            ours = priced(provider.id, model.id, DATES[-1], TOKENS).cost_usd
            count.add(ours is None, f"{provider.id} {model.id}: {ours}")
    return count


# --- Other names ---


def altered_names() -> list[Name]:
    """Returns names that are close to those of the list, or whose provider or price nobody knows."""
    known = {text for _, model in listed() for is_pattern, text in texts_of(model) if not is_pattern}
    close = [
        Name(provider.id, name, model)
        for provider, model in listed()
        for name in changed(model.id.lower())
        if name not in known and name.rpartition("/")[2] not in known
    ]
    on_own_servers = [Name(server, model.id, model) for server in OWN_SERVERS for _, model in listed()]
    open_weights = [Name(None, model.id, model) for _, model in listed() if has_open_weights(model.id.lower())]
    kinds = (close, on_own_servers, open_weights, list(of_other_providers(known)), list(older_releases()))
    return [name for kind in kinds for name in sampled(kind, ALTERED)]


def sampled(names: list[Name], number: int) -> list[Name]:
    return random.Random(14).sample(names, min(number, len(names)))  # noqa: S311 (the same names each time)


def of_other_providers(known: set[str]) -> Iterator[Name]:
    """Yields names that name another provider than the call does, as a proxy gets them."""
    for provider, model in listed():
        for other in OTHER_PROVIDERS:
            name = f"{other}/{model.id}"
            if list_id(other) not in (provider.id, *resold_by(provider.id)) and name.lower() not in known:
                yield Name(provider.id, name, model)


def older_releases() -> Iterator[Name]:
    """Yields old releases that are not on the list, of models that are on it with a newer release."""
    for provider, model in listed():
        texts = {text for is_pattern, text in texts_of(model) if not is_pattern}
        bases = sorted({DATED.sub("", text) for text in texts if DATED.search(text)} & texts)
        for name in (f"{base}{date}" for base in bases for date in ("-2023-01-01", "-20230101", "-2301")):
            if not provider.find_model(name, all_providers=get_snapshot().providers):
                yield Name(provider.id, name, model)


def changed(name: str) -> Iterator[str]:
    yield from (name + change for change in CHANGES)
    yield f"acme-{name}"
    organisation, slash, own = name.rpartition("/")
    if "-" in own:
        yield organisation + slash + own.replace("-", "-acme-", 1)


def altered_calls(count: Count) -> Count:
    for name in altered_names():
        row = priced(name.provider, name.model, DATES[-1], TOKENS)
        count.add(row.cost_usd is None, f"{name.provider} {name.model}: {row.cost_usd} {row.price_id}")
    return count


def legitimate_names() -> list[Name]:
    """Returns names in the ways in which clients and clouds write the models of the list."""
    google = ("gcp.gemini", "gemini", "google", "vertex_ai")
    names = [
        *spelled("openai", ("openai",), ("openai/{}", "openai:{}", "responses/{}")),
        *spelled("openai", (None, "litellm"), ("openai/{}", "litellm_proxy/openai/{}"), SOLD_BY_OPENAI),
        *spelled("openai", ("openai", "open_ai"), ("{}-2026-11-20", "{}-20261120", "{}-latest"), PLAIN),
        *spelled("anthropic", ("anthropic", None), ("anthropic/{}", "anthropic:{}")),
        *spelled("anthropic", ("anthropic", None), ("{}-20261120", "{}@20261120", "{}-latest"), CLAUDE),
        *spelled("google", google, ("{}", "models/{}", "gemini/{}")),
        *spelled("google", (*google, None), ("{}-002", "{}@20261120", "{}@default"), GEMINI),
        *spelled("google", ("vertex_ai", None), ("projects/p/locations/us-east5/publishers/google/models/{}",)),
        *spelled("aws", ("aws.bedrock", "bedrock", "amazon-bedrock", None), ("us.{}", "bedrock/{}"), NOVA),
        *spelled("aws", ("bedrock", None), ("arn:aws:bedrock:us-east-1:1:inference-profile/eu.{}",), NOVA),
        *spelled("aws", ("bedrock_converse",), ("bedrock/us-east-1/{}", "apac.{}"), NOVA),
        *spelled("azure", ("azure", "azure.ai.openai", "azure_openai"), ("azure/{}", "openai/deployments/{}")),
        *spelled("mistral", ("mistral_ai", "mistralai"), ("{}", "mistral/{}")),
        *spelled("groq", ("groq", None), ("groq/{}",)),
        *spelled("openrouter", ("openrouter", None), ("openrouter/{}",)),
        *spelled("together", ("together_ai", None), ("together_ai/{}",)),
        *spelled("fireworks", ("fireworks_ai", None), ("accounts/fireworks/models/{}",)),
        *spelled("x-ai", ("xai", "x_ai"), ("{}", "xai/{}")),
    ]
    return sampled(names, LEGITIMATE)


def spelled(
    provider_id: str, spellings: Iterable[str | None], forms: Iterable[str], only: re.Pattern[str] | None = None
) -> Iterator[Name]:
    forms = tuple(forms)
    for provider, model in listed():
        is_wanted = provider.id == provider_id and (only is None or only.fullmatch(model.id))
        if is_wanted and is_for_tokens(named_prices(model.get_prices(DATES[-1]))):
            yield from (Name(spelling, form.format(model.id), model) for spelling in spellings for form in forms)


def legitimate_calls(count: Count) -> Count:
    for name in legitimate_names():
        own = name.base.get_prices(DATES[-1]).calc_price(Usage(**TOKENS))["total_price"]
        ours = priced(name.provider, name.model, DATES[-1], TOKENS).cost_usd
        count.add(ours == own, f"{name.provider} {name.model}: {ours} instead of {own}")
    return count


def counts() -> list[Count]:
    return [
        listed_calls(Count("listed calls with tokens cost what the list says"), every_unit=False),
        listed_calls(Count("listed calls with all that has a price cost what the list says"), every_unit=True),
        calls_without_units(Count("models sold by the hour, page or character are unpriced for tokens alone")),
        altered_calls(Count("altered names, other providers, older releases and own servers are unpriced")),
        legitimate_calls(Count("spellings of listed names cost what the list says")),
    ]


def main() -> int:
    results = counts()
    print(*results, sep="\n")
    return int(any(result.wrong for result in results))


if __name__ == "__main__":
    sys.exit(main())
