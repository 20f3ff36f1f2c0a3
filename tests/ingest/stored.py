"""Reads the stored rows of a workspace."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from traces.db import rows
from traces.row import CALL_OPERATIONS, COLUMNS, Row


def stored(workspace_id: UUID) -> list[Row]:
    found = rows(
        "SELECT * FROM traces WHERE workspace_id = %(workspace_id)s ORDER BY trace_id, span_id",
        {"workspace_id": workspace_id},
    )
    return [Row(**{name: row[name] for name in COLUMNS}) for row in found]


def calls_of(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.operation in CALL_OPERATIONS]


def known_sum(values: Iterable[Any]) -> Any:
    """Returns the sum of the values that are known; None if none is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None
