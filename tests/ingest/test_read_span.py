"""Every name of every client, one by one: a span with only this name has the field, and the first name wins."""

from typing import Any

import pytest

from ingest import client_rules, fields
from ingest.attributes import Attributes
from ingest.fields import Field
from ingest.read_span import kind_of, read_span
from ingest.span_facts import SpanFacts
from ingest.spans import Event, Span


def a_span(attributes: dict[str, Any], **values: Any) -> Span:
    defaults: dict[str, Any] = {
        "trace_id": "t",
        "span_id": "s",
        "parent_span_id": None,
        "name": "span",
        "start_ns": 10**18,
        "end_ns": 10**18 + 10**9,
        "status": 0,
        "status_message": "",
        "attributes": attributes,
    }
    return Span(**(defaults | values))


def facts_of(attributes: dict[str, Any], **values: Any) -> SpanFacts:
    span = a_span(attributes, **values)
    return read_span(span, Attributes(span.attributes, span.name))


def a_call(attributes: dict[str, Any], **values: Any) -> SpanFacts:
    return facts_of({"openinference.span.kind": "LLM"} | attributes, **values)


def kind(attributes: dict[str, Any], **values: Any) -> str:
    return kind_of(a_span(attributes, **values), Attributes(attributes))


def attribute(place: client_rules.Place, value: Any) -> dict[str, Any]:
    """Returns the attribute of the place, with the value inside it at the place's path."""
    name, path = place
    for key in reversed(path):
        value = {key: value}
    return {name: value}


# --- The kind ---

KINDS: list[tuple[str, dict[str, Any]]] = [
    ("llm", {"openinference.span.kind": "LLM"}),
    ("embedding", {"openinference.span.kind": "EMBEDDING"}),
    ("tool", {"openinference.span.kind": "TOOL", "tool.name": "t"}),
    ("agent", {"openinference.span.kind": "AGENT"}),
    *(
        ("chain", {"openinference.span.kind": kind})
        for kind in ("CHAIN", "RETRIEVER", "RERANKER", "GUARDRAIL", "EVALUATOR")
    ),
    ("llm", {"langfuse.observation.type": "generation"}),
    ("embedding", {"langfuse.observation.type": "embedding"}),
    ("agent", {"langfuse.observation.type": "agent"}),
    ("tool", {"langfuse.observation.type": "tool"}),
    ("chain", {"langfuse.observation.type": "span"}),
    ("workflow", {"traceloop.span.kind": "workflow"}),
    ("agent", {"traceloop.span.kind": "agent"}),
    ("tool", {"traceloop.span.kind": "tool"}),
    ("chain", {"traceloop.span.kind": "task"}),
    *(
        ("llm", {"gen_ai.operation.name": name})
        for name in ("chat", "text_completion", "generate_content", "completion")
    ),
    ("usage_log", {"gen_ai.operation.name": "chat", "logfire.span_type": "log"}),
    *(("embedding", {"gen_ai.operation.name": name}) for name in ("embeddings", "embedding")),
    ("tool", {"gen_ai.operation.name": "execute_tool"}),
    *(("agent", {"gen_ai.operation.name": name}) for name in ("invoke_agent", "create_agent")),
    ("workflow", {"gen_ai.operation.name": "invoke_workflow"}),
    *(
        ("chain", {"gen_ai.operation.name": name})
        for name in ("retrieval", "plan", "fetch_response", "search_memory", "execute_event_loop_cycle", "agent_step")
    ),
    ("llm", {"ai.operationId": "ai.generateText.doGenerate"}),
    ("llm", {"ai.operationId": "ai.streamText.doStream"}),
    ("embedding", {"ai.operationId": "ai.embed.doEmbed"}),
    ("tool", {"ai.operationId": "ai.toolCall"}),
    ("agent", {"ai.operationId": "ai.generateObject"}),
    ("agent", {"ai.operationId": "ai.streamText"}),
    ("chain", {"ai.operationId": "ai.embed"}),
    ("llm", {"gen_ai.request.model": "gpt-4o", "gen_ai.system": "openai"}),
    ("llm", {"gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai"}),
    ("other", {"gen_ai.request.model": "gpt-4o"}),
    # The earlier rule wins.
    ("agent", {"openinference.span.kind": "AGENT", "gen_ai.operation.name": "chat"}),
    ("tool", {"traceloop.span.kind": "tool", "gen_ai.operation.name": "chat"}),
    ("chain", {"gen_ai.operation.name": "plan", "ai.operationId": "ai.generateText.doGenerate"}),
]


