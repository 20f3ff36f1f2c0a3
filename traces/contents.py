"""Deletes prompts, completions and other contents of stored rows. Their numbers and names stay."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from traces.writer import writing

ROWS_AT_ONCE = 2_000
AFTER = timedelta(microseconds=1)
"""All rows of the last moment of a batch are in it, so the next one begins at the next moment."""
LAST_OF_BATCH = """
SELECT timestamp
FROM traces
WHERE workspace_id = %(workspace_id)s AND timestamp >= %(since)s AND timestamp < %(until)s
ORDER BY timestamp
OFFSET %(batch)s - 1
LIMIT 1
"""
BATCH = "workspace_id = %(workspace_id)s AND timestamp >= %(since)s AND timestamp < %(until)s AND timestamp <= %(last)s"
NAMES = f"""
SELECT DISTINCT key
FROM traces, jsonb_object_keys(attributes) AS key
WHERE {BATCH}
"""  # noqa: S608 (BATCH is a constant)
# An event has its contents in its attributes, and only its name and time stay. A client's own attribute may have this
# name.
DELETE = f"""
UPDATE traces
SET attributes = (attributes - %(contents)s::text[])
    || CASE
        WHEN jsonb_typeof(attributes->'events') = 'array' THEN jsonb_build_object(
            'events',
            (
                SELECT coalesce(jsonb_agg(
                    jsonb_strip_nulls(
                        jsonb_build_object('name', event->'name', 'offset_ms', event->'offset_ms')
                    )
                ), '[]')
                FROM jsonb_array_elements(attributes->'events') AS event
                WHERE jsonb_typeof(event) = 'object'
            )
        )
        ELSE '{{}}'
    END
WHERE {BATCH} AND (attributes ?| %(contents)s::text[] OR attributes @? '$.events[*].attributes')
"""  # noqa: S608 (BATCH is a constant)


def delete_contents(
    workspace_id: UUID, since: datetime, until: datetime, is_content: Callable[[str], bool]
) -> Iterator[datetime]:
    """Deletes the attributes that are contents in the rows of a time, the oldest first.

    Yields after each batch the time up to which none is left. Writers wait for one batch at most.
    """
    while since < until:
        since = delete_batch(workspace_id, since, until, is_content)
        yield since


def delete_batch(workspace_id: UUID, since: datetime, until: datetime, is_content: Callable[[str], bool]) -> datetime:
    params: dict[str, Any] = {"workspace_id": workspace_id, "since": since, "until": until, "batch": ROWS_AT_ONCE}
    with writing(workspace_id) as cursor:
        cursor.execute(LAST_OF_BATCH, params)
        last = cursor.fetchone()
        params["last"] = last[0] if last else until
        cursor.execute(NAMES, params)
        params["contents"] = [name for (name,) in cursor.fetchall() if is_content(name)]
        cursor.execute(DELETE, params)
    return params["last"] + AFTER if last else until
