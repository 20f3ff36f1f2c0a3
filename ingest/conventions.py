"""Attribute names of every SDK in priority order: the first that holds something wins.

`attribute>key>key` reads inside an attribute whose value is JSON (or the repr of a Python dict).
"""

import re
from collections import defaultdict

Path = tuple[str, ...]


class Names:
    """The names of one field. Compared by identity, so that it can be a key."""

    __slots__ = ("entries",)

    def __init__(self, entries: tuple[tuple[str, Path], ...]) -> None:
        self.entries = entries


def names(*entries: str) -> Names:
    """The attribute of each entry, and the path inside it."""
    return Names(tuple((attribute, tuple(path)) for attribute, *path in (entry.split(">") for entry in entries)))


# --- What kind of span it is. Tables are tried from the top. ---

OPENINFERENCE_KINDS = {
    "LLM": "llm",
    "EMBEDDING": "embedding",
    "TOOL": "tool",
    "AGENT": "agent",
    "CHAIN": "chain",
    "RETRIEVER": "chain",
    "RERANKER": "chain",
    "GUARDRAIL": "chain",
    "EVALUATOR": "chain",
}
LANGFUSE_KINDS = {"generation": "llm", "embedding": "embedding", "tool": "tool", "agent": "agent"}
TRACELOOP_KINDS = {"workflow": "workflow", "agent": "agent", "tool": "tool", "task": "chain"}
OPERATION_KINDS = {
    "chat": "llm",
    "text_completion": "llm",
    "generate_content": "llm",
    "completion": "llm",
    "embeddings": "embedding",
    "embedding": "embedding",
    "execute_tool": "tool",
    "invoke_agent": "agent",
    "create_agent": "agent",
    "invoke_workflow": "workflow",
}
VERCEL_KINDS = (
    (re.compile(r"\.do(Generate|Stream)$"), "llm"),
    (re.compile(r"\.doEmbed$"), "embedding"),
    (re.compile(r"^ai\.toolCall$"), "tool"),
    (re.compile(r"^ai\.(generate|stream)"), "agent"),
)
LOGFIRE_AGENTS_SCOPE = "logfire.openai_agents"
LOGFIRE_AGENTS_KINDS = (
    ("Agent run", "agent"),
    ("Function", "tool"),
    ("Chat completion", "llm"),
    ("Responses API", "llm"),
)
NAMED_KINDS = re.compile(r"^(chat|text_completion|generate_content|embeddings|execute_tool|invoke_agent) .", re.DOTALL)
LITELLM_SCOPE = "litellm"
LITELLM_RAW_USAGE = re.compile(r"^llm\.(\w+)\.usage$")
ANTHROPIC_SDK_SCOPE = "com.anthropic.sdk.python"
SCOPES_APART = frozenset({LITELLM_SCOPE, ANTHROPIC_SDK_SCOPE})
EXCLUSIVE_SCOPE = "openlit.instrumentation.anthropic"
"""Its input tokens leave the cached ones out."""
CALL_NAMES = frozenset({"chat", "text_completion", "generate_content"})

ROW_OPERATIONS = {
    "embedding": "embeddings",
    "tool": "execute_tool",
    "agent": "invoke_agent",
    "workflow": "invoke_workflow",
}
"""Of calls to a model: the operation the span names, or chat."""

# --- Fields ---

PROVIDER = names(
    "gen_ai.provider.name",
    "gen_ai.system",
    "llm.provider",
    "llm.system",
    "ai.model.provider",
)
REQUESTED_MODEL = names(
    "gen_ai.request.model",
    "llm.request.model_name",
    "ai.model.id",
    "llm.invocation_parameters>model",
    "request_data>model",
    "embedding.model_name",
)
USED_MODEL = names(
    "gen_ai.response.model",
    "llm.response.model_name",
    "ai.response.model",
    "langfuse.observation.model.name",
    "llm.model_name",
)
INPUT_TOKENS = names(
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "llm.token_count.prompt",
    "ai.usage.inputTokens",
    "ai.usage.promptTokens",
    "ai.usage.tokens",
    "llm.usage.prompt_tokens",
    "langfuse.observation.usage_details>prompt_tokens",
)
OUTPUT_TOKENS = names(
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.token_count.completion",
    "ai.usage.outputTokens",
    "ai.usage.completionTokens",
    "llm.usage.completion_tokens",
    "langfuse.observation.usage_details>completion_tokens",
    "langfuse.observation.usage_details>output",
    "langfuse.observation.usage_details>output_tokens",
)
USAGE_OBJECTS = (
    "gen_ai.usage.raw",
    "usage",
    "langfuse.observation.usage_details",
    "langsmith.metadata.usage_metadata",
    "metadata.usage_object",
)


