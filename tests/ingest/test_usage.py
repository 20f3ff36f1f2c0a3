"""What a call used, in the spellings of clients and providers: as usage objects, and as single attributes."""

import json
from typing import Any

import pytest

from tests.ingest.test_otlp import a_span, post, request_of, stored
from tests.tenant import NOON, Tenant

pytestmark = pytest.mark.django_db(databases="__all__")

COUNTS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
NO_USAGE: dict[str, Any] = {"gen_ai.usage.input_tokens": {}, "gen_ai.usage.output_tokens": {}}


def call(tenant: Tenant, attributes: dict[str, Any], **changes: Any) -> dict[str, Any]:
    post(tenant, request_of(a_span(attributes=NO_USAGE | attributes, **changes)))
    [row] = stored(tenant)
    return row


def counts(row: dict[str, Any]) -> tuple[int | None, ...]:
    return tuple(row[name] for name in COUNTS)


def details(row: dict[str, Any]) -> dict[str, Any] | None:
    return json.loads(row["usage_details"]) if row["usage_details"] else None


# --- Usage objects: input, output, cache read, cache write, reasoning ---

OBJECTS: dict[str, tuple[dict[str, Any], tuple[int | None, ...]]] = {
    "OpenAI's chat": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "prompt_tokens_details": {"cached_tokens": 40},
            "completion_tokens_details": {"reasoning_tokens": 10},
        },
        (100, 50, 40, None, 10),
    ),
    "OpenAI's responses": (
        {
            "input_tokens": 100,
            "output_tokens": 50,
            "input_tokens_details": {"cached_tokens": 40},
            "output_tokens_details": {"reasoning_tokens": 10},
        },
        (100, 50, 40, None, 10),
    ),
    "OpenRouter's cache writes": (
        {"prompt_tokens": 100, "completion_tokens": 50, "prompt_tokens_details": {"cache_write_tokens": 80}},
        (100, 50, None, 80, None),
    ),
    "Moonshot's cache": (
        {"prompt_tokens": 100, "completion_tokens": 50, "cached_tokens": 40},
        (100, 50, 40, None, None),
    ),
    "DeepSeek's cache": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "prompt_cache_hit_tokens": 40,
            "prompt_cache_miss_tokens": 60,
        },
        (100, 50, 40, None, None),
    ),
    "xAI's reasoning, which is beside the output, as the total says": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "total_tokens": 220,
            "completion_tokens_details": {"reasoning_tokens": 70},
        },
        (100, 120, None, None, 70),
    ),
    "xAI's reasoning, where it is less than the output": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "total_tokens": 160,
            "completion_tokens_details": {"reasoning_tokens": 10},
        },
        (100, 60, None, None, 10),
    ),
    "Anthropic's": (
        {"input_tokens": 60, "output_tokens": 50, "cache_read_input_tokens": 30, "cache_creation_input_tokens": 10},
        (100, 50, 30, 10, None),
    ),
    "Anthropic's with a total that contains the cache": (
        {"input_tokens": 60, "output_tokens": 50, "cache_read_input_tokens": 40, "total_tokens": 150},
        (100, 50, 40, None, None),
    ),
    "a total that does not contain the cache": (
        {"input_tokens": 60, "output_tokens": 50, "cache_read_input_tokens": 40, "total_tokens": 110},
        (60, 50, 40, None, None),
    ),
    "a count that is smaller than its part, whatever the total": (
        {"input_tokens": 60, "output_tokens": 50, "cache_read_input_tokens": 140, "total_tokens": 110},
        (200, 50, 140, None, None),
    ),
    "Bedrock's": (
        {"inputTokens": 60, "outputTokens": 50, "cacheReadInputTokens": 30, "cacheWriteInputTokens": 10},
        (100, 50, 30, 10, None),
    ),
    "Bedrock's, in two spellings": (
        {"inputTokens": 10, "outputTokens": 50, "cacheReadInputTokens": 100, "cacheReadInputTokenCount": 100},
        (110, 50, 100, None, None),
    ),
    "LangChain's": (
        {
            "input_tokens": 100,
            "output_tokens": 50,
            "total_tokens": 150,
            "input_token_details": {"cache_read": 30, "cache_creation": 10},
            "output_token_details": {"reasoning": 20},
        },
        (100, 50, 30, 10, 20),
    ),
    "Google's": (
        {
            "promptTokenCount": 100,
            "candidatesTokenCount": 50,
            "thoughtsTokenCount": 20,
            "cachedContentTokenCount": 40,
            "totalTokenCount": 170,
        },
        (100, 70, 40, None, 20),
    ),
    "Google's in Python": (
        {"prompt_token_count": 100, "candidates_token_count": 50, "thoughts_token_count": 20},
        (100, 70, None, None, 20),
    ),
    "Google's with a tool's prompt": (
        {"promptTokenCount": 100, "toolUsePromptTokenCount": 30, "candidatesTokenCount": 50, "totalTokenCount": 180},
        (130, 50, None, None, None),
    ),
    "Langfuse's additive keys": (
        {"input": 60, "input_cached_tokens": 40, "output": 30, "output_reasoning_tokens": 20},
        (100, 50, 40, None, 20),
    ),
    "Langfuse's keys with reasoning inside the output": (
        {"input": 100, "output": 50, "output_reasoning": 20, "total": 150},
        (100, 50, None, None, 20),
    ),
    "Langfuse's keys with reasoning beside the output": (
        {"input": 100, "output": 30, "output_reasoning": 20, "total": 150},
        (100, 50, None, None, 20),
    ),
    "Vercel's": (
        {"inputTokens": 100, "outputTokens": 50, "cachedInputTokens": 40, "reasoningTokens": 10},
        (100, 50, 40, None, 10),
    ),
    "no output but a total": ({"prompt_tokens": 100, "total_tokens": 150}, (100, 50, None, None, None)),
    "no input but a total": ({"completion_tokens": 50, "total_tokens": 150}, (100, 50, None, None, None)),
    "a total of what is known": ({"prompt_tokens": 100, "total_tokens": 100}, (100, None, None, None, None)),
    "only a total": ({"total_tokens": 150}, (None, None, None, None, None)),
    "wrong types": (
        {"input_tokens": "many", "output_tokens": None, "input_token_details": [1, {"modality": None}]},
        (None, None, None, None, None),
    ),
}


