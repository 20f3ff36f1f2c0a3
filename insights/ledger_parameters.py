"""Parses the query string of `/api/v1/cost/ledger`: a window, filters, and days or longer."""

from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import QueryDict
from pydantic import Field, create_model

from analytics import query_string
from analytics.query_string import Query, WindowQuery
from traces.buckets import UTC_ZONE
from traces.filters import Filters
from web.problems import FieldError, Problem

MOST_MODELS = 100
FIELDS: dict[str, Any] = {
    "granularity": (
        Annotated[
            Literal["daily", "weekly", "monthly"],
            Field(description="Lines of days, or of whole weeks or months, of the zone."),
        ],
        "daily",
    ),
    "limit": (
        Annotated[int, Field(ge=1, le=MOST_MODELS, description="The largest number of models; the others are one.")],
        MOST_MODELS,
    ),
}
LedgerQuery: type[WindowQuery] = create_model("LedgerQuery", __base__=Query, **FIELDS)


def parse(query: QueryDict, workspace_id: UUID, zone: ZoneInfo = UTC_ZONE) -> Filters:
    """Returns the filters, or raises a 422 Problem that names every error."""
    return query_string.parse_query(query, workspace_id, LedgerQuery, zone=zone)[1]


def errors(query: QueryDict) -> list[FieldError]:
    try:
        parse(query, UUID(int=0))
    except Problem as problem:
        return problem.errors
    return []
