"""The Anthropic SDK's own spans, which it sends since version 2 unless ANTHROPIC_OPEN_TELEMETRY is false.

If the call is instrumented too, it has two spans. Under LangChain's callbacks the SDK's span is the root of a trace of
its own, without user and session.
"""

from ingest.client import Client

LANGUAGES = ("python", "typescript", "go", "java", "csharp", "ruby", "php", "cli")

CLIENT = Client(rank=150, sdk_scopes={f"com.anthropic.sdk.{language}": "anthropic" for language in LANGUAGES})