@pytest.mark.parametrize(("usage", "expected"), OBJECTS.values(), ids=OBJECTS)
def test_a_usage_object_is_read_in_each_shape(
    tenant: Tenant, usage: dict[str, Any], expected: tuple[int | None, ...]
) -> None:
    assert counts(call(tenant, {"langfuse.observation.usage_details": json.dumps(usage)})) == expected


def test_a_usage_object_replaces_a_single_count_that_it_repeats_without_the_cache(tenant: Tenant) -> None:
    usage = {"anthropic": {"usage": {"input_tokens": 60, "output_tokens": 50, "cache_read_input_tokens": 40}}}
    single = {"gen_ai.usage.input_tokens": 60, "gen_ai.usage.output_tokens": 50}
    row = call(tenant, single | {"ai.response.providerMetadata": json.dumps(usage)})
    assert counts(row) == (100, 50, 40, None, None)


def test_a_single_count_that_contains_the_cache_stays(tenant: Tenant) -> None:
    usage = {"anthropic": {"usage": {"input_tokens": 60, "output_tokens": 50, "cache_read_input_tokens": 40}}}
    single = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50}
    row = call(tenant, single | {"ai.response.providerMetadata": json.dumps(usage)})
    assert counts(row) == (100, 50, 40, None, None)


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"anthropic": {"cacheCreationInputTokens": 30, "cacheReadInputTokens": 10}}, (140, 50, 10, 30, None)),
        ({"openai": {"cachedPromptTokens": 40, "reasoningTokens": 20}}, (100, 50, 40, None, 20)),
        (
            {"google": {"usageMetadata": {"thoughtsTokenCount": 20, "candidatesTokenCount": 50}}},
            (100, 70, None, None, 20),
        ),
        ({"bedrock": {"usage": {"cacheReadInputTokens": 40}}}, (140, 50, 40, None, None)),
        ({"deepseek": {"promptCacheHitTokens": 40, "promptCacheMissTokens": 60}}, (100, 50, 40, None, None)),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_vercels_provider_metadata_completes_its_counts(
    tenant: Tenant, metadata: dict[str, Any], expected: tuple[int | None, ...]
) -> None:
    single = {"ai.usage.inputTokens": 100, "ai.usage.outputTokens": 50}
    assert counts(call(tenant, single | {"ai.response.providerMetadata": json.dumps(metadata)})) == expected


