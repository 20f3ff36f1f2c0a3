"""Reads the first words of what traces were asked. Only for readers who may see content."""

from collections.abc import Sequence
from uuid import UUID

import orjson

from explorer.content import content_of
from explorer.summaries import TraceSummary
from traces import engines
from traces.db import rows
from traces.row import CALL_OPERATIONS
from traces.trace_totals import LONGEST_TRACE

LENGTH = 160
MOST_BYTES = 100_000
"""Of the contents of a span that is read for its first words; as they are stored."""
CONTENTS = """
SELECT trace_id, operation, tool, attributes::text AS attributes
FROM unnest(%(trace_ids)s::text[]) AS wanted (id)
CROSS JOIN LATERAL (
    (
        SELECT spans.*
        FROM ({spans}) AS spans
        WHERE parent_span_id IS NULL
        ORDER BY timestamp, span_id
        LIMIT 1
    )
    UNION ALL
    (
        SELECT spans.*
        FROM ({spans}) AS spans
        WHERE operation = ANY(%(calls)s)
        ORDER BY timestamp, span_id
        LIMIT 1
    )
) AS said
"""
SPANS = """
            SELECT found.*
            FROM generate_series(
                date_bin('168 hours', %(first)s, timestamptz '2000-01-03 00:00:00+00'), %(last)s, interval '168 hours'
            ) AS week
            JOIN LATERAL (
                SELECT trace_id, span_id, parent_span_id, timestamp, operation, tool, attributes
                FROM traces
                WHERE {workspace}
                    AND timestamp BETWEEN %(first)s AND %(last)s
                    AND date_bin('168 hours', timestamp, timestamptz '2000-01-03 00:00:00+00') = week
                    AND {in_week}
                    AND hashtextextended(trace_id, uuid_hash_extended(workspace_id, 0))
                        = hashtextextended(wanted.id, uuid_hash_extended(%(workspace_id)s, 0))
                OFFSET 0
            ) AS found ON found.trace_id = wanted.id AND pg_column_size(attributes) < %(bytes)s
"""


def previews(workspace_id: UUID, traces: Sequence[TraceSummary]) -> dict[str, str]:
    """Returns the beginning of the last input of the root of each trace, or else of its first call."""
    if not traces:
        return {}
    starts = [trace["started_at"] for trace in traces]
    params = {
        "workspace_id": workspace_id,
        "trace_ids": [trace["trace_id"] for trace in traces],
        "first": min(starts),
        "last": max(starts) + LONGEST_TRACE,
        "calls": list(CALL_OPERATIONS),
        "bytes": MOST_BYTES,
    }
    found: dict[str, str] = {}
    for row in rows(CONTENTS, params, spans=SPANS.format(**engines.search_conditions())):
        content = content_of(orjson.loads(row["attributes"]), row["operation"], row["tool"])
        words = " ".join(part.text for message in content.inputs[-1:] for part in message.parts)
        if words and row["trace_id"] not in found:
            found[row["trace_id"]] = " ".join(words[: 4 * LENGTH].split())[:LENGTH]
    return found