def in_usage_objects(*paths: str) -> tuple[str, ...]:
    return tuple(f"{attribute}>{path}" for attribute in USAGE_OBJECTS for path in paths)


CACHE_READ_PATHS = (
    "cache_read_input_tokens",
    "prompt_tokens_details>cached_tokens",
    "input_tokens_details>cached_tokens",
    "input_token_details>cache_read",
)
CACHE_WRITE_PATHS = ("cache_creation_input_tokens", "input_token_details>cache_creation")
REASONING_PATHS = (
    "completion_tokens_details>reasoning_tokens",
    "output_tokens_details>reasoning_tokens",
    "output_token_details>reasoning",
)
RAW_INPUT_TOKENS = names("usage>prompt_tokens", "usage>input_tokens")
RAW_OUTPUT_TOKENS = names("usage>completion_tokens", "usage>output_tokens")
"""Of LiteLLM's raw spans, whose `llm.<provider>.usage` is read as `usage`."""
CACHE_READ_TOKENS = names(
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.input_tokens.cached",
    "gen_ai.usage.details.cache_read_tokens",
    "gen_ai.usage.details.cached_tokens",
    "llm.token_count.prompt_details.cache_read",
    "llm.token_count.prompt_details.cache_input",
    "ai.usage.cachedInputTokens",
    "ai.usage.inputTokenDetails.cacheReadTokens",
    *in_usage_objects(*CACHE_READ_PATHS),
)
CACHE_WRITE_TOKENS = names(
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
    "gen_ai.usage.cache_write_input_tokens",
    "gen_ai.usage.details.cache_write_tokens",
    "llm.token_count.prompt_details.cache_write",
    "ai.usage.inputTokenDetails.cacheWriteTokens",
    *in_usage_objects(*CACHE_WRITE_PATHS),
)
REASONING_TOKENS = names(
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.reasoning_tokens",
    "gen_ai.usage.output_tokens.reasoning",
    "gen_ai.usage.details.reasoning_tokens",
    "llm.token_count.completion_details.reasoning",
    "ai.usage.reasoningTokens",
    "ai.usage.outputTokenDetails.reasoningTokens",
    *in_usage_objects(*REASONING_PATHS),
)
REPORTED_COST_USD = names(
    "operation.cost",
    "gen_ai.cost.total_cost",
    "litellm.cost.total",
    "llm.cost.total",
    "gen_ai.usage.cost",
    "gen_ai.usage.total_cost",
    "langfuse.observation.cost_details>total",
)
AGENT = names(
    "gen_ai.agent.name",
    "agent.name",
    "agent_name",
)
AGENT_ON_AGENT_SPANS = names("traceloop.entity.name", "graph.node.id")
AGENT_IN_METADATA = names(
    "langsmith.metadata.lc_agent_name",
    "metadata>lc_agent_name",
    "ai.telemetry.functionId",
)
AGENT_SPAN_NAME_PREFIX = re.compile(r"^(invoke_agent|agent) ")
AGENT_SPAN_NAME_SUFFIX = re.compile(r"(\.run|\.agent|\._execute_core)$")
WORKFLOW = names("gen_ai.workflow.name")
TOOL_BY_OPERATION = names("gen_ai.tool.name")
"""Only of spans with the operation execute_tool: OpenLIT writes it on chats."""
TOOL = names("tool.name", "ai.toolCall.name", "traceloop.entity.name", "name")
LOGFIRE_AGENT = names("name")
EXCEPTION_TYPE = names("exception.type")
SERVICE_VERSION = names("service.version")
USER = names(
    "user.id",
    "enduser.id",
    "enduser.pseudo.id",
    "traceloop.association.properties.user_id",
    "ai.telemetry.metadata.userId",
    "ai.settings.context.userId",
    "langsmith.metadata.user_id",
    "metadata>user_id",
    "gen_ai.request.user",
    "llm.user",
    "gen_ai.user",
    "gen_ai.user.id",
    "metadata.user_api_key_end_user_id",
)
SESSION = names(
    "session.id",
    "gen_ai.conversation.id",
    "traceloop.association.properties.session_id",
    "ai.telemetry.metadata.sessionId",
    "ai.settings.context.sessionId",
    "gcp.vertex.agent.session_id",
    "langsmith.metadata.session_id",
    "langsmith.metadata.thread_id",
    "metadata>session_id",
    "metadata>thread_id",
    "group_id",
)
GENERATED_ID = re.compile(r"^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$")
"""A run that was given no conversation makes one up: inside another run it belongs to that one's."""
ERROR_MESSAGE = names("error.message", "langfuse.observation.status_message")
"""After the span's status message and its exception event."""
ERROR_TYPE = names("error.type")
ERROR_CODE = names("http.response.status_code", "error.code")
RESPONSE_ID = names("gen_ai.response.id", "ai.response.id", "response_id")
OUTPUT = "output.value"
RESPONSE_ID_IN_OUTPUT = re.compile(r'"id":\s*"((?:chatcmpl-|msg_|resp_)[^"]+)"')
FIRST_TOKEN_SECONDS = names(
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.client.operation.time_to_first_chunk",
)
FIRST_TOKEN_MS = names("ai.response.msToFirstChunk")
FIRST_TOKEN_BY_SERVER = names("gen_ai.server.time_to_first_token")
"""Milliseconds from Strands, seconds from everyone else."""
FIRST_TOKEN_EVENTS = ("First Token Stream Event", "ai.stream.firstChunk")
FIRST_TOKEN_AT = names("langfuse.observation.completion_start_time")
SERVICE_TIER = names("openai.response.service_tier", "gen_ai.openai.response.service_tier")
ENVIRONMENT = names("deployment.environment.name", "deployment.environment", "langfuse.environment")
SERVICE = names("service.name")

