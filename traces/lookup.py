"""Finds stored spans: those of given traces, and other records of the same calls in other traces.

Both are found by 8 bytes in an index that begins with the week or day. So new rows go to the few pages of the index
that are in memory. Other ids can have the same 8 bytes: the row itself is compared too.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import orjson
import psycopg

from traces.row import CORRECTED_COLUMNS, KEY_COLUMNS, Row

# Records of the same call are hours apart at most, spans of a trace days.
LINK_HOURS, TRACE_HOURS = 24, 7 * 24


def period_start(hours: int, moment: str = "timestamp") -> str:
    """SQL: where the period of so many hours begins that holds `moment`."""
    return f"date_bin('{hours} hours', {moment}, timestamptz '2000-01-03 00:00:00+00')"


def period_starts(hours: int, first: str, last: str) -> str:
    """SQL for a FROM: the starts of all periods that hold moments from `first` to `last`."""
    return f"generate_series({period_start(hours, first)}, {last}, interval '{hours} hours')"


def hash64(text: str, workspace_id: str = "workspace_id") -> str:
    """SQL: 8 bytes for a text of a workspace. They make half the index, and one comparison."""
    return f"hashtextextended({text}, uuid_hash_extended({workspace_id}, 0))"


FOUND_COLUMNS = (*KEY_COLUMNS, *CORRECTED_COLUMNS, "span_facts")
# One index probe for each id: left to itself the planner, whose statistics of a growing table are always old,
# may read all rows of the workspace instead.
SPANS_OF_TRACES = f"""
SELECT {", ".join(f"found.{name}" for name in FOUND_COLUMNS)}
FROM unnest(%(trace_ids)s::text[]) AS wanted (trace_id)
CROSS JOIN LATERAL {period_starts(TRACE_HOURS, "%(first)s", "%(last)s")} AS week
CROSS JOIN LATERAL (
    SELECT {", ".join((*KEY_COLUMNS, *CORRECTED_COLUMNS))}, span_facts::text
    FROM traces
    WHERE workspace_id = %(workspace_id)s
        AND timestamp BETWEEN %(first)s AND %(last)s
        AND {period_start(TRACE_HOURS)} = week
        AND traces.trace_id = wanted.trace_id
        AND {hash64("trace_id")} = {hash64("wanted.trace_id", "%(workspace_id)s")}
        AND span_facts ? 'kind'
    OFFSET 0
) AS found
"""  # noqa: S608 (built from the names of columns, never from input)

TRACES_OF_LINKS = f"""
SELECT DISTINCT found.trace_id
FROM json_to_recordset(%(wanted)s::json)
    AS wanted (link text, since timestamptz, until timestamptz, lasting_to timestamptz)
CROSS JOIN LATERAL {period_starts(LINK_HOURS, "since", "until")} AS day
CROSS JOIN LATERAL (
    SELECT trace_id
    FROM traces
    WHERE workspace_id = %(workspace_id)s
        AND {period_start(LINK_HOURS)} = day
        AND {hash64("link")} = {hash64("wanted.link", "%(workspace_id)s")}
        AND timestamp BETWEEN %(first)s AND %(last)s
        AND traces.link = wanted.link
        AND timestamp >= wanted.since
        AND timestamp <= wanted.until
        AND timestamp + coalesce(latency_ms, 0) * interval '1 millisecond' >= wanted.lasting_to
    OFFSET 0
) AS found
"""  # noqa: S608 (built from the expressions above, never from input)


def spans_of_traces(
    cursor: psycopg.Cursor[tuple[object, ...]],
    workspace_id: UUID,
    trace_ids: Iterable[str],
    within: tuple[datetime, datetime],
) -> list[Row]:
    """The stored spans of these traces that began within the two moments and that a later span may correct.

    Of each row only the key, the columns that can be corrected and `span_facts` are filled.
    """
    first, last = within
    cursor.execute(
        SPANS_OF_TRACES,
        {"workspace_id": workspace_id, "trace_ids": sorted(trace_ids), "first": first, "last": last},
    )
    return [row_from(values) for values in cursor.fetchall()]


def row_from(values: Sequence[object]) -> Row:
    """`values` are those of FOUND_COLUMNS; the facts are JSON text, or None."""
    *columns, facts = values
    named = dict(zip(FOUND_COLUMNS, columns, strict=False))
    return Row(**named, span_facts=orjson.loads(facts) if facts else None)  # type: ignore[arg-type]


class WantedLink(NamedTuple):
    """Looks for records with this link that began between `since` and `until` and lasted at least to `lasting_to`."""

    link: str
    since: datetime
    until: datetime
    lasting_to: datetime


def traces_of_links(
    cursor: psycopg.Cursor[tuple[object, ...]], workspace_id: UUID, wanted: Iterable[WantedLink]
) -> set[str]:
    """The ids of the traces that hold such records."""
    distinct = sorted(set(wanted))
    if not distinct:
        return set()
    cursor.execute(
        TRACES_OF_LINKS,
        {
            "workspace_id": workspace_id,
            "wanted": wanted_as_json(distinct),
            # TimescaleDB leaves out the chunks before and after these.
            "first": min(one.since for one in distinct),
            "last": max(one.until for one in distinct),
        },
    )
    return {str(trace_id) for (trace_id,) in cursor.fetchall()}


def wanted_as_json(wanted: Iterable[WantedLink]) -> str:
    """One text: four arrays of fifty cost more to write than the answer to find."""
    return orjson.dumps([one._asdict() for one in wanted]).decode()