# --- Single attributes ---


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        # Reasoning that is more than the output was counted beside it, unless the total says otherwise.
        ({"input": 100, "output": 20, "reasoning": 128}, (100, 148, None, None, 128)),
        ({"input": 100, "output": 20, "reasoning": 128, "total": 248}, (100, 148, None, None, 128)),
        ({"input": 100, "output": 20, "reasoning": 128, "total": 120}, (100, 20, None, None, None)),
        # Less than the output, it is inside, unless the total says otherwise.
        ({"input": 100, "output": 50, "reasoning": 20, "total": 150}, (100, 50, None, None, 20)),
        ({"input": 100, "output": 50, "reasoning": 20, "total": 170}, (100, 70, None, None, 20)),
        # A total and one side
        ({"input": 100, "total": 150}, (100, 50, None, None, None)),
        ({"output": 50, "total": 150}, (100, 50, None, None, None)),
        ({"input": 60, "read": 140, "total": 250}, (200, 50, 140, None, None)),
        ({"input": 100, "total": 100}, (100, None, None, None, None)),
        ({"total": 150}, (None, None, None, None, None)),
        # The cache
        ({"input": 60, "output": 50, "read": 40, "total": 150}, (100, 50, 40, None, None)),
        ({"input": 100, "output": 50, "read": 40, "total": 150}, (100, 50, 40, None, None)),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_total_decides_what_the_counts_contain(
    tenant: Tenant, attributes: dict[str, int], expected: tuple[int | None, ...]
) -> None:
    names = {
        "input": "gen_ai.usage.input_tokens",
        "output": "gen_ai.usage.output_tokens",
        "reasoning": "gen_ai.usage.reasoning.output_tokens",
        "read": "gen_ai.usage.cache_read.input_tokens",
        "total": "gen_ai.usage.total_tokens",
    }
    assert counts(call(tenant, {names[name]: count for name, count in attributes.items()})) == expected


def test_the_total_of_an_embedding_is_its_input(tenant: Tenant) -> None:
    row = call(tenant, {"gen_ai.operation.name": "embeddings", "llm.usage.total_tokens": 8})
    assert (row["operation"], row["input_tokens"], row["output_tokens"]) == ("embeddings", 8, None)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("gen_ai.usage.cached_input_tokens", "cache_read_tokens"),
        ("gen_ai.usage.details.cache_read_input_tokens", "cache_read_tokens"),
        ("gen_ai.usage.details.thoughts_tokens", "reasoning_tokens"),
        ("llm.usage.cache_creation_tokens", "cache_write_tokens"),
        ("ai.usage.details.reasoningTokens", "reasoning_tokens"),
    ],
)
def test_a_part_is_recognised_by_the_words_in_its_name(tenant: Tenant, name: str, column: str) -> None:
    single = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50}
    row = call(tenant, single | {name: 7})
    assert (row[column], row["input_tokens"], row["output_tokens"]) == (7, 100, 50)


def test_claude_codes_bare_names_do_not_contain_the_cache(tenant: Tenant) -> None:
    counted = {"input_tokens": 3, "output_tokens": 50, "cache_read_tokens": 1, "cache_creation_tokens": 1}
    span = a_span(attributes=NO_USAGE | counted | {"speed": "fast"}, name="claude_code.llm_request")
    tool = a_span(2, 1, name="claude_code.tool")
    tool["attributes"] = [{"key": "tool_name", "value": {"stringValue": "Bash"}}]
    post(tenant, request_of(span, tool))
    llm, bash = stored(tenant)
    assert (counts(llm), details(llm)) == ((5, 50, 1, 1, None), {"speed": "fast"})
    assert (bash["operation"], bash["name"]) == ("execute_tool", "Bash")


