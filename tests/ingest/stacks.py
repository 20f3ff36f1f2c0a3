"""The client stacks without a capture, with spans as these stacks send them.

Each run has an agent, a successful call of gpt-4o-mini (100 tokens in, 20 out), a tool call and a call that fails.
"""

import json
from dataclasses import dataclass, field, replace
from typing import Any

EXCEPTION = {"exception.type": "openai.RateLimitError", "exception.message": "slow down"}


@dataclass
class Span:
    name: str
    attributes: dict[str, Any]
    parent: int | None = None
    """The number of the parent in the run, from 1."""
    failed: bool = False
    events: list[dict[str, Any]] = field(default_factory=list)
    scope: str | None = None


@dataclass
class Stack:
    """A run, and the expected values of its two calls. None: the stack does not send the value."""

    scope: str
    run: list[Span]
    good: int
    """The number of the span of the call that succeeds."""
    bad: int
    """The number of the span of the call that fails."""
    first_token_ms: float | None = None
    cached: int | None = 40
    reasoning: int | None = 10
    agent: str = "weather-agent"
    user: str | None = "alice"
    session: str | None = "conversation-7"
    tool: str = "get_weather"
    model: str = "gpt-4o-mini"
    failed_model: str | None = "gpt-4o-mini"
    provider: str = "openai"
    cost: str = "0.000024"
    """60 plain tokens at 0.15 a million, 40 cached tokens at half that price, 20 output tokens at 0.60."""
    cost_source: str = "genai-prices"
    error_type: str | None = "openai.RateLimitError"
    error_message: str | None = "slow down"
    failed_provider: str | None = "openai"
    operation: str = "chat"


def exception(**values: Any) -> list[dict[str, Any]]:
    return [{"name": "exception", "attributes": EXCEPTION | values}]


def app(**attributes: Any) -> Span:
    """Makes a span of the application above the stack's own. Some stacks have no other place for user and session."""
    return Span("request", {"user.id": "alice", "session.id": "conversation-7"} | attributes, scope="app")


USER_AND_SESSION = {"user.id": "alice", "session.id": "conversation-7"}
AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "weather-agent"}
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_weather"}
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini"}
USED = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20}
SUMS = {"gen_ai.usage.input_tokens": 200, "gen_ai.usage.output_tokens": 40}

STACKS: dict[str, Stack] = {}

openai_v2 = CHAT | {"gen_ai.system": "openai"}
STACKS["otel-openai-v2"] = Stack(
    "opentelemetry.instrumentation.openai_v2",
    [
        Span("invoke_agent weather-agent", AGENT | {"user.id": "alice", "gen_ai.conversation.id": "conversation-7"}),
        Span("chat gpt-4o-mini", openai_v2 | USED | {"gen_ai.response.model": "gpt-4o-mini-2024-07-18"}, 1),
        Span("execute_tool get_weather", TOOL, 1, scope="app"),
        Span("chat gpt-4o-mini", openai_v2 | {"error.type": "RateLimitError"}, 1, failed=True),
    ],
    good=2,
    bad=4,
    error_message=None,
    cached=None,
    reasoning=None,
    cost="0.000027",
    error_type="RateLimitError",
)

langsmith = {
    "langsmith.metadata.lc_agent_name": "weather-agent",
    "langsmith.metadata.user_id": "alice",
    "langsmith.metadata.session_id": "conversation-7",
    "langsmith.trace.session_name": "default",
}
chain = langsmith | {"gen_ai.operation.name": "chain", "gen_ai.system": "langchain"}
usage_metadata = {
    "input_tokens": 100,
    "input_token_details": {"cache_read": 40},
    "output_token_details": {"reasoning": 10},
}
STACKS["langsmith-otel"] = Stack(
    "langsmith",
    [
        Span("weather-agent", chain),
        Span(
            "ChatOpenAI",
            langsmith
            | CHAT
            | USED
            | {"gen_ai.system": "openai", "langsmith.metadata.usage_metadata": json.dumps(usage_metadata)},
            1,
        ),
        Span("get_weather", langsmith | TOOL | {"gen_ai.system": "langchain"}, 1),
        # The status stays OK: only the event shows the failure.
        Span("ChatOpenAI", langsmith | CHAT | {"gen_ai.system": "openai"}, 1, events=exception()),
    ],
    good=2,
    bad=4,
)

