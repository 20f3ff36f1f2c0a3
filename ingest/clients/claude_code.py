"""Claude Code. Its attributes have bare names, so they are read only in its own spans.

Input tokens do not contain the cached ones, as in Anthropic's API.
"""

from ingest import fields
from ingest.client import Client, KindRule

CALL = "claude_code.llm_request"
KINDS = {CALL: "llm", "claude_code.interaction": "workflow", "claude_code.tool": "tool"}

CLIENT = Client(
    rank=170,
    span_names=tuple(KINDS),
    names={
        fields.REQUESTED_MODEL: ("model",),
        fields.INPUT_TOKENS: ("input_tokens",),
        fields.OUTPUT_TOKENS: ("output_tokens",),
        fields.CACHE_READ_TOKENS: ("cache_read_tokens",),
        fields.CACHE_WRITE_TOKENS: ("cache_creation_tokens",),
        fields.SPEED: ("speed",),
        fields.FIRST_TOKEN_MS: ("ttft_ms",),
        fields.TOOL: ("tool_name",),
    },
    kinds=(KindRule(65, lambda span: KINDS.get(span.name)),),
    contents=(r"user_prompt$",),
    excludes_cache=lambda span: span.name == CALL,
)