@pytest.mark.parametrize(
    "attributes",
    [
        {"input_tokens": 99_999, "output_tokens": 99_999, "cache_read_tokens": 9, "cache_creation_tokens": 9},
        {"model": "model-t", "speed": "42 km/h"},
        {"service_tier": "gold"},
    ],
)
def test_an_applications_own_attributes_are_no_usage(tenant: Tenant, attributes: dict[str, Any]) -> None:
    used = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50}
    post(tenant, request_of(a_span(1, attributes=used), a_span(2, attributes=used | attributes)))
    post(tenant, request_of(a_span(3, attributes=NO_USAGE), a_span(4, attributes=NO_USAGE | attributes)))
    plain, other, plain_stream, other_stream = stored(tenant)
    assert plain["cost_usd"]
    for one, two in ((plain, other), (plain_stream, other_stream)):
        assert (counts(two), details(two), two["model"], two["cost_usd"]) == (
            *(counts(one), None, one["model"], one["cost_usd"]),
        )


@pytest.mark.parametrize(("message_format", "input_tokens"), [("anthropic", 100), ("openai", 60)])
def test_mlflows_json_in_texts_is_read(tenant: Tenant, message_format: str, input_tokens: int) -> None:
    usage = {"input_tokens": 60, "output_tokens": 50, "total_tokens": 110, "cache_read_input_tokens": 40}
    attributes = {
        "mlflow.spanType": '"CHAT_MODEL"',
        "mlflow.llm.provider": '"anthropic"',
        "mlflow.llm.model": '"claude-sonnet-4-6"',
        "mlflow.message.format": f'"{message_format}"',
        "mlflow.chat.tokenUsage": json.dumps(usage),
        "user.id": '"alice"',
    }
    span = a_span(name="AsyncMessages.create")
    span["attributes"] = [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()]
    post(tenant, request_of(span))
    [row] = stored(tenant)
    assert (row["operation"], row["provider"], row["model"]) == ("chat", "anthropic", "claude-sonnet-4-6")
    assert (row["user_id"], counts(row)) == ("alice", (input_tokens, 50, 40, None, None))


def test_mlflows_model_is_found_in_the_inputs(tenant: Tenant) -> None:
    span = a_span(name="Completions")
    values = {"mlflow.spanType": '"LLM"', "mlflow.spanInputs": '{"model": "gpt-4o", "messages": []}'}
    span["attributes"] = [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]
    post(tenant, request_of(span))
    [row] = stored(tenant)
    assert (row["operation"], row["provider"], row["model"]) == ("chat", "openai", "gpt-4o")


# --- What a call used beside the five counts ---