langfuse = {"langfuse.observation.type": "generation"} | USER_AND_SESSION
details = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "prompt_tokens_details": {"cached_tokens": 40},
    "completion_tokens_details": {"reasoning_tokens": 10},
}
STACKS["langfuse-v3"] = Stack(
    "langfuse-sdk",
    [
        Span("weather-agent", {"langfuse.observation.type": "agent"} | USER_AND_SESSION),
        Span(
            "OpenAI-generation",
            langfuse
            | {
                "langfuse.observation.model.name": "gpt-4o-mini-2024-07-18",
                "langfuse.observation.usage_details": json.dumps(details),
            },
            1,
        ),
        Span("get_weather", {"langfuse.observation.type": "tool"} | USER_AND_SESSION, 1),
        Span(
            "OpenAI-generation",
            langfuse
            | {
                "langfuse.observation.model.name": "gpt-4o-mini",
                "langfuse.observation.level": "ERROR",
                "langfuse.observation.status_message": "slow down",
                "langfuse.observation.cost_details": '{"total": 0}',
            },
            1,
        ),
    ],
    good=2,
    bad=4,
    error_type=None,
)


def with_cost(stack: Stack, cost_details: str, cost: str) -> Stack:
    """Returns the run with a cost that the client reports for the successful call, in place of the listed price."""
    run = [*stack.run]
    good = run[stack.good - 1]
    run[stack.good - 1] = replace(
        good, attributes=good.attributes | {"langfuse.observation.cost_details": cost_details}
    )
    return replace(stack, run=run, cost=cost, cost_source="reported")


STACKS["langfuse-v3 with a cost"] = with_cost(STACKS["langfuse-v3"], '{"total": 0.00609}', "0.00609")
STACKS["langfuse-v3 with a cost in parts"] = with_cost(
    STACKS["langfuse-v3"], '{"input": 0.004, "cache_read_input_tokens": 0.0005, "output": 0.002}', "0.0065"
)

logfire_usage = {"input_tokens_details": {"cached_tokens": 40}, "output_tokens_details": {"reasoning_tokens": 10}}
responses = {
    "logfire.msg_template": "Responses API with {gen_ai.request.model!r}",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.system": "openai",
}
STACKS["openai-agents-logfire"] = Stack(
    "logfire.openai_agents",
    [
        Span(
            "OpenAI Agents trace: {name}",
            {
                "logfire.msg_template": "OpenAI Agents trace: {name}",
                "name": "support",
                "group_id": "conversation-7",
                "metadata": '{"user_id": "alice"}',
            },
        ),
        Span("Agent run: {name!r}", {"logfire.msg_template": "Agent run: {name!r}", "name": "weather-agent"}, 1),
        Span(
            responses["logfire.msg_template"],
            responses | USED | {"gen_ai.response.model": "gpt-4o-mini-2024-07-18", "usage": json.dumps(logfire_usage)},
            2,
        ),
        Span("Function: {name}", {"logfire.msg_template": "Function: {name}", "name": "get_weather"}, 2),
        Span(
            "Chat completion with {gen_ai.request.model!r}",
            responses | {"logfire.msg_template": "Chat completion with {gen_ai.request.model!r}", "usage": "null"},
            2,
            failed=True,
            events=exception(),
        ),
    ],
    good=3,
    bad=5,
)

litellm_v2 = CHAT | {
    "gen_ai.system": "openai",
    "gen_ai.provider.name": "openai",
    "gen_ai.conversation.id": "conversation-7",
}
STACKS["litellm-v2"] = Stack(
    "litellm",
    [
        Span("invoke_agent weather-agent", AGENT | {"user.id": "alice"}, scope="app"),
        Span(
            "chat gpt-4o-mini",
            litellm_v2
            | USED
            | {
                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                "gen_ai.usage.cache_read.input_tokens": 40,
                "litellm.cost.total": 0.00002399999999999999,
            },
            1,
        ),
        Span("execute_tool get_weather", TOOL, 1, scope="app"),
        Span(
            "chat gpt-4o-mini",
            litellm_v2 | {"error.type": "RateLimitError", "error.message": "slow down", "litellm.cost.total": 0.0},
            1,
            failed=True,
        ),
    ],
    good=2,
    bad=4,
    reasoning=None,
    cost_source="reported",
    error_type="RateLimitError",
)