@pytest.mark.parametrize(("expected", "attributes"), KINDS)
def test_attributes_decide_the_kind(expected: str, attributes: dict[str, Any]) -> None:
    assert kind(attributes) == expected


@pytest.mark.parametrize(
    ("expected", "operations"),
    [
        ("llm", ("chat_with_tools", "explanation", "generate_step", "completion_task", "chain_chat", "planets", "ask")),
        ("llm", ("chatWithTools", "LLMTask")),
        ("chain", ("plan", "rerank", "search_memory", "agent_step", "run.workflow", "execute-tools", "evaluation")),
        ("chain", ("fetch_response", "executeTask", "AGENT_RUN")),
    ],
)
def test_the_words_of_an_unknown_operation_decide_whether_it_repeats_calls(
    expected: str, operations: tuple[str, ...]
) -> None:
    used = {"gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 100}
    kinds = {operation: kind(used | {"gen_ai.operation.name": operation}) for operation in operations}
    assert kinds == dict.fromkeys(operations, expected)


@pytest.mark.parametrize(
    ("expected", "name"),
    [
        ("llm", "chat gpt-4o"),
        ("llm", "text_completion gpt-4o"),
        ("llm", "generate_content gemini"),
        ("embedding", "embeddings ada"),
        ("tool", "execute_tool weather"),
        ("agent", "invoke_agent support"),
        ("other", "chat"),
        ("other", "a chat gpt-4o"),
    ],
)
def test_the_name_decides_the_kind(expected: str, name: str) -> None:
    assert kind({}, name=name) == expected


@pytest.mark.parametrize(
    ("expected", "scope", "attributes"),
    [
        ("raw", "litellm", {"llm.openai.usage": "{}"}),
        ("other", "elsewhere", {"llm.openai.usage": "{}"}),
        ("agent", "logfire.openai_agents", {"logfire.msg_template": "Agent run: {name!r}"}),
        ("tool", "logfire.openai_agents", {"logfire.msg_template": "Function: {name}"}),
        ("llm", "logfire.openai_agents", {"logfire.msg_template": "Chat completion with {gen_ai.request.model!r}"}),
        ("llm", "logfire.openai_agents", {"logfire.msg_template": "Responses API with {gen_ai.request.model!r}"}),
        ("chain", "logfire.openai_agents", {"logfire.msg_template": "OpenAI Agents trace: {name}"}),
    ],
)
def test_the_scope_decides_the_kind(expected: str, scope: str, attributes: dict[str, Any]) -> None:
    assert kind(attributes, scope=scope) == expected


def test_a_handoff_is_not_a_tool_call() -> None:
    assert kind({"openinference.span.kind": "TOOL"}, name="handoff to refunds") == "handoff"


def test_the_preparation_of_a_call_is_not_a_call() -> None:
    assert kind({"openinference.span.kind": "LLM"}, name="OpenAI._prepare_chat_with_tools") == "other"


# --- The fields ---

CALL_FIELDS: dict[str, tuple[Field, Any]] = {
    "requested_model": (fields.REQUESTED_MODEL, "gpt-4o"),
    "used_model": (fields.USED_MODEL, "gpt-4o"),
    "output_tokens": (fields.OUTPUT_TOKENS, 20),
    "input_tokens": (fields.INPUT_TOKENS, 100),
    "response_id": (fields.RESPONSE_ID, "resp_1"),
    "reported_cost_usd": (fields.REPORTED_COST_USD, "0.5"),
    "user": (fields.USER, "alice"),
    "session": (fields.SESSION, "conversation-7"),
    "agent": (fields.AGENT, "support"),
    "workflow": (fields.WORKFLOW, "planning"),
    "provider": (fields.PROVIDER, "openai"),
}
TOKEN_FIELDS = {
    "cache_read_tokens": fields.CACHE_READ_TOKENS,
    "cache_write_tokens": fields.CACHE_WRITE_TOKENS,
    "reasoning_tokens": fields.REASONING_TOKENS,
}


def spelled(place: client_rules.Place) -> str:
    """Returns the place as clients' files write it, as the name of a test."""
    return ">".join((place[0], *place[1]))


def each_place(read: dict[str, Field]) -> Any:
    places = [(fact, place) for fact, field in read.items() for place in client_rules.PLACES[field]]
    return pytest.mark.parametrize(
        ("fact", "place"), places, ids=[f"{fact}-{spelled(place)}" for fact, place in places]
    )


@each_place({fact: field for fact, (field, _) in CALL_FIELDS.items()})
def test_each_name_of_a_field_is_read(fact: str, place: client_rules.Place) -> None:
    value = CALL_FIELDS[fact][1]
    assert getattr(a_call(attribute(place, value)), fact) == value


@each_place(TOKEN_FIELDS)
def test_each_name_of_a_kind_of_tokens_is_read(fact: str, place: client_rules.Place) -> None:
    usage = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50}
    facts = a_call(usage | attribute(place, 7))
    assert (getattr(facts, fact), facts.input_tokens, facts.output_tokens) == (7, 100, 50)


