"""What the name of an attribute says."""

from functools import lru_cache

from ingest import client_rules
from traces.text import ID_LENGTH, clean


@lru_cache(maxsize=4096)
def is_content(name: str) -> bool:
    """Returns whether the attribute holds a prompt, a completion or other contents."""
    return client_rules.CONTENT.match(name) is not None


@lru_cache(maxsize=4096)
def clean_name(name: str) -> str:
    return clean(name, ID_LENGTH)
