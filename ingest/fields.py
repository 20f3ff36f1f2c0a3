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


# --- Calls ---

PROVIDER = Field("provider")
REQUESTED_MODEL = Field("requested model")
USED_MODEL = Field("used model")
INPUT_TOKENS = Field("input tokens")
OUTPUT_TOKENS = Field("output tokens")
TOTAL_TOKENS = Field("total tokens")
CACHE_READ_TOKENS = Field("cache read tokens")
CACHE_WRITE_TOKENS = Field("cache write tokens")
REASONING_TOKENS = Field("reasoning tokens")
USAGE = Field("usage object")
"""Its counts are read after all names (`ingest/usage.py`)."""
REPORTED_COST_USD = Field("reported cost in USD")
REPORTED_COSTS = Field("object with the parts of the reported cost in USD")
"""Its parts do not overlap (`ingest/reported_cost.py`)."""
RESPONSE_ID = Field("response id")
SERVICE_TIER = Field("service tier")
SPEED = Field("speed")
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
RELEASE = Field("release")
AGENT_VERSION = Field("agent version")
ENVIRONMENT = Field("environment")
ERROR_TYPE = Field("error type")
ERROR_CODE = Field("error code, where there is no type")
ERROR_MESSAGE = Field("error message, where the status and the exception have none")
EXCEPTION_TYPE = Field("type of an exception event")
CLIENT_CALL = Field("sign that a client has written its call into this span")
