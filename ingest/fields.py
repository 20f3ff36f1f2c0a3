"""The fields that are read from a span. `ingest/clients/` names the attributes in which each client writes them.

Cache tokens are part of the input tokens, and reasoning tokens are part of the output tokens.
"""

from dataclasses import dataclass

Path = tuple[str, ...]
"""The keys that lead to a value inside an attribute."""


@dataclass(frozen=True, eq=False, slots=True)
class Field:
    """One fact that a span can state. Fields are compared by identity, which makes them fast keys of dictionaries."""

    name: str
    usage_paths: tuple[Path, ...] = ()
    """Where the usage objects of OpenAI, Anthropic and LangChain hold it."""


# --- Calls ---

PROVIDER = Field("provider")
REQUESTED_MODEL = Field("requested model")
USED_MODEL = Field("used model")
INPUT_TOKENS = Field("input tokens")
OUTPUT_TOKENS = Field("output tokens")
CACHE_READ_TOKENS = Field(
    "cache read tokens",
    (
        ("cache_read_input_tokens",),
        ("prompt_tokens_details", "cached_tokens"),
        ("input_tokens_details", "cached_tokens"),
        ("input_token_details", "cache_read"),
    ),
)
CACHE_WRITE_TOKENS = Field(
    "cache write tokens",
    (
        ("cache_creation_input_tokens",),
        ("input_token_details", "cache_creation"),
    ),
)
REASONING_TOKENS = Field(
    "reasoning tokens",
    (
        ("completion_tokens_details", "reasoning_tokens"),
        ("output_tokens_details", "reasoning_tokens"),
        ("output_token_details", "reasoning"),
    ),
)
REPORTED_COST_USD = Field("reported cost in USD")
RESPONSE_ID = Field("response id")
SERVICE_TIER = Field("service tier")
FIRST_TOKEN_SECONDS = Field("time to first token in seconds")
FIRST_TOKEN_MS = Field("time to first token in milliseconds")
FIRST_TOKEN_BY_SERVER = Field("time to first token, measured by the server")
"""In seconds, or in milliseconds where the client says so (`server_time_in_ms`)."""
FIRST_TOKEN_AT = Field("time of the first token, ISO 8601")

# --- Agents and tools ---

AGENT = Field("agent")
AGENT_OF_RUN = Field("agent, on agent spans")
AGENT_IN_METADATA = Field("agent, where no better name has it")
AGENT_BY_SCOPE = Field("agent, on agent spans of a client's `agent_scopes`")
WORKFLOW = Field("workflow")
TOOL_OF_OPERATION = Field("tool, on spans with the operation execute_tool")
"""OpenLIT writes it on chats too."""
TOOL = Field("tool")

# --- Any span ---

KIND = Field("kind")
"""The attributes of the rules for kinds (`Client.kinds`)."""

USER = Field("user")
SESSION = Field("session")
SERVICE = Field("service")
SERVICE_VERSION = Field("service version")
ENVIRONMENT = Field("environment")
ERROR_TYPE = Field("error type")
ERROR_CODE = Field("error code, where there is no type")
ERROR_MESSAGE = Field("error message, where the status and the exception have none")
EXCEPTION_TYPE = Field("type of an exception event")
CLIENT_CALL = Field("sign that a client has written its call into this span")
