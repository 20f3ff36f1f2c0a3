"""Records of one call in several traces: what they have in common, and where to look for the others.

`link` stands in the row; others are found by it and by when they began, never by a scan.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from ingest.attribution import CONTAINED_SLACK, SLACK, end, is_sdk_root, is_stream_request, model_of
from ingest.mapping import Said
from traces.lookup import WantedLink, traces_of_links
from traces.write_cursor import WriteCursor

LONGEST_CALL = timedelta(hours=1)
"""A record that began earlier than this before another is not looked for."""


def link_of(said: Said) -> str | None:
    if said.kind == "usage_log":
        return f"stream-log:{said.requested_model}"
    if not said.is_call:
        return None
    if is_stream_request(said):
        return f"stream:{said.requested_model}"
    if said.response_id:
        return said.response_id
    if may_be_told_twice(said):
        return f"{'sdk-failed' if is_sdk_root(said) else 'failed'}:{model_of(said)}"
    return None


def wanted(said: Said) -> WantedLink | None:
    """Whoever would find this record is found by it too: the order of arrival must not matter."""
    start = said.timestamp
    if said.kind == "usage_log":
        return WantedLink(f"stream:{said.requested_model}", start - LONGEST_CALL, start + SLACK, start - SLACK)
    if not said.is_call:
        return None
    if is_stream_request(said):
        return WantedLink(f"stream-log:{said.requested_model}", end(said) - SLACK, end(said) + SLACK, end(said) - SLACK)
    if said.response_id:
        return WantedLink(said.response_id, start - LONGEST_CALL, end(said) + SLACK, start - SLACK)
    if not may_be_told_twice(said):
        return None
    if is_sdk_root(said):
        around = start - LONGEST_CALL, start + CONTAINED_SLACK, end(said) - CONTAINED_SLACK
        return WantedLink(f"failed:{model_of(said)}", *around)
    return WantedLink(f"sdk-failed:{model_of(said)}", start - CONTAINED_SLACK, end(said) + CONTAINED_SLACK, start)


def may_be_told_twice(said: Said) -> bool:
    return said.status != "success" and said.kind == "llm" and said.provider in (None, "anthropic")


def linked_trace_ids(cursor: WriteCursor, workspace_id: UUID, around: Iterable[Said]) -> set[str]:
    looked_for = (found for said in around if (found := wanted(said)))
    return traces_of_links(cursor, workspace_id, looked_for)
