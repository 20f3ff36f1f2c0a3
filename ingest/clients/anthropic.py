"""The Anthropic SDK's own spans, which it sends since version 2 unless ANTHROPIC_OPEN_TELEMETRY is false.

If the call is instrumented too, it has two spans. Under LangChain's callbacks the SDK's span is the root of a trace of
its own, without user and session.
"""

from ingest.client import Client

CLIENT = Client(rank=150, provider_scopes=(r"com\.anthropic\.sdk\.\w+",))