@pytest.mark.parametrize("place", client_rules.PLACES[fields.SERVICE_TIER], ids=spelled)
def test_each_name_of_the_service_tier_is_read(place: client_rules.Place) -> None:
    assert a_call(attribute(place, "flex")).usage_details == {"service_tier": "flex"}
    assert a_call(attribute(place, "default")).usage_details is None


@pytest.mark.parametrize("fact", CALL_FIELDS)
def test_the_first_name_wins(fact: str) -> None:
    field, value = CALL_FIELDS[fact]
    plain = [name for name, path in client_rules.PLACES[field] if not path]
    other = value + 1 if isinstance(value, int) else "1.5" if fact == "reported_cost_usd" else f"{value}-other"
    attributes = dict.fromkeys(plain[1:], other) | {plain[0]: value}
    assert getattr(a_call(attributes), fact) == value


@pytest.mark.parametrize("empty", [None, "", "[Scrubbed due to 'session']"])
def test_after_an_empty_or_hidden_value_the_next_name_is_read(empty: Any) -> None:
    assert a_call({"session.id": empty, "gen_ai.conversation.id": "conversation-7"}).session == "conversation-7"


def test_json_in_a_text_is_read_like_an_object() -> None:
    assert a_call({"metadata": '{"user_id": "alice"}'}).user == "alice"
    assert a_call({"metadata": "{'user_id': 'alice'}"}).user == "alice"


@pytest.mark.parametrize(
    ("value", "provider"),
    [
        ("openai.chat", "openai"),
        ("openai.responses", "openai"),
        ("anthropic.messages", "anthropic"),
        ("openai.embedding", "openai"),
        ("az.ai.openai", "azure.ai.openai"),
        ("azure-openai.chat", "azure.ai.openai"),
        ("Gemini", "gcp.gemini"),
        ("google.generative-ai", "gcp.gemini"),
        ("vertex_ai", "gcp.vertex_ai"),
        ("amazon-bedrock", "aws.bedrock"),
        ("xai", "x_ai"),
        ("mistralai", "mistral_ai"),
        ("my-gateway", "my-gateway"),
        ("litellm", "openai"),
        ("strands-agents", "openai"),
        ("langchain", "openai"),
        ("microsoft.agent_framework", "openai"),
        ("gcp.vertex.agent", "openai"),
        ("crewai", "openai"),
    ],
)
def test_providers_are_normalised_and_frameworks_are_not_providers(value: str, provider: str) -> None:
    assert a_call({"gen_ai.system": value, "gen_ai.request.model": "gpt-4o"}).provider == provider