openinference = USER_AND_SESSION | {
    "openinference.span.kind": "LLM",
    "llm.provider": "openai",
    "llm.model_name": "gpt-4o-mini",
}
token_counts = {
    "llm.token_count.prompt": 100,
    "llm.token_count.completion": 20,
    "llm.token_count.prompt_details.cache_read": 40,
    "llm.token_count.completion_details.reasoning": 10,
}
STACKS["llama-index"] = Stack(
    "openinference.instrumentation.llama_index",
    [
        Span("FunctionAgent.run", USER_AND_SESSION | {"openinference.span.kind": "CHAIN"}),
        Span("OpenAI._prepare_chat_with_tools", USER_AND_SESSION | {"openinference.span.kind": "LLM"}, 1),
        Span("OpenAI.achat", openinference | token_counts, 1),
        Span("get_weather", USER_AND_SESSION | {"openinference.span.kind": "TOOL", "tool.name": "get_weather"}, 1),
        Span("OpenAI.achat", openinference, 1, failed=True, events=exception()),
        # Its retry wrapper records the same call once more.
        Span("OpenAI.achat", openinference, 5, failed=True, events=exception()),
    ],
    good=3,
    bad=5,
    agent="support-desk",  # no span names the agent: the service stands in for it
)

STACKS["smolagents"] = Stack(
    "openinference.instrumentation.smolagents",
    [
        Span(
            "weather-agent.run",
            USER_AND_SESSION
            | {"openinference.span.kind": "AGENT", "llm.token_count.prompt": 200, "llm.token_count.completion": 40},
        ),
        Span("Step 1", USER_AND_SESSION | {"openinference.span.kind": "CHAIN"}, 1),
        Span(
            "OpenAIModel.generate",
            openinference | {"llm.token_count.prompt": 100, "llm.token_count.completion": 20},
            2,
        ),
        Span("SimpleTool", USER_AND_SESSION | {"openinference.span.kind": "TOOL", "tool.name": "get_weather"}, 2),
        Span(
            "OpenAIModel.generate",
            USER_AND_SESSION | {"openinference.span.kind": "LLM"},
            2,
            failed=True,
            events=exception(),
        ),
    ],
    good=3,
    bad=5,
    failed_provider=None,
    cached=None,
    reasoning=None,
    cost="0.000027",
    failed_model=None,
)

STACKS["crewai"] = Stack(
    "openinference.instrumentation.crewai",
    [
        Span("Crew.kickoff", USER_AND_SESSION | {"openinference.span.kind": "CHAIN"}),
        Span(
            "weather-agent._execute_core",
            USER_AND_SESSION | {"openinference.span.kind": "AGENT", "graph.node.id": "weather-agent._execute_core"},
            1,
        ),
        Span(
            "ChatCompletion",
            USER_AND_SESSION
            | token_counts
            | {
                "openinference.span.kind": "LLM",
                "llm.system": "openai",
                "llm.model_name": "gpt-4o-mini-2024-07-18",
                "llm.invocation_parameters": '{"model": "gpt-4o-mini"}',
            },
            2,
            scope="openinference.instrumentation.openai",
        ),
        Span("get_weather", USER_AND_SESSION | {"openinference.span.kind": "TOOL", "tool.name": "get_weather"}, 2),
        Span(
            "ChatCompletion",
            USER_AND_SESSION
            | {
                "openinference.span.kind": "LLM",
                "llm.system": "openai",
                "llm.invocation_parameters": '{"model": "gpt-4o-mini"}',
            },
            2,
            failed=True,
            events=exception(),
            scope="openinference.instrumentation.openai",
        ),
    ],
    good=3,
    bad=5,
)

