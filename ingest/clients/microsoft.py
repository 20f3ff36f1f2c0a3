"""Microsoft Agent Framework and Semantic Kernel. Semantic Kernel writes error types as `<class 'module.Error'>`.

Without a version of the application, Agent Framework writes its own into `service.version`.
"""

from ingest.client import Client
from ingest.spans import Span


def states_own_version(span: Span) -> bool:
    return span.scope.startswith("agent_framework") and span.scope_version == span.resource.version


CLIENT = Client(
    rank=160,
    error_type_pattern=r"<class '(.+)'>",
    states_own_version=states_own_version,
)
