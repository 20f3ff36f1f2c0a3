"""Parses the query string of the list of traces."""

import math
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from django.http import QueryDict
from pydantic import AfterValidator, Field, WithJsonSchema, create_model
from pydantic_core import PydanticCustomError

from analytics import query_string
from analytics.query_string import FILTER_FIELDS, Text, WindowQuery, distinct_values, filter_fields
from explorer.trace_filters import SORTS, Place, Sort, TraceFilters
from traces.buckets import UTC_ZONE
from traces.filters import FilterValues
from web.problems import FieldError, Problem

TOOL_FIELDS = ("tool", "not_tool")
MOST = 1e15
"""Of milliseconds and dollars."""
OWN = ("search", "min_latency_ms", "min_cost_usd", "has_error", "sort")


OTHER_SORT = "must be the next_cursor of an earlier answer with the same sort"


def place_of(cursor: str) -> Place:
    try:
        timestamp, trace_id, sort, amount = orjson.loads(urlsafe_b64decode(cursor))
        place = Place(query_string.within_calendar(datetime.fromisoformat(timestamp)), trace_id, sort, float(amount))
        if isinstance(trace_id, str) and "\0" not in trace_id and sort in SORTS:
            return place
    except (ValueError, TypeError, OverflowError):  # of base64, of JSON, and of times
        pass
    raise PydanticCustomError("cursor", "must be the next_cursor of an earlier answer")


def cursor_of(place: Place | None) -> str | None:
    return urlsafe_b64encode(orjson.dumps([*place])).decode() if place else None


def amount(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < MOST:
        raise PydanticCustomError("amount", f"must be a number that is not negative and below {MOST:.0e}")
    return value


def truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise PydanticCustomError("truth", "must be true or false")
    return text == "true"


def or_none(schema: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [schema, {"type": "null"}]})


NUMBER = or_none({"type": "number", "minimum": 0, "exclusiveMaximum": MOST})
# mypy cannot know these fields: those of the filters come from a table.
FIELDS: dict[str, Any] = {
    **FILTER_FIELDS,
    **filter_fields("operation", "Only traces with a span of this operation."),
    **filter_fields("status", "Only traces with this status as a whole.", ("success", "error", "timeout")),
    **filter_fields("tool", "Only traces with a call of this tool."),
    "search": (
        Annotated[
            Text | None,
            Field(
                description="Only traces with this text in an id, a name, a user, a session or an error of a span; "
                "in prompts and answers too, where the reader may see them."
            ),
        ],
        None,
    ),
    "min_latency_ms": (
        Annotated[
            str | None,
            AfterValidator(amount),
            NUMBER,
            Field(description="Only traces that took so long, from the first start to the last end."),
        ],
        None,
    ),
    "min_cost_usd": (
        Annotated[
            str | None,
            AfterValidator(amount),
            NUMBER,
            Field(description="Only traces that cost so much."),
        ],
        None,
    ),
    "has_error": (
        Annotated[
            str | None,
            AfterValidator(truth),
            or_none({"type": "boolean"}),
            Field(
                description="true: one of its spans failed, even if the trace succeeded; false: none did.",
            ),
        ],
        None,
    ),
    "sort": (
        Annotated[
            Sort,
            Field(
                description="The order. Where it is not newest and `searched_until` is not null, only the newest part "
                "of the window is sorted, since that time, and there is no next page."
            ),
        ],
        "newest",
    ),
    "cursor": (
        Annotated[str | None, AfterValidator(place_of), Field(description="Where the page begins.")],
        None,
    ),
    "format": (
        Annotated[
            Literal["json", "csv"],
            Field(description="csv: all traces of the window and filters as a file, the newest first."),
        ],
        "json",
    ),
}
TraceListQuery: type[WindowQuery] = create_model("TraceListQuery", __base__=WindowQuery, **FIELDS)


class ListParameters:
    """The parameters of one request of the list."""

    def __init__(self, query: WindowQuery, question: TraceFilters) -> None:
        self.question = question
        self.limit = query.limit
        self.is_csv = query.format == "csv"


def parse(
    query: QueryDict,
    workspace_id: UUID,
    sees_content: bool = False,
    now: datetime | None = None,
    zone: ZoneInfo = UTC_ZONE,
) -> ListParameters:
    """Returns the parameters, or raises a 422 Problem that names every error."""
    valid, filters = query_string.parse_query(query, workspace_id, TraceListQuery, now, zone=zone)
    check_cursor(valid)
    own = {name: getattr(valid, name) for name in OWN}
    own["search"] = own["search"] or ""
    question = TraceFilters(
        filters,
        tool=tool_values(valid),
        searches_content=sees_content and bool(own["search"]),
        after=valid.cursor,  # type: ignore[attr-defined]
        **own,
    )
    return ListParameters(valid, question)


def tool_values(query: WindowQuery) -> FilterValues:
    return FilterValues(*(distinct_values("tool", getattr(query, name)) for name in TOOL_FIELDS))


def check_cursor(query: WindowQuery) -> None:
    """Raises a 422 Problem for a cursor of a list in another order."""
    place, sort = query.cursor, query.sort  # type: ignore[attr-defined]
    if place is not None and place.sort != sort:
        error: FieldError = {"loc": ["query", "cursor"], "msg": OTHER_SORT}
        raise Problem(422, "The query string is not valid.", [error])


def query_errors(query: QueryDict) -> list[FieldError]:
    try:
        parse(query, UUID(int=0))
    except Problem as problem:
        return problem.errors
    return []
