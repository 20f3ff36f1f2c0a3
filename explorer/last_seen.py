"""Finds the users, or sessions, that were seen last: newest first, without reading the whole window."""

from datetime import datetime
from typing import Any, NamedTuple

from typing_extensions import TypedDict

from explorer.listing import Page, page_params
from traces.db import rows
from traces.filters import Filters

NEWEST_ROWS = 10_000
"""The newest first are looked for in so many rows, before the sums are read."""


class Kind(NamedTuple):
    key: str
    """The column of `traces`, and of the sums."""
    key_type: str
    finds: str
    """The condition on `traces` for the rows with `found.key`, for an index."""


class Seen(TypedDict):
    key: Any
    last_seen: datetime
    is_complete: bool
    """False: older rows than those that were read may belong to the page."""


# A user whose newest row before the cursor is not the newest of the window was listed before it.
NEWEST = """
WITH scanned AS MATERIALIZED (
    SELECT *
    FROM traces
    WHERE workspace_id = %(workspace_id)s AND timestamp >= %(start)s AND timestamp < %(end)s
        AND timestamp <= %(after)s
    ORDER BY timestamp DESC
    LIMIT %(newest_rows)s
), found AS (
    SELECT {key} AS key, max(timestamp) AS last_seen
    FROM scanned
    WHERE {filters} AND {key} IS NOT NULL {searched}
    GROUP BY {key}
)
SELECT
    key,
    last_seen,
    (SELECT count(*) FROM scanned) < %(newest_rows)s AS is_complete
FROM found
WHERE (
        %(after_key)s::text IS NULL
        OR last_seen < %(after)s
        OR (last_seen = %(after)s AND key > %(after_key)s::{key_type})
    )
    AND (%(after_key)s::text IS NULL OR NOT EXISTS (
        SELECT
        FROM traces
        WHERE {filters} AND {finds} AND timestamp > found.last_seen
        OFFSET 0
    ))
ORDER BY last_seen DESC, key
LIMIT %(rows)s
"""
# Each is in the bucket of its newest row. Only the bucket of the cursor, and those next to it, are looked at in rows.
BY_BUCKETS = """
WITH buckets AS (
    SELECT {key} AS key, max(timestamp) AS since, max(until) AS until
    FROM {sums} AS sums
    WHERE true {searched}
    GROUP BY {key}
), found AS (
    SELECT key, since, until
    FROM buckets
    WHERE since <= %(after)s AND until > %(after)s
    UNION ALL
    (
        SELECT key, since, until
        FROM buckets
        WHERE {beyond}
        ORDER BY since {direction}
        FETCH FIRST %(rows)s ROWS WITH TIES
    )
), seen AS (
    SELECT key, coalesce(timestamp, since) AS last_seen
    FROM found
    LEFT JOIN LATERAL (
        SELECT timestamp
        FROM traces
        WHERE {filters} AND {finds} AND timestamp >= since AND timestamp < until
        ORDER BY timestamp DESC
        LIMIT 1
    ) AS newest ON true
)
SELECT key, last_seen, true AS is_complete
FROM seen
WHERE %(after_key)s::text IS NULL
    OR last_seen {compared} %(after)s
    OR (last_seen = %(after)s AND key > %(after_key)s::{key_type})
ORDER BY last_seen {direction}, key
LIMIT %(rows)s
"""


def by_last_seen(filters: Filters, page: Page, kind: Kind, sums_sql: str, searched: str = "") -> list[Seen]:
    """Returns the keys of the page and one more, with the time of their newest row in the window.

    `searched` is a condition on the key, which begins with AND.
    """
    if page.is_descending:
        found = newest_first(filters, page, kind, searched)
        if found is not None:
            return found
    return by_buckets(filters, page, kind, sums_sql, searched)


def by_buckets(filters: Filters, page: Page, kind: Kind, sums_sql: str, searched: str) -> list[Seen]:
    """Returns the page by the sums of the window."""
    return rows(
        BY_BUCKETS,
        params_of(filters, page),
        Seen,
        sums=sums_sql,
        searched=searched,
        filters=filters.row_condition,
        beyond="until <= %(after)s" if page.is_descending else "since > %(after)s",
        compared="<" if page.is_descending else ">",
        direction="DESC" if page.is_descending else "ASC",
        **kind._asdict(),
    )


def newest_first(filters: Filters, page: Page, kind: Kind, searched: str) -> list[Seen] | None:
    """Returns the page if the newest rows have all of it."""
    found = rows(
        NEWEST,
        params_of(filters, page),
        Seen,
        filters=filters.row_condition,
        searched=searched,
        **kind._asdict(),
    )
    return found if len(found) > filters.limit or (found and found[0]["is_complete"]) else None


def params_of(filters: Filters, page: Page) -> dict[str, Any]:
    edge = filters.end if page.is_descending else filters.start
    after = datetime.fromisoformat(page.after.value) if page.after and page.after.value else edge
    return page_params(page, filters) | {"after": after, "newest_rows": NEWEST_ROWS}
