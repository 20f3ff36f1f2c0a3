"""A call costs the sum of all that it used, each at its own price."""

from decimal import Decimal
from typing import Any

import pytest

from prices.pricing import CallToPrice, price_calls
from tests.ingest.test_otlp import override
from tests.tenant import Tenant, a_row
from traces.row import COST_COLUMN_OF, Row

pytestmark = pytest.mark.django_db(databases="__all__")

SONNET = {"provider": "anthropic", "model": "claude-sonnet-4-6"}


def priced(details: dict[str, int | str] | None = None, **values: Any) -> Row:
    row = a_row(**values, usage_details=details)
    price_calls([], [CallToPrice(row, (row.model or "",))])
    return row


def parts_of(row: Row) -> dict[str, Decimal]:
    parts = {name: getattr(row, column) for name, column in COST_COLUMN_OF.items()}
    return {name: usd for name, usd in parts.items() if usd}


def usd(text: str, **parts: str) -> tuple[Decimal, dict[str, Decimal]]:
    return Decimal(text), {name: Decimal(part) for name, part in parts.items()}


@pytest.mark.parametrize(
    ("values", "details", "expected"),
    [
        (  # 100 at 10, 37,175 written for an hour at 20, 10 out at 50 USD a million
            {"provider": "anthropic", "model": "claude-fable-5", "cache_write_tokens": 37_175}
            | {"input_tokens": 37_275, "output_tokens": 10},
            {"cache_write_1h_tokens": 37_175},
            usd("0.745", input="0.001", output="0.0005", cache_write="0.7435"),
        ),
        (  # half of the writes for five minutes, at 3.75, half for an hour, at 6 USD a million
            SONNET | {"input_tokens": 2000, "output_tokens": 0, "cache_write_tokens": 2000},
            {"cache_write_1h_tokens": 1000},
            usd("0.00975", cache_write="0.00975"),
        ),
        (  # 17 at 2.5, 110 at 10, 482 of audio at 64 USD a million
            {"provider": "openai", "model": "gpt-audio", "input_tokens": 17, "output_tokens": 592},
            {"output_audio_tokens": 482},
            usd("0.0319905", input="0.0000425", output="0.0011", audio="0.030848"),
        ),
        (  # 50 at 5, 1,000 of images at 10, 4,160 at 40 USD a million
            {"provider": "openai", "model": "gpt-image-1", "input_tokens": 1050, "output_tokens": 4160},
            {"input_image_tokens": 1000},
            usd("0.17665", input="0.00025", image="0.01", output="0.1664"),
        ),
        (  # three searches at 10 USD a thousand
            SONNET | {"input_tokens": 1000, "output_tokens": 1000},
            {"web_searches": 3},
            usd("0.048", input="0.003", output="0.015", search="0.03"),
        ),
        (  # half of 3 and of 15 USD a million
            SONNET | {"input_tokens": 10_000, "output_tokens": 2_000},
            {"service_tier": "batch"},
            usd("0.03", input="0.015", output="0.015"),
        ),
        (  # 3.5 and 14 USD a million instead of 2 and 8
            {"provider": "openai", "model": "gpt-4.1", "input_tokens": 1000, "output_tokens": 100},
            {"service_tier": "Priority"},
            usd("0.0049", input="0.0035", output="0.0014"),
        ),
        (  # a batch with a search, whose fee no batch lowers
            SONNET | {"input_tokens": 10_000, "output_tokens": 2_000},
            {"service_tier": "batch", "web_searches": 1},
            usd("0.04", input="0.015", output="0.015", search="0.01"),
        ),
        (  # above 200,000 tokens of input, all cost more: 2.5 and 15 USD a million
            {"provider": "gcp.gemini", "model": "gemini-2.5-pro", "input_tokens": 300_000, "output_tokens": 1000},
            None,
            usd("0.765", input="0.75", output="0.015"),
        ),
        (  # reasoning at 3, the rest of the output at 8 USD a million
            {"provider": "perplexity", "model": "sonar-deep-research", "input_tokens": 1000, "output_tokens": 1000}
            | {"reasoning_tokens": 600},
            None,
            usd("0.007", input="0.002", output="0.005"),
        ),
    ],
)
def test_all_that_a_call_used_has_its_own_price(
    values: dict[str, Any], details: dict[str, int | str] | None, expected: tuple[Decimal, dict[str, Decimal]]
) -> None:
    row = priced(details, **values)
    assert (row.cost_usd, parts_of(row)) == expected
    assert sum(parts_of(row).values()) == row.cost_usd