DETAILS: dict[str, tuple[dict[str, Any], dict[str, Any] | None]] = {
    "cache writes for an hour, of Anthropic": (
        {
            "input_tokens": 10,
            "output_tokens": 50,
            "cache_creation_input_tokens": 90,
            "cache_creation": {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 60},
        },
        {"cache_write_1h_tokens": 60},
    ),
    "audio, of OpenAI": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "prompt_tokens_details": {"audio_tokens": 30, "cached_tokens_details": {"audio_tokens": 10}},
            "completion_tokens_details": {"audio_tokens": 20},
        },
        {"input_audio_tokens": 30, "cache_audio_read_tokens": 10, "output_audio_tokens": 20},
    ),
    "images, of OpenAI": (
        {
            "input_tokens": 100,
            "output_tokens": 50,
            "input_tokens_details": {"text_tokens": 70, "image_tokens": 30},
            "output_tokens_details": {"image_tokens": 40},
        },
        {"input_image_tokens": 30, "output_image_tokens": 40},
    ),
    "modalities, of Google": (
        {
            "promptTokenCount": 100,
            "candidatesTokenCount": 50,
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 50},
                {"modality": "AUDIO", "tokenCount": 30},
                {"modality": "VIDEO", "tokenCount": 20},
            ],
            "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 50}],
        },
        {"input_audio_tokens": 30, "input_video_tokens": 20, "output_image_tokens": 50},
    ),
    "audio, of LangChain": (
        {
            "input_tokens": 100,
            "output_tokens": 50,
            "input_token_details": {"audio": 30, "ephemeral_1h_input_tokens": 20, "cache_creation": 0},
            "output_token_details": {"audio": 10},
        },
        {"input_audio_tokens": 30, "cache_write_1h_tokens": 20, "output_audio_tokens": 10},
    ),
    "audio, of Langfuse": (
        {"input": 70, "input_audio_tokens": 30, "output": 30, "output_audio": 20},
        {"input_audio_tokens": 30, "output_audio_tokens": 20},
    ),
    "web searches, of Anthropic": (
        {"input_tokens": 100, "output_tokens": 50, "server_tool_use": {"web_search_requests": 3}},
        {"web_searches": 3},
    ),
    "web searches, of Perplexity": (
        {"prompt_tokens": 100, "completion_tokens": 50, "num_search_queries": 2},
        {"web_searches": 2},
    ),
    "cache writes for an hour, of Bedrock": (
        {
            **{"inputTokens": 0, "outputTokens": 50, "cacheWriteInputTokens": 100},
            "cacheDetails": [{"ttl": "1h", "inputTokens": 70}, {"ttl": "5m", "inputTokens": 30}],
        },
        {"cache_write_1h_tokens": 70},
    ),
    "a tier and a speed": (
        {"input_tokens": 100, "output_tokens": 50, "service_tier": "batch", "speed": "fast"},
        {"service_tier": "batch", "speed": "fast"},
    ),
    "nothing": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": 0},
            "service_tier": "standard",
        },
        None,
    ),
}


@pytest.mark.parametrize(("usage", "expected"), DETAILS.values(), ids=DETAILS)
def test_a_usage_object_states_more_than_the_five_counts(
    tenant: Tenant, usage: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    row = call(tenant, {"langfuse.observation.usage_details": json.dumps(usage)})
    assert (row["input_tokens"], row["output_tokens"], details(row)) == (100, 50, expected)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("anthropic.usage.cache_creation.ephemeral_1h_input_tokens", "cache_write_1h_tokens"),
        ("usage.cache_creation.ephemeral_1h_input_tokens", "cache_write_1h_tokens"),
        ("gen_ai.usage.audio.input_tokens", "input_audio_tokens"),
        ("gen_ai.usage.input_audio_tokens", "input_audio_tokens"),
        ("gen_ai.usage.image.output_tokens", "output_image_tokens"),
        ("gen_ai.usage.audio.cache_read.input_tokens", "cache_audio_read_tokens"),
        ("gen_ai.usage.details.image_prompt_tokens", "input_image_tokens"),
        ("llm.token_count.prompt_details.audio", "input_audio_tokens"),
        ("llm.token_count.completion_details.audio", "output_audio_tokens"),
        ("usage.server_tool_use.web_search_requests", "web_searches"),
        ("gen_ai.usage.server_tool_use.web_search_requests", "web_searches"),
    ],
)
def test_a_single_attribute_counts_a_part(tenant: Tenant, name: str, key: str) -> None:
    single = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50}
    row = call(tenant, single | {name: 7})
    assert (row["input_tokens"], row["output_tokens"], details(row)) == (100, 50, {key: 7})