@pytest.mark.parametrize(
    ("model", "provider"),
    [("claude-sonnet-4-5", "anthropic"), ("gemini-2.5-flash", "gcp.gemini"), ("o4-mini", "openai"), ("acme-7b", None)],
)
def test_without_a_provider_it_is_read_from_the_models_name(model: str, provider: str | None) -> None:
    assert a_call({"gen_ai.request.model": model}).provider == provider


def test_counts_that_do_not_overlap_are_summed() -> None:
    details = '{"input": 60, "cache_read_input_tokens": 30, "input_cache_creation": 10, "output": 20}'
    facts = facts_of({"langfuse.observation.type": "generation", "langfuse.observation.usage_details": details})
    assert (facts.input_tokens, facts.output_tokens, facts.cache_read_tokens) == (100, 20, 30)


def test_exclusive_counts_become_inclusive() -> None:
    usage = {"gen_ai.usage.input_tokens": 60, "gen_ai.usage.cache_read.input_tokens": 40}
    assert a_call(usage, scope="openlit.instrumentation.anthropic").input_tokens == 100
    assert a_call(usage).input_tokens == 60
    # A count that contains the cached tokens cannot be smaller than they are.
    assert a_call(usage | {"gen_ai.usage.cache_read.input_tokens": 90}).input_tokens == 150


def test_a_free_call_with_tokens_has_no_known_cost() -> None:
    assert a_call({"gen_ai.usage.cost": 0, "gen_ai.usage.input_tokens": 5}).reported_cost_usd is None


@pytest.mark.parametrize(
    ("name", "attributes", "agent"),
    [
        ("run", {"traceloop.entity.name": "support"}, "support"),
        ("run", {"graph.node.id": "support._execute_core"}, "support"),
        ("run", {"langsmith.metadata.lc_agent_name": "support"}, "support"),
        ("run", {"metadata": {"lc_agent_name": "support"}}, "support"),
        ("run", {"ai.telemetry.functionId": "support"}, "support"),
        ("invoke_agent support", {}, "support"),
        ("agent support", {}, "support"),
        ("support.run", {}, "support"),
        ("support.agent", {}, "support"),
        ("support._execute_core", {}, "support"),
        ("run", {"gen_ai.agent.name": "support.agent"}, "support.agent"),
    ],
)
def test_agent_runs_name_their_agent(name: str, attributes: dict[str, Any], agent: str) -> None:
    assert facts_of({"openinference.span.kind": "AGENT"} | attributes, name=name).agent == agent