@pytest.mark.parametrize("tier", ["default", "standard", "Standard", "auto", "on_demand"])
def test_the_usual_tier_has_the_usual_price(tier: str) -> None:
    row = priced({"service_tier": tier}, input_tokens=1000, output_tokens=100)
    assert row.cost_usd == priced(input_tokens=1000, output_tokens=100).cost_usd == Decimal("0.0035")


@pytest.mark.parametrize(
    ("details", "values"),
    [
        ({"service_tier": "batch"}, {"provider": "cohere", "model": "command-r"}),
        ({"service_tier": "priority"}, SONNET),
        ({"service_tier": "scale"}, {}),
        ({"speed": "fast"}, {}),
        ({"service_tier": "batch"}, {"provider": "gcp.vertex_ai", "model": "claude-sonnet-4@20250514"}),
    ],
)
def test_a_tier_that_the_list_does_not_know_has_no_price(details: dict[str, int | str], values: dict[str, Any]) -> None:
    assert priced(None, **values, input_tokens=1000, output_tokens=100).cost_usd is not None
    assert priced(details, **values, input_tokens=1000, output_tokens=100).cost_usd is None


@pytest.mark.parametrize(
    "values",
    [
        {"input_tokens": 0, "output_tokens": 100},
        {"output_tokens": 100},
        {"input_tokens": 1000},
        {"input_tokens": 1000, "output_tokens": 100, "cache_read_tokens": 1001},
        {"operation": "embeddings", "output_tokens": 100},
    ],
)
def test_half_known_usage_has_no_price(values: dict[str, Any]) -> None:
    row = priced(None, **values)
    assert (row.cost_usd, row.cost_source, parts_of(row)) == (None, "unknown", {})


@pytest.mark.parametrize(
    "details",
    [
        {"input_audio_tokens": 500},
        {"output_audio_tokens": 51},
        {"input_audio_tokens": 60, "input_text_tokens": 60},
        {"cache_audio_read_tokens": 101},
    ],
)
def test_parts_that_are_more_than_the_whole_have_no_price(details: dict[str, int | str]) -> None:
    audio = {"provider": "openai", "model": "gpt-4o-audio-preview", "input_tokens": 100, "output_tokens": 50}
    assert priced({"input_audio_tokens": 60, "output_audio_tokens": 50}, **audio).cost_usd is not None
    assert priced(details, **audio).cost_usd is None


def test_an_answer_without_a_token_and_embeddings_have_a_price() -> None:
    assert priced(None, input_tokens=1000, output_tokens=0).cost_usd == Decimal("0.0025")
    embedded = priced(None, operation="embeddings", model="text-embedding-3-small", input_tokens=1_000_000)
    assert embedded.cost_usd == Decimal("0.02")


def test_what_is_sold_by_the_hour_is_unpriced_without_its_seconds() -> None:
    whisper = {"provider": "openai", "model": "whisper-1", "input_tokens": 10, "output_tokens": 10}
    assert priced(None, **whisper).cost_usd is None
    assert priced({"audio_seconds": 60}, **whisper).cost_usd == Decimal("0.006")
    assert priced({"audio_seconds": 60}, provider="openai", model="whisper-1").audio_cost_usd == Decimal("0.006")


def test_the_parts_of_a_clients_figure_count_if_they_fit() -> None:
    row = a_row(input_tokens=1, output_tokens=1)
    for parts, expected in (
        ({"input": "0.25", "output": "0.5"}, {"input": "0.25", "output": "0.5"}),
        ({"input": "2"}, {}),
    ):
        reported = {name: Decimal(part) for name, part in parts.items()}
        price_calls([], [CallToPrice(row, ("gpt-4o",), Decimal(1), reported)])
        assert (row.cost_usd, parts_of(row)) == usd("1", **expected)
    price_calls([], [CallToPrice(row, ("gpt-4o",))])
    assert row.cost_usd == Decimal("0.0000125")


@pytest.mark.parametrize(
    ("one_hour", "cost_usd"),
    # 1,000 tokens of input, all written to the cache, 400 of them for an hour
    [(None, "0.02"), (50, "0.032"), (0, "0.012")],
)
def test_an_override_has_a_price_for_writes_of_an_hour(tenant: Tenant, one_hour: int | None, cost_usd: str) -> None:
    from prices.overrides import overrides_of

    override(tenant, cache_write_usd_per_million=20, cache_write_1h_usd_per_million=one_hour)
    row = a_row(input_tokens=1000, output_tokens=0, cache_write_tokens=1000)
    row.usage_details = {"cache_write_1h_tokens": 400}
    price_calls(overrides_of(tenant.workspace.id), [CallToPrice(row, ("gpt-4o",))])
    assert row.cost_usd == row.cache_write_cost_usd == Decimal(cost_usd)
