"""Parses the query string of an export: which rows, and after which one it begins."""

from datetime import datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import QueryDict
from pydantic import AfterValidator, Field, create_model

from analytics import query_string
from analytics.query_string import Moment, Text, WindowQuery
from analytics.score_views import ScoreQuery
from analytics.scores import ScoreFilters, list_conditions, score_params
from explorer import list_parameters
from explorer.list_parameters import OWN as OWN_OF_TRACES
from explorer.list_parameters import TraceListQuery, or_none, truth
from explorer.trace_filters import Place, TraceFilters
from reports.exports.reading import Question
from traces.buckets import UTC_ZONE
from traces.filters import Filters
from web.problems import FieldError, Problem

KEYS = {
    "calls": ("timestamp", "trace_id", "span_id"),
    "scores": ("timestamp", "id"),
    "traces": ("started_at", "trace_id"),
}
"""By what the rows of each kind are ordered. An export begins after a row if these of it are given."""
AFTER = "after_"
LEFT_OUT = ("limit", "cursor", "format", "granularity", "sort")
"""Parameters of the lists that a whole table has no use for."""
INCOMPLETE = "give {names} of the last row together"


def key_parameters(kind: str) -> dict[str, str]:
    """Returns the parameters that name the last row, each with the column of the file that it repeats."""
    columns = {"timestamp": "started_at"} if kind == "calls" else {}
    return {f"{AFTER}{columns.get(name, name)}": columns.get(name, name) for name in KEYS[kind]}


def model_of(kind: str, base: type[WindowQuery]) -> type[WindowQuery]:
    fields: dict[str, Any] = {"content": CONTENT} if kind == "calls" else {}
    for name, column in key_parameters(kind).items():
        of_last = Field(description=f"`{column}` of the last row that you have: the export begins after it.")
        fields[name] = (Annotated[(Moment if column in TIMES else Text) | None, of_last], None)
    return create_model(f"{kind.title()}Export", __base__=base, **fields)


CONTENT: Any = (
    Annotated[
        str | None,
        AfterValidator(truth),
        or_none({"type": "boolean"}),
        Field(description="true: with the attributes of each call, prompts and answers among them."),
    ],
    None,
)
TIMES = ("started_at", "timestamp")
MODELS = {
    "calls": model_of("calls", query_string.Query),
    "scores": model_of("scores", ScoreQuery),
    "traces": model_of("traces", TraceListQuery),
}


class ExportRequest(NamedTuple):
    """A valid query string of an export."""

    filters: Filters
    with_content: bool
    rows: Question | TraceFilters
    """Traces are found as their list finds them."""


def parse(
    kind: str, query: QueryDict, workspace_id: UUID, now: datetime | None = None, zone: ZoneInfo = UTC_ZONE
) -> ExportRequest:
    """Returns the parameters, or raises a 422 Problem that names every error."""
    check_left_out(query)
    valid, filters = query_string.parse_query(query, workspace_id, MODELS[kind], now, zone=zone)
    after = place_after(kind, valid)
    with_content = bool(getattr(valid, "content", None))
    if kind == "traces":
        return ExportRequest(filters, with_content, trace_filters(valid, filters, after))
    return ExportRequest(
        filters, with_content, calls(filters, after) if kind == "calls" else scores(valid, filters, after)
    )


def check_left_out(query: QueryDict) -> None:
    errors: list[FieldError] = [
        {"loc": ["query", name], "msg": "an export has all rows: it takes no such parameter"}
        for name in LEFT_OUT
        if name in query
    ]
    if errors:
        raise Problem(422, "The query string is not valid.", errors)


def place_after(kind: str, query: WindowQuery) -> tuple[Any, ...] | None:
    names = list(key_parameters(kind))
    values = tuple(getattr(query, name) for name in names)
    if all(value is None for value in values):
        return None
    missing = [name for name, value in zip(names, values, strict=True) if value is None]
    if missing:
        message = INCOMPLETE.format(names=", ".join(names))
        errors: list[FieldError] = [{"loc": ["query", name], "msg": message} for name in missing]
        raise Problem(422, "The query string is not valid.", errors)
    return values


def calls(filters: Filters, after: tuple[Any, ...] | None) -> Question:
    return Question("traces", KEYS["calls"], filters.row_condition, filters.params, filters.start, filters.end, after)


def scores(query: WindowQuery, filters: Filters, after: tuple[Any, ...] | None) -> Question:
    narrowed = ScoreFilters(**{name: getattr(query, name) for name in ScoreFilters._fields})
    condition = "\n      AND ".join(["workspace_id = %(workspace_id)s", *list_conditions(filters, narrowed)])
    params = score_params(filters) | narrowed._asdict()
    return Question("scores", KEYS["scores"], condition, params, filters.start, filters.end, after)


def trace_filters(query: WindowQuery, filters: Filters, after: tuple[Any, ...] | None) -> TraceFilters:
    """Returns the question for traces, which come newest first, as their list does."""
    own = {name: getattr(query, name) for name in OWN_OF_TRACES}
    own["search"] = own["search"] or ""
    return TraceFilters(filters, tool=list_parameters.tool_values(query), after=Place(*after) if after else None, **own)


def query_errors(kind: str, query: QueryDict) -> list[FieldError]:
    try:
        parse(kind, query, UUID(int=0))
    except Problem as problem:
        return problem.errors
    return []
