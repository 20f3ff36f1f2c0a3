"""Records of one call in several traces: what they have in common, and where to look for the others.

`link` stands in the row; others are found by it and by when they began, never by a scan.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import orjson

from ingest.attribution import CONTAINED_SLACK, SLACK, end, is_sdk_root, is_stream_request, model_of
from ingest.mapping import Said
from traces import writer
from traces.schema import LINK_HOURS, short, stretch, stretches

LONGEST_CALL = timedelta(hours=1)
"""A record that began earlier than this before another is not looked for."""

LINKED = f"""
SELECT DISTINCT found.trace_id
FROM json_to_recordset(%(wanted)s::json)
    AS wanted (link text, since timestamptz, until timestamptz, lasting_to timestamptz)
CROSS JOIN LATERAL {stretches(LINK_HOURS, "since", "until")} AS day
CROSS JOIN LATERAL (
    SELECT trace_id
    FROM traces
    WHERE workspace_id = %(workspace_id)s
        AND {stretch(LINK_HOURS)} = day
        AND {short("link")} = {short("wanted.link", "%(workspace_id)s")}
        AND timestamp BETWEEN %(first)s AND %(last)s
        AND traces.link = wanted.link
        AND timestamp >= wanted.since
        AND timestamp <= wanted.until
        AND timestamp + coalesce(latency_ms, 0) * interval '1 millisecond' >= wanted.lasting_to
    OFFSET 0
) AS found
"""  # noqa: S608 (built from the schema's expressions, never from input)


class Wanted(NamedTuple):
    """Records with this link that began between `since` and `until` and lasted at least to `lasting_to`."""

    link: str
    since: datetime
    until: datetime
    lasting_to: datetime


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


def wanted(said: Said) -> Wanted | None:
    """Whoever would find this record is found by it too: the order of arrival must not matter."""
    start = said.timestamp
    if said.kind == "usage_log":
        return Wanted(f"stream:{said.requested_model}", start - LONGEST_CALL, start + SLACK, start - SLACK)
    if not said.is_call:
        return None
    if is_stream_request(said):
        return Wanted(f"stream-log:{said.requested_model}", end(said) - SLACK, end(said) + SLACK, end(said) - SLACK)
    if said.response_id:
        return Wanted(said.response_id, start - LONGEST_CALL, end(said) + SLACK, start - SLACK)
    if not may_be_told_twice(said):
        return None
    if is_sdk_root(said):
        around = start - LONGEST_CALL, start + CONTAINED_SLACK, end(said) - CONTAINED_SLACK
        return Wanted(f"failed:{model_of(said)}", *around)
    return Wanted(f"sdk-failed:{model_of(said)}", start - CONTAINED_SLACK, end(said) + CONTAINED_SLACK, start)


def may_be_told_twice(said: Said) -> bool:
    return said.status != "success" and said.kind == "llm" and said.provider in (None, "anthropic")


def as_json(looked_for: Iterable[Wanted]) -> str:
    """One text: four arrays of fifty cost more to write than the answer to find."""
    return orjson.dumps([one._asdict() for one in looked_for]).decode()


def linked_trace_ids(cursor: writer.Cursor, workspace_id: UUID, around: Iterable[Said]) -> set[str]:
    looked_for = sorted({found for said in around if (found := wanted(said))})
    if not looked_for:
        return set()
    cursor.execute(
        LINKED,
        {
            "workspace_id": workspace_id,
            "wanted": as_json(looked_for),
            # TimescaleDB leaves out the chunks before and after these.
            "first": min(one.since for one in looked_for),
            "last": max(one.until for one in looked_for),
        },
    )
    return {trace_id for (trace_id,) in cursor.fetchall()}
