"""Runs raw SQL in the analytics database, and returns dictionaries."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import connections
from django.db.backends.utils import CursorWrapper
from typing_extensions import TypeVar

ESCAPED_BRACES = re.compile("[{}]")
QueryRow = TypeVar("QueryRow", bound=Mapping[str, Any], default=dict[str, Any])


def rows(sql: str, params: Mapping[str, Any], row_type: type[QueryRow] | None = None, **tables: str) -> list[QueryRow]:
    """Returns each row as a dictionary, keyed by the aliases of the SELECT.

    `row_type` is a TypedDict with exactly these aliases as its fields. A numeric of PostgreSQL is a Decimal, even if
    the type says float: sums of money stay exact until they become JSON.

    `{name}` in the text is one of `tables`, which traces.sums writes.
    """
    with connections["analytics"].cursor() as cursor:
        names = execute(cursor, sql.format_map(tables), params)
        if row_type is not None:
            check_aliases(names, row_type)
        dictionaries: list[Any] = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
        return dictionaries


def each_row(sql: str, params: Mapping[str, Any], **tables: str) -> Iterator[dict[str, Any]]:
    """Yields the same one by one: of a large answer only the bytes that the database sent are in memory."""
    with connections["analytics"].cursor() as cursor:
        names = execute(cursor, sql.format_map(tables), params)
        for values in cursor:
            yield dict(zip(names, values, strict=True))


def execute(cursor: CursorWrapper, sql: str, params: Mapping[str, Any]) -> list[str]:
    """Returns the aliases of the SELECT."""
    cursor.execute(sql, params)
    return [column.name for column in cursor.description or ()]


def row(sql: str, params: Mapping[str, Any], row_type: type[QueryRow] | None = None, **tables: str) -> QueryRow:
    """Returns the only row of a query that always has one row."""
    [only] = rows(sql, params, row_type, **tables)
    return only


def union_rows(
    parts: Sequence[tuple[str, Mapping[str, Any]]], row_type: type[QueryRow] | None = None
) -> list[QueryRow]:
    """Returns the rows of several queries with the same columns, asked as one. Each has parameters of its own."""
    with connections["analytics"].cursor() as cursor:
        bound = " UNION ALL ".join(f"({cursor.mogrify(sql, params)})" for sql, params in parts)
    # The texts that are bound by now may have percent signs.
    return rows(ESCAPED_BRACES.sub(r"\g<0>\g<0>", bound.replace("%", "%%")), {}, row_type) if parts else []


def check_aliases(names: Sequence[str], row_type: type[QueryRow]) -> None:
    """Raises a TypeError unless the aliases of the SELECT are exactly the fields of `row_type`."""
    fields = row_type.__annotations__
    if sorted(names) != sorted(fields):
        raise TypeError(f"The query names {', '.join(names)}; {row_type.__name__} has {', '.join(fields)}.")