@pytest.mark.parametrize(
    ("name", "attributes", "tool"),
    [
        ("run", {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather"}, "weather"),
        ("execute_tool weather", {}, "weather"),
        ("run", {"openinference.span.kind": "TOOL", "tool.name": "weather"}, "weather"),
        ("run", {"ai.operationId": "ai.toolCall", "ai.toolCall.name": "weather"}, "weather"),
        ("run", {"traceloop.span.kind": "tool", "traceloop.entity.name": "weather"}, "weather"),
        ("run", {"openinference.span.kind": "TOOL", "name": "weather"}, "weather"),
        ("weather", {"langfuse.observation.type": "tool"}, "weather"),
    ],
)
def test_tool_calls_name_their_tool(name: str, attributes: dict[str, Any], tool: str) -> None:
    assert facts_of(attributes, name=name).name == tool


def test_a_tool_named_on_a_chat_is_not_the_name_of_the_chat() -> None:
    facts = facts_of({"gen_ai.operation.name": "chat", "gen_ai.tool.name": "weather"}, name="chat gpt-4o")
    assert facts.name == "chat gpt-4o"


# --- Failures ---


def exception(**attributes: str) -> list[Event]:
    return [Event("exception", 0, {f"exception.{name}": value for name, value in attributes.items()})]


@pytest.mark.parametrize(
    ("status", "values"),
    [
        ("success", {}),
        ("error", {"status": 2}),
        ("error", {"attributes": {"langfuse.observation.level": "ERROR"}}),
        ("error", {"events": exception(type="ValueError")}),
        ("success", {"events": exception(type="ValueError"), "attributes": {"gen_ai.usage.output_tokens": 5}}),
        ("timeout", {"status": 2, "status_message": "Request timed out."}),
        ("timeout", {"status": 2, "status_message": "504 Deadline Exceeded"}),
        *(
            (status, {"status": 2, "status_message": message, "attributes": {"error.type": error_type}})
            for status, error_type, message in (
                ("timeout", "invalid_request_error", "The request's timeout elapsed"),
                ("timeout", "BadRequestError", "Error code: 400 - the deadline has expired"),
                ("timeout", "Failure", "no answer before the timeout"),
                ("error", "BadRequestError", "timeout exceeded the maximum of 600"),
                ("error", "BadRequestError", "timeout out of range"),
                ("error", "Failure", "invalid value for timeout"),
                ("error", "Failure", "wrong type of request_timeout"),
            )
        ),
        ("timeout", {"status": 2, "attributes": {"error.type": "openai.APITimeoutError"}}),
        ("timeout", {"status": 2, "events": exception(type="httpx.ReadTimeout"), "attributes": {"error.type": "X"}}),
        ("error", {"status": 2, "status_message": "refused\nTraceback: client(timeout=5)"}),
        ("error", {"status": 2, "status_message": "Traceback: client(timeout=5)"}),
        ("error", {"status": 2, "status_message": "x" * 300 + " timed out"}),
    ],
)
def test_failures_set_the_status(status: str, values: dict[str, Any]) -> None:
    assert a_call(**({"attributes": {}} | values)).status == status


@pytest.mark.parametrize(
    ("error_type", "attributes", "events"),
    [
        ("openai.RateLimitError", {"error.type": "<class 'openai.RateLimitError'>"}, []),
        ("RateLimitError", {"error.type": "RateLimitError"}, exception(type="Other")),
        ("RateLimitError", {"error.type": "_OTHER"}, exception(type="RateLimitError")),
        ("RateLimitError", {}, exception(type="RateLimitError")),
        ("429", {"http.response.status_code": 429}, []),
        ("429", {"error.code": "429"}, []),
        (None, {}, []),
    ],
)
def test_the_error_type_is_read_in_order(
    error_type: str | None, attributes: dict[str, Any], events: list[Event]
) -> None:
    assert a_call(attributes, status=2, events=events).error_type == error_type


@pytest.mark.parametrize(
    ("message", "values"),
    [
        ("first", {"status_message": "first", "events": exception(message="second")}),
        ("second", {"events": exception(message="second"), "attributes": {"error.message": "third"}}),
        ("third", {"attributes": {"error.message": "third", "langfuse.observation.status_message": "fourth"}}),
        ("fourth", {"attributes": {"langfuse.observation.status_message": "fourth"}}),
        ("refused", {"status_message": "refused\nTraceback (most recent call last): ..."}),
    ],
)
def test_the_error_message_is_read_in_order(message: str, values: dict[str, Any]) -> None:
    assert a_call(**({"attributes": {}, "status": 2} | values)).error_message == message


# --- The first token ---


@pytest.mark.parametrize(
    ("attributes", "values"),
    [
        ({"gen_ai.response.time_to_first_chunk": 0.5}, {}),
        ({"gen_ai.client.operation.time_to_first_chunk": 0.5}, {}),
        ({"ai.response.msToFirstChunk": 500}, {}),
        ({"gen_ai.server.time_to_first_token": 500, "gen_ai.system": "strands-agents"}, {}),
        ({"gen_ai.server.time_to_first_token": 0.5}, {}),
        ({}, {"events": [Event("First Token Stream Event", 10**18 + 5 * 10**8, {})]}),
        ({}, {"events": [Event("ai.stream.firstChunk", 10**18 + 5 * 10**8, {})]}),
        ({"langfuse.observation.completion_start_time": '"2001-09-09T01:46:40.500Z"'}, {}),
    ],
)
def test_the_time_to_the_first_token_is_read_from_each_source(
    attributes: dict[str, Any], values: dict[str, Any]
) -> None:
    assert a_call(attributes, **values).time_to_first_token_ms == pytest.approx(500)


def test_the_first_id_in_the_output_is_the_response_id() -> None:
    assert a_call({"output.value": '{"id": "msg_1", "content": [{"id": "toolu_2"}]}'}).response_id == "msg_1"
