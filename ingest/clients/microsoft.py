"""Microsoft Agent Framework and Semantic Kernel. Semantic Kernel writes error types as `<class 'module.Error'>`."""

from ingest.client import Client

CLIENT = Client(
    rank=160,
    error_type_pattern=r"<class '(.+)'>",
)