def test_cache_writes_for_five_minutes_and_an_hour_are_all_cache_writes(tenant: Tenant) -> None:
    lifetime = "anthropic.usage.cache_creation.ephemeral_{}_input_tokens"
    single = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50}
    row = call(tenant, single | {lifetime.format("5m"): 30, lifetime.format("1h"): 60})
    assert (row["cache_write_tokens"], details(row)) == (90, {"cache_write_1h_tokens": 60})


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"anthropic.response.service_tier": "batch"}, {"service_tier": "batch"}),
        ({"openai.response.service_tier": "Flex"}, {"service_tier": "flex"}),
        ({"openai.response.service_tier": "default", "openai.request.service_tier": "priority"}, None),
        ({"openai.request.service_tier": "priority"}, {"service_tier": "priority"}),
        ({"gen_ai.openai.request.service_tier": "auto"}, None),
        ({"usage.speed": "fast"}, {"speed": "fast"}),
        ({"ai.response.providerMetadata": '{"openai": {"serviceTier": "flex"}}'}, {"service_tier": "flex"}),
    ],
)
def test_the_tier_of_the_answer_counts(
    tenant: Tenant, attributes: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    assert details(call(tenant, attributes)) == expected


# --- The usage of a turn, of the OpenAI Agents SDK for JavaScript ---


def item(number: int, parent: int | None, data: dict[str, Any], error: Any = None) -> dict[str, Any]:
    return {
        "object": "trace.span",
        "id": f"span_{number:024x}",
        "trace_id": "trace_" + "1" * 32,
        "parent_id": f"span_{parent:024x}" if parent else None,
        "started_at": NOON.isoformat(),
        "ended_at": NOON.isoformat(),
        "span_data": data,
        "error": error,
    }


TURN = {
    "type": "custom",
    "name": "turn",
    "data": {
        "sdk_span_type": "turn",
        "usage": {"input_tokens": 100, "output_tokens": 50, "cached_input_tokens": 40, "cache_write_input_tokens": 0},
    },
}
GENERATION = {"type": "generation", "model": "gpt-4o-mini"}


def calls(tenant: Tenant, *items: dict[str, Any]) -> list[tuple[int | None, ...]]:
    for each in items:
        tenant.client.post("/v1/traces/ingest", json.dumps({"data": [each]}), content_type="application/json")
    return sorted((counts(row) for row in stored(tenant) if row["operation"] == "chat"), key=str)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_turn_has_the_usage_of_its_call(tenant: Tenant, order: tuple[int, int]) -> None:
    items = [item(1, None, TURN), item(2, 1, GENERATION)]
    assert calls(tenant, *(items[number] for number in order)) == [(100, 50, 40, 0, None)]


def test_a_failed_attempt_in_the_turn_used_nothing(tenant: Tenant) -> None:
    failed = item(3, 1, GENERATION, {"message": "slow down"})
    nothing = (None,) * 5
    assert calls(tenant, item(1, None, TURN), failed, item(2, 1, GENERATION)) == [(100, 50, 40, 0, None), nothing]


def test_two_calls_in_a_turn_share_no_usage(tenant: Tenant) -> None:
    nothing = (None,) * 5
    assert calls(tenant, item(1, None, TURN), item(2, 1, GENERATION), item(3, 1, GENERATION)) == [nothing] * 2


def test_a_call_with_usage_of_its_own_keeps_it(tenant: Tenant) -> None:
    own = GENERATION | {"usage": {"input_tokens": 60, "output_tokens": 20}}
    [counted] = calls(tenant, item(1, None, TURN), item(2, 1, own))
    assert counted[:2] == (60, 20)


def test_a_stream_that_states_zeros_has_no_known_usage(tenant: Tenant) -> None:
    zeros = {"prompt_tokens": 0, "completion_tokens": 0, "prompt_tokens_details": {"cached_tokens": 0}}
    row = call(tenant, {"langfuse.observation.usage_details": json.dumps(zeros)})
    assert (counts(row), row["cost_usd"]) == ((None,) * 5, None)


def test_the_providers_raw_spelling_is_kept(tenant: Tenant) -> None:
    row = call(tenant, {"gen_ai.provider.name": "google"})
    assert (row["provider"], row["attributes"]["gen_ai.provider.name"]) == ("gcp.gemini", "google")


@pytest.mark.parametrize("tier", ["\0flex", "\ud800flex"])
def test_a_tier_that_no_database_can_hold_is_cleaned(tenant: Tenant, tier: str) -> None:
    usage = repr({"input_tokens": 100, "output_tokens": 50, "service_tier": tier})
    assert details(call(tenant, {"langfuse.observation.usage_details": usage})) == {"service_tier": "\ufffdflex"}