SCRUBBED = "[Scrubbed"
CLASS_REPR = re.compile(r"^<class '(.+)'>$")
TIMEOUT_TOLD_WITHIN = 300
"""Characters of the message: further on, a quoted program may say timeout."""
MOST_COST_USD = 1_000_000_000
LONGEST_STREAM_SECONDS = 86_400
TIMED_OUT = re.compile(r"time(d )?\s?out|deadline", re.IGNORECASE)

# --- Providers ---

PROVIDER_SUFFIX = re.compile(r"\.(chat|responses|messages|embedding|embeddings)$")
PROVIDER_NAMES = {"az.ai.openai": "azure.ai.openai"}
FRAMEWORKS = frozenset({"strands-agents", "langchain", "microsoft.agent_framework", "gcp.vertex.agent", "crewai", ""})
"""What some SDKs send as the provider; the model's name says more."""
PROVIDER_OF_MODEL = (
    (re.compile(r"^(gpt-|chatgpt-|o[1-9](-|$)|text-embedding-|davinci|babbage|codex)"), "openai"),
    (re.compile(r"^claude"), "anthropic"),
    (re.compile(r"^(gemini|gemma|text-bison|chat-bison)"), "gcp.gemini"),
    (re.compile(r"^(mistral|mixtral|codestral|ministral|magistral|devstral)"), "mistral_ai"),
    (re.compile(r"^command"), "cohere"),
    (re.compile(r"^grok"), "x_ai"),
    (re.compile(r"^deepseek"), "deepseek"),
    (re.compile(r"^(anthropic|amazon|meta|cohere|ai21|mistral)\.\w"), "aws.bedrock"),
)
MODEL_DATE = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8})$")

# --- Prompts and completions, kept only where content is to be stored ---

CONTENT = re.compile(
    r"^("
    r"(input|output)\.value|llm\.(input|output)_messages|llm\.prompts|llm\.\w+\.(messages|choices|content|input)$"
    r"|gen_ai\.(input|output)\.messages|gen_ai\.(prompt|completion)|gen_ai\.system_instructions"
    r"|gen_ai\.tool\.(args|message|call\.(arguments|result))|gen_ai\.(user|assistant|system|choice)\b.*content"
    r"|ai\.prompt|ai\.response\.(text|object|toolCalls|reasoning)|ai\.toolCall\.(args|result)"
    r"|ai\.(value|values|embedding|embeddings)$"
    r"|langfuse\.(observation|trace)\.(input|output)|traceloop\.entity\.(input|output)"
    r"|(request_data|response_data|events|all_messages_events|final_result|tool_arguments|tool_response)$"
    r"|(pydantic_ai\.)?all_messages|embedding\.(text|embeddings)|retrieval\.documents|gcp\.vertex\.agent\.(llm|tool|data)"
    r"|error\.stack_trace|exception\.stacktrace|logfire\.msg$|system_prompt|crew_|task_|input$|output$|raw_input$|response$"
    r")"
)


def index() -> dict[str, tuple[tuple[Names, int, Path], ...]]:
    """The tables turned around: a span has a dozen attributes, the tables know over a hundred."""
    turned = defaultdict(list)
    for table in [value for value in globals().values() if isinstance(value, Names)]:
        for rank, (attribute, path) in enumerate(table.entries):
            turned[attribute].append((table, rank, path))
    return {attribute: tuple(places) for attribute, places in turned.items()}


INDEX = index()
