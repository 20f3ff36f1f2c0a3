"""The analytics database: raw SQL in, dictionaries out."""

from collections.abc import Mapping
from typing import Any

from django.db import connections


def rows(sql: str, params: Mapping[str, Any], **tables: str) -> list[dict[str, Any]]:
    """Each row as a dictionary, keyed by the aliases of the SELECT, which are the public field names.

    `{name}` in the text is one of `tables`, which traces.windows writes.
    """
    with connections["analytics"].cursor() as cursor:
        cursor.execute(sql.format_map(tables), params)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def row(sql: str, params: Mapping[str, Any], **tables: str) -> dict[str, Any]:
    """The only row of a question that always has one."""
    [only] = rows(sql, params, **tables)
    return only
