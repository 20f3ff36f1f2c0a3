"""Finds what a search names exactly, at once and however old it is: a trace, a session, users."""

from typing import NamedTuple
from uuid import UUID

from explorer import trace
from explorer.trace_filters import patterns
from traces.db import rows

USERS_SHOWN = 5
USERS = """
SELECT user_id
FROM user_numbers
WHERE workspace_id = %(workspace_id)s AND user_id ILIKE ANY(%(patterns)s::text[])
ORDER BY length(user_id), user_id
LIMIT %(limit)s
"""
SESSIONS = """
SELECT session_id
FROM traces
WHERE workspace_id = %(workspace_id)s
    AND hashtextextended(session_id, uuid_hash_extended(workspace_id, 0))
        = hashtextextended(%(session_id)s, uuid_hash_extended(%(workspace_id)s, 0))
    AND session_id = %(session_id)s
LIMIT 1
"""


class SearchHits(NamedTuple):
    trace_id: str | None
    """The search is the id of this trace."""
    session_id: str | None
    """The search is the id of this session."""
    user_ids: list[str]
    """The first users whose id has the search in it."""


def search_hits(workspace_id: UUID, search: str) -> SearchHits:
    is_trace = trace.is_an_id(search) and trace.summary(workspace_id, search) is not None
    sessions = rows(SESSIONS, {"workspace_id": workspace_id, "session_id": search})
    params = {"workspace_id": workspace_id, "patterns": patterns(search, with_json=False), "limit": USERS_SHOWN}
    users = [row["user_id"] for row in rows(USERS, params)]
    return SearchHits(search if is_trace else None, search if sessions else None, users)
