"""Tells readers that a workspace has newer traces.

Each batch that is stored changes a marker in the cache. An answer remembers the marker it was computed under.
"""

from uuid import UUID, uuid4

from django.core.cache import cache

MARKER_SECONDS = 7 * 24 * 3600


def marker_key(workspace_id: UUID) -> str:
    return f"traces:{workspace_id}"


def record_arrival(workspace_id: UUID) -> None:
    cache.set(marker_key(workspace_id), uuid4().hex, MARKER_SECONDS)
