"""Parses what the lists of sessions, users, agents and tools share: filters, search, sort and cursor.

A page of a list begins after the last row of the page before it: after its value of the sorted column, and after its
key. The cursor has the window too, so that a window that ends now does not move between two pages.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from django.http import QueryDict
from pydantic import AfterValidator, Field, create_model
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from analytics import query_string
from analytics.page_questions import search_params
from analytics.query_string import MAX_WINDOW, Query, Text, WindowQuery, within_calendar
from traces.buckets import UTC_ZONE
from traces.filters import Filters
from traces.text import NAME_LENGTH
from web.problems import FieldError, Problem

Rows = Sequence[Mapping[str, Any]]
NOT_A_CURSOR = "must be the next_cursor of an earlier answer with the same sort"


class Cursor(NamedTuple):
    """The window of a list, and the last row of a page of it."""

    sort: str
    start: datetime
    end: datetime
    value: str | None
    """Of the sorted column, as text."""
    key: str


@dataclass(frozen=True)
class Page:
    """Which rows of a list are asked for."""

    column: str
    """The list is sorted by it."""
    is_descending: bool
    search: str = ""
    after: Cursor | None = None

    @property
    def sort(self) -> str:
        return f"-{self.column}" if self.is_descending else self.column

    def next_cursor(self, filters: Filters, found: Rows, value: str, key: str) -> str | None:
        """Returns the cursor after the listed rows; None if `found` has no row more than `filters.limit`."""
        if len(found) <= filters.limit:
            return None
        last = found[filters.limit - 1]
        text = last[value].isoformat() if isinstance(last[value], datetime) else last[value]
        shown = None if text is None else str(text)
        return encoded(Cursor(self.sort, filters.start, filters.end, shown, str(last[key])))


class Listed(TypedDict):
    """What an answer has beside its rows."""

    next_cursor: Annotated[str | None, Field(description="Give it as `cursor` for the next rows; null on the last.")]


def encoded(cursor: Cursor) -> str:
    return urlsafe_b64encode(orjson.dumps([*cursor])).decode()


def decoded(text: str) -> Cursor:
    try:
        sort, start, end, value, key = orjson.loads(urlsafe_b64decode(text))
        start, end = (within_calendar(datetime.fromisoformat(moment)) for moment in (start, end))
        texts = [sort, key] if value is None else [sort, key, value]
        if start < end <= start + MAX_WINDOW and all(map(is_text, texts)):
            return Cursor(sort, start, end, value, key)
    except (ValueError, TypeError, OverflowError):  # of base64, of JSON, and of times
        pass
    raise PydanticCustomError("cursor", NOT_A_CURSOR)


def is_text(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value


# --- The query string ---


@dataclass(frozen=True)
class ListKind:
    """A list, and how it may be sorted."""

    name: str
    columns: Mapping[str, str]
    """The SQL type of each column that it can be sorted by."""
    default: str
    key: str = "text"
    """The SQL type of the key by which rows with the same value are sorted."""

    @property
    def sorts(self) -> list[str]:
        return [sort for column in self.columns for sort in (column, f"-{column}")]

    def known_sort(self, sort: str) -> str:
        if sort not in self.sorts:
            message = f"must be one of {', '.join(self.columns)}; with - before it, the largest come first"
            raise PydanticCustomError("sort", message)
        return sort

    @property
    def model(self) -> type[WindowQuery]:
        """Returns the model of its parameters."""
        return models[self.name]


models: dict[str, type[WindowQuery]] = {}


def list_kind(name: str, columns: Mapping[str, str], default: str, key: str = "text") -> ListKind:
    kind = ListKind(name, columns, default, key)
    schema: JsonDict = {"enum": [*kind.sorts]}
    sorts = f"One of {', '.join(columns)}; with - before it, the largest come first."
    # mypy cannot know these fields, as those of Query: they come from a table.
    fields: dict[str, Any] = {
        "sort": (
            Annotated[
                str,
                AfterValidator(kind.known_sort),
                Field(description=sorts, json_schema_extra=schema),
            ],
            default,
        ),
        "search": (Annotated[Text | None, Field(description="Only those whose name contains this text.")], None),
        "cursor": (
            Annotated[str | None, AfterValidator(decoded), Field(description="Where the page begins.")],
            None,
        ),
    }
    models[name] = create_model(f"{name.title()}Query", __base__=Query, **fields)
    return kind


def parse(
    query: QueryDict, workspace_id: UUID, kind: ListKind, now: datetime | None = None, zone: ZoneInfo = UTC_ZONE
) -> tuple[Page, Filters]:
    """Returns the page and the filters, or raises a 422 Problem that names every error."""
    valid, filters = query_string.parse_query(query, workspace_id, kind.model, now, zone=zone)
    sort, after = valid.sort, valid.cursor  # type: ignore[attr-defined]
    if after:
        check_cursor(after, sort, kind)
        filters = replace(filters, start=after.start, end=after.end, range=None)
    column = sort.removeprefix("-")
    # It has no series, and wide buckets are few.
    filters = replace(filters, granularity="daily")
    return Page(column, sort.startswith("-"), valid.search or "", after), filters  # type: ignore[attr-defined]


def moment(text: str) -> datetime:
    return within_calendar(datetime.fromisoformat(text))


def whole_number(text: str) -> int:
    number = int(text)
    if abs(number) >= 2**31:
        raise ValueError
    return number


READERS: dict[str, Callable[[str], Any]] = {
    "bigint": int,
    "float8": float,
    "integer": whole_number,
    "numeric": Decimal,
    "text": str,
    "timestamptz": moment,
}
"""Reads a text as PostgreSQL does, by the type."""


def check_cursor(cursor: Cursor, sort: str, kind: ListKind) -> None:
    """Raises a 422 Problem for a cursor of another list, or one that somebody has made up."""
    try:
        if cursor.value is not None:
            READERS[kind.columns[sort.removeprefix("-")]](cursor.value)
        READERS[kind.key](cursor.key)
        is_sound = cursor.sort == sort and len(cursor.value or "") <= NAME_LENGTH
    except (ValueError, ArithmeticError, PydanticCustomError):
        is_sound = False
    if not is_sound:
        raise Problem(422, "The query string is not valid.", [{"loc": ["query", "cursor"], "msg": NOT_A_CURSOR}])


def query_errors(kind: ListKind, query: QueryDict) -> list[FieldError]:
    try:
        parse(query, UUID(int=0), kind)
    except Problem as problem:
        return problem.errors
    return []


def errors_of(kind: ListKind) -> Any:
    return partial(query_errors, kind)


# --- SQL ---

# `value` is the sorted column of `ranked`.
AFTER = {
    (True, True): "(value < {value} OR value IS NULL OR (value = {value} AND {key} > {after_key}))",
    (False, True): "(value > {value} OR value IS NULL OR (value = {value} AND {key} > {after_key}))",
    (True, False): "(value IS NULL AND {key} > {after_key})",
    (False, False): "(value IS NULL AND {key} > {after_key})",
}
"""By whether the list descends, and whether the last row before the page has a value."""


def after_sql(page: Page, kind: ListKind, key: str) -> str:
    """Returns the condition for the rows of the page: those after the cursor."""
    if page.after is None:
        return "true"
    return AFTER[page.is_descending, page.after.value is not None].format(
        value=f"%(after_value)s::{kind.columns[page.column]}", key=key, after_key=f"%(after_key)s::{kind.key}"
    )


def order_sql(page: Page, key: str) -> str:
    return f"value {'DESC' if page.is_descending else 'ASC'} NULLS LAST, {key}"


def page_params(page: Page, filters: Filters) -> dict[str, Any]:
    after = page.after
    return {
        **filters.params,
        **search_params(page.search),
        "after_value": after.value if after else None,
        "after_key": after.key if after else None,
        "rows": filters.limit + 1,
    }
