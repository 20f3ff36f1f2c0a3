"""OpenTelemetry's conventions for generative AI, today's and former names, and its general conventions.

Every client that follows them is read by this file: the GenAI instrumentations, the Anthropic SDK, Microsoft's
frameworks and others. SpanKind says nothing: calls are CLIENT in some SDKs and INTERNAL in others.
"""

from ingest import fields
from ingest.client import Client, KindRule
from ingest.operations import KIND_OF_OPERATION, OPERATION_IN_NAME, may_be_call
from ingest.spans import Span

MODELS = ("gen_ai.request.model", "gen_ai.response.model")
USAGE = (
    *("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"),
    *("gen_ai.usage.prompt_tokens", "gen_ai.usage.completion_tokens"),
)


def kind_of_operation(span: Span) -> str:
    """Returns the kind of the operation. One that nobody knows is a call if it has a model and usage."""
    operation = str(span.attributes["gen_ai.operation.name"])
    if kind := KIND_OF_OPERATION.get(operation):
        return kind
    has_model, has_usage = (any(map(span.attributes.get, names)) for names in (MODELS, USAGE))
    return "llm" if has_model and has_usage and may_be_call(operation) else "chain"


def kind_by_name(span: Span) -> str | None:
    match = OPERATION_IN_NAME.match(span.name)
    return KIND_OF_OPERATION[match[1]] if match else None


def kind_by_model(span: Span) -> str | None:
    attributes = span.attributes
    has_provider = attributes.get("gen_ai.system") or attributes.get("gen_ai.provider.name")
    return "llm" if has_provider and attributes.get("gen_ai.request.model") else None


CLIENT = Client(
    rank=10,
    names={
        fields.PROVIDER: ("gen_ai.provider.name", "gen_ai.system"),
        fields.REQUESTED_MODEL: ("gen_ai.request.model",),
        fields.USED_MODEL: ("gen_ai.response.model",),
        fields.INPUT_TOKENS: ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
        fields.OUTPUT_TOKENS: ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
        fields.CACHE_READ_TOKENS: ("gen_ai.usage.cache_read.input_tokens",),
        fields.CACHE_WRITE_TOKENS: (
            "gen_ai.usage.cache_write.input_tokens",
            "gen_ai.usage.cache_creation.input_tokens",
        ),
        fields.REASONING_TOKENS: ("gen_ai.usage.reasoning.output_tokens",),
        fields.RESPONSE_ID: ("gen_ai.response.id",),
        fields.TOTAL_TOKENS: ("gen_ai.usage.total_tokens",),
        fields.SERVICE_TIER: (
            "openai.response.service_tier",
            "gen_ai.openai.response.service_tier",
            "anthropic.response.service_tier",
            "gen_ai.anthropic.response.service_tier",
            "gen_ai.response.service_tier",
            "gen_ai.usage.service_tier",
            "anthropic.usage.service_tier",
            "usage.service_tier",
            # What was asked for is read last: the answer may say that the call got another tier.
            (160, "openai.request.service_tier"),
            (160, "gen_ai.openai.request.service_tier"),
            (160, "gen_ai.request.service_tier"),
        ),
        fields.SPEED: (
            "anthropic.response.speed",
            "gen_ai.usage.speed",
            "anthropic.usage.speed",
            "usage.speed",
            (160, "anthropic.request.speed"),
            (160, "gen_ai.request.speed"),
        ),
        fields.FIRST_TOKEN_SECONDS: (
            "gen_ai.response.time_to_first_chunk",
            "gen_ai.client.operation.time_to_first_chunk",
        ),
        fields.FIRST_TOKEN_BY_SERVER: ("gen_ai.server.time_to_first_token",),
        fields.AGENT: ("gen_ai.agent.name",),
        fields.WORKFLOW: ("gen_ai.workflow.name",),
        fields.TOOL_OF_OPERATION: ("gen_ai.tool.name",),
        fields.USER: (
            "user.id",
            "enduser.id",
            "enduser.pseudo.id",
            (141, "user_id"),
            (141, "userId"),
            # Proposed, and in no convention yet: every other name of a user comes first.
            (141, "gen_ai.user"),
            (141, "gen_ai.user.id"),
        ),
        fields.SESSION: (
            "session.id",
            "gen_ai.conversation.id",
            (141, "gen_ai.session.id"),
            (141, "session_id"),
            (141, "sessionId"),
            (141, "conversation_id"),
            (141, "conversation.id"),
            (141, "thread_id"),
        ),
        fields.SERVICE: ("service.name",),
        fields.SERVICE_VERSION: ("service.version",),
        fields.AGENT_VERSION: ("gen_ai.agent.version",),
        fields.ENVIRONMENT: ("deployment.environment.name", "deployment.environment"),
        fields.ERROR_TYPE: ("error.type",),
        fields.ERROR_CODE: ("http.response.status_code",),
        fields.ERROR_MESSAGE: ("error.message",),
        fields.EXCEPTION_TYPE: ("exception.type",),
    },
    kinds=(
        KindRule(50, kind_of_operation, "gen_ai.operation.name"),
        KindRule(90, kind_by_name),
        KindRule(100, kind_by_model),
    ),
    contents=(
        r"gen_ai\.(input|output)\.messages",
        r"gen_ai\.(prompt|completion)",
        r"gen_ai\.system_instructions",
        r"gen_ai\.tool\.(message|call\.(arguments|result))",
        r"gen_ai\.(user|assistant|system|choice)\b.*content",
        r"exception\.stacktrace",
    ),
    provider_scopes=(
        r"opentelemetry\.instrumentation\."
        r"(genai[._])?(anthropic|botocore|google_genai|openai|openai_v2|vertexai)",
        r"@opentelemetry/instrumentation-openai",
    ),
    agent_prefixes=("invoke_agent", "agent"),
)