adk = {"gen_ai.agent.name": "weather-agent", "gen_ai.conversation.id": "conversation-7"}
gemini = adk | {
    "gen_ai.operation.name": "generate_content",
    "gen_ai.provider.name": "gcp.gemini",
    "gen_ai.request.model": "gemini-2.5-flash",
}
STACKS["google-adk"] = Stack(
    "gcp.vertex.agent",
    [
        Span(
            "invoke_workflow weather-agent",
            {
                "gen_ai.operation.name": "invoke_workflow",
                "gen_ai.workflow.name": "weather-agent",
                "gen_ai.conversation.id": "conversation-7",
            },
        ),
        Span("invoke_agent weather-agent", adk | {"gen_ai.operation.name": "invoke_agent"}, 1),
        Span(
            "generate_content gemini-2.5-flash",
            gemini
            | {
                "gen_ai.usage.input_tokens": 100,
                "gen_ai.usage.output_tokens": 20,
                "gen_ai.usage.cache_read.input_tokens": 40,
                "gen_ai.usage.reasoning.output_tokens": 10,
            },
            2,
        ),
        Span("execute_tool get_weather", adk | TOOL, 2),
        Span("generate_content gemini-2.5-flash", gemini, 2, failed=True, events=exception()),
    ],
    good=3,
    bad=5,
    failed_provider="gcp.gemini",
    user=None,  # ADK exports none
    model="gemini-2.5-flash",
    failed_model="gemini-2.5-flash",
    provider="gcp.gemini",
    cost="0.0000692",  # 60 tokens at 0.30 a million, 40 cached at 0.03, 20 output tokens at 2.50
    operation="generate_content",
)

strands = USER_AND_SESSION | {"gen_ai.system": "strands-agents"}
STACKS["strands"] = Stack(
    "strands.telemetry.tracer",
    [
        Span("invoke_agent weather-agent", strands | AGENT | SUMS | {"gen_ai.request.model": "gpt-4o-mini"}),
        Span("execute_event_loop_cycle", strands | {"gen_ai.operation.name": "execute_event_loop_cycle"}, 1),
        Span(
            "chat",
            strands
            | CHAT
            | USED
            | {
                "gen_ai.usage.prompt_tokens": 100,
                "gen_ai.usage.completion_tokens": 20,
                "gen_ai.usage.cache_read.input_tokens": 40,
                "gen_ai.usage.cache_read_input_tokens": 40,
                "gen_ai.server.time_to_first_token": 980,
            },
            2,
        ),
        Span("execute_tool get_weather", strands | TOOL | {"gen_ai.tool.status": "success"}, 2),
        Span("chat", strands | CHAT, 2, failed=True, events=exception()),
    ],
    good=3,
    bad=5,
    first_token_ms=980,
    reasoning=None,
)

semantic_kernel = CHAT | {"gen_ai.system": "openai"}
STACKS["semantic-kernel"] = Stack(
    "semantic_kernel.utils.telemetry.model_diagnostics.decorators",
    [
        app(),
        Span("invoke_agent weather-agent", AGENT | {"gen_ai.agent.id": "8c4c5f3c-2f97-436a-817b-e5dd43c4294b"}, 1),
        Span("AutoFunctionInvocationLoop", {}, 2),
        Span("chat gpt-4o-mini", semantic_kernel | USED, 3),
        Span("execute_tool Weather-get_weather", TOOL | {"gen_ai.tool.name": "Weather-get_weather"}, 3),
        Span(
            "chat gpt-4o-mini",
            semantic_kernel | {"error.type": "<class 'openai.RateLimitError'>"},
            3,
            failed=True,
        ),
    ],
    good=4,
    bad=6,
    error_message=None,
    cached=None,
    reasoning=None,
    cost="0.000027",
    tool="Weather-get_weather",
)

telemetry = {
    "ai.telemetry.functionId": "weather-agent",
    "ai.telemetry.metadata.userId": "alice",
    "ai.telemetry.metadata.sessionId": "conversation-7",
    "ai.model.id": "gpt-4o-mini",
    "ai.model.provider": "openai.chat",
}
generating = telemetry | {
    "ai.operationId": "ai.generateText.doGenerate",
    "gen_ai.system": "openai.chat",
    "gen_ai.request.model": "gpt-4o-mini",
}
STACKS["vercel-ai"] = Stack(
    "ai",
    [
        Span(
            "ai.generateText",
            telemetry | {"ai.operationId": "ai.generateText", "ai.usage.inputTokens": 200, "ai.usage.outputTokens": 40},
        ),
        Span(
            "ai.generateText.doGenerate",
            generating
            | USED
            | {
                "ai.response.model": "gpt-4o-mini-2024-07-18",
                "ai.usage.inputTokens": 100,
                "ai.usage.outputTokens": 20,
                "ai.usage.cachedInputTokens": 40,
                "ai.usage.reasoningTokens": 10,
            },
            1,
        ),
        Span("ai.toolCall", {"ai.operationId": "ai.toolCall", "ai.toolCall.name": "get_weather"}, 1),
        Span("ai.generateText.doGenerate", generating, 1, failed=True, events=exception()),
    ],
    good=2,
    bad=4,
)
