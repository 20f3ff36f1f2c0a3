"""Parses the query string of a report: its window or period, its filters, and the paper of a PDF."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import QueryDict
from pydantic import Field, create_model, model_validator
from pydantic_core import PydanticCustomError

from analytics import query_string
from analytics.query_string import Query, WindowQuery
from analytics.templatetags.links import iso
from reports.kinds import KINDS
from reports.kinds.statement import possible_subjects
from reports.making import Paper
from reports.periods import PERIODS, Period, granularity_of, window_of
from traces.buckets import UTC_ZONE
from traces.filters import Filters
from web.problems import FieldError, Problem
from workspaces.time_zones import time_zones

LEFT_OUT = ("limit", "format")
"""Parameters of other reads that a report has no use for."""
WINDOW = ("range", "start", "end")


class ReportParameters(NamedTuple):
    filters: Filters
    paper: Paper
    subject: str
    """The filter that a statement is about; empty: as its rule says."""


def fit_together(parameters: Any) -> Any:
    if parameters.period and (parameters.range or parameters.start or parameters.end):
        raise PydanticCustomError("period", "give either period, or range, or start and end")
    return parameters


# mypy cannot know these fields, as those of Query: its own come from a table.
FIELDS: dict[str, Any] = {
    "period": (
        Annotated[
            Period | None,
            Field(
                description="A day, week or month of the zone instead of a window: the last whole one, or the running."
            ),
        ],
        None,
    ),
    "paper": (Annotated[Paper, Field(description="The paper of a PDF.")], "a4"),
    "subject": (
        Annotated[
            str,
            Field(description="The filter that a statement is about, if several have one value, like label.customer."),
        ],
        "",
    ),
}
ReportQuery: type[WindowQuery] = create_model(
    "ReportQuery",
    __base__=Query,
    __validators__={"fit_together": cast(Any, model_validator(mode="after")(fit_together))},
    **FIELDS,
)


def parse(
    kind: str, query: QueryDict, workspace_id: UUID, now: datetime | None = None, zone: ZoneInfo = UTC_ZONE
) -> ReportParameters:
    """Returns the parameters, or raises a 422 Problem that names every error."""
    found = parse_window(query, workspace_id, now, zone)
    if errors := [*KINDS[kind].errors(found.filters), *subject_errors(found)]:
        raise Problem(422, "The query string is not valid.", errors)
    return found


def parse_window(
    query: QueryDict, workspace_id: UUID, now: datetime | None = None, zone: ZoneInfo = UTC_ZONE
) -> ReportParameters:
    """Does as `parse` for any kind, whatever filters it needs."""
    now, errors = now or datetime.now(UTC), left_out(query)
    known = in_window(query, now, zone)
    for name in LEFT_OUT:
        known.pop(name, None)
    try:
        valid, filters = query_string.parse_query(known, workspace_id, ReportQuery, now, zone=zone)
    except Problem as problem:
        problem.errors += errors
        raise
    if errors:
        raise Problem(422, "The query string is not valid.", errors)
    if valid.granularity is None:
        filters = replace(filters, granularity=granularity_of(filters.start, filters.end))
    return ReportParameters(filters, valid.paper, valid.subject)  # type: ignore[attr-defined]


def subject_errors(valid: ReportParameters) -> list[FieldError]:
    if not valid.subject or valid.subject in possible_subjects(valid.filters):
        return []
    message = "must be a filter of this query with exactly one value: a label, user_id or agent_id"
    return [{"loc": ["query", "subject"], "msg": message}]


def in_window(query: QueryDict, now: datetime, zone: ZoneInfo) -> QueryDict:
    """Returns the query string with the window of its period."""
    found = query.copy()
    period: Any = query.get("period")
    if period not in PERIODS or any(name in query for name in WINDOW):
        return found
    name = query.get("zone")
    in_zone = ZoneInfo(name) if name in time_zones() else zone
    found.pop("period")
    found["start"], found["end"] = map(iso, window_of(period, now, in_zone))
    return found


def left_out(query: QueryDict) -> list[FieldError]:
    return [
        {"loc": ["query", name], "msg": "a report has all its rows: it takes no such parameter"}
        for name in LEFT_OUT
        if name in query
    ]


def query_errors(kind: str, query: QueryDict) -> list[FieldError]:
    try:
        parse(kind, query, UUID(int=0))
    except Problem as problem:
        return problem.errors
    return []
