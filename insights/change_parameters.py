"""Parses the query string of `/api/v1/insights/changes`: what changed, by which dimension, between which windows."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import QueryDict
from pydantic import AfterValidator, Field, create_model, model_validator
from pydantic_core import PydanticCustomError

from analytics import query_string
from analytics.query_measures import COLUMNS
from analytics.query_parameters import COMPARES, Compare, known_compare
from analytics.query_string import MAX_WINDOW, Moment, Query, Text, WindowQuery
from budgets.bodies import LABEL_PATTERN
from traces.buckets import UTC_ZONE
from traces.filters import LABEL_PREFIX, Filters
from web.problems import FieldError, Problem
from workspaces.label_limits import LABEL_LENGTH

Measure = Literal["cost_usd", "calls", "tokens", "avg_latency_ms", "error_rate", "cost_per_call_usd"]
MEASURES = ("cost_usd", "calls", "tokens", "avg_latency_ms", "error_rate", "cost_per_call_usd")
OF_USERS = ("cost_usd", "calls", "cost_per_call_usd")
"""What the sums of users know."""
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Parameters:
    """What changed, and by which dimension it is explained."""

    measure: Measure
    by: str
    compare: Compare
    before_start: datetime | None
    before_end: datetime | None

    def before(self, filters: Filters) -> Filters:
        """Returns the filters of the earlier window."""
        if self.before_start and self.before_end:
            return replace(filters, start=self.before_start, end=self.before_end, range=None)
        if self.compare == "previous":
            return replace(filters.previous, range=None)
        return replace(filters, start=a_week_before(filters.start, filters), end=a_week_before(filters.end, filters))


def a_week_before(moment: datetime, filters: Filters) -> datetime:
    """Returns the same wall clock, so that a day is compared with a day where clocks change."""
    local = moment.astimezone(filters.zone).replace(tzinfo=None) - WEEK
    return local.replace(tzinfo=filters.zone).astimezone(moment.tzinfo)


def known_dimension(name: str) -> str:
    label = name.removeprefix(LABEL_PREFIX)
    is_label = name.startswith(LABEL_PREFIX) and 0 < len(label.encode()) <= LABEL_LENGTH
    if name not in COLUMNS and not is_label:
        raise PydanticCustomError("by", f"must be one of {', '.join((*COLUMNS, f'{LABEL_PREFIX}<name>'))}")
    return name


def dimension_pattern(names: Iterable[str]) -> str:
    """Returns what the API document says of the name of a dimension, one of `names` or a label."""
    return f"^({'|'.join(names)}|{LABEL_PATTERN})$"


def fit_together(parameters: Any) -> Any:
    """Checks the parameters against each other."""
    first, last = parameters.before_start, parameters.before_end
    if bool(first) != bool(last):
        raise PydanticCustomError("before_end" if first else "before_start", "before_start and before_end go together")
    if first and last <= first:
        raise PydanticCustomError("before_end", "must be later than before_start")
    if first and last - first > MAX_WINDOW:
        raise PydanticCustomError("before_start", "the window must not be longer than 400 days")
    if parameters.by == "user_id" and parameters.measure not in OF_USERS:
        raise PydanticCustomError("by", f"by user_id, measure must be one of {', '.join(OF_USERS)}")
    return parameters


# mypy cannot know these fields, as those of Query: its own come from a table.
FIELDS: dict[str, Any] = {
    "measure": (Annotated[Measure, Field(description="What changed.")], "cost_usd"),
    "by": (
        Annotated[
            Text,
            AfterValidator(known_dimension),
            Field(
                description=f"One of {', '.join((*COLUMNS, f'{LABEL_PREFIX}<name>'))}.",
                json_schema_extra={"pattern": dimension_pattern(COLUMNS)},
            ),
        ],
        "agent_id",
    ),
    "compare": (
        Annotated[
            str,
            AfterValidator(known_compare),
            Field(
                description="The earlier window: that of equal length before, or the same times a week before.",
                json_schema_extra={"enum": list(COMPARES)},
            ),
        ],
        "previous",
    ),
    "before_start": (
        Annotated[Moment | None, Field(description="Any earlier window instead: its first moment, with offset.")],
        None,
    ),
    "before_end": (Annotated[Moment | None, Field(description="First moment after the earlier window.")], None),
}
ChangeQuery: type[WindowQuery] = create_model(
    "ChangeQuery",
    __base__=Query,
    __validators__={"fit_together": cast(Any, model_validator(mode="after")(fit_together))},
    **FIELDS,
)


def parse(
    query: QueryDict, workspace_id: UUID, now: datetime | None = None, zone: ZoneInfo = UTC_ZONE
) -> tuple[Parameters, Filters]:
    """Returns the parameters and the filters of the later window, or raises a 422 Problem that names every error."""
    valid, filters = query_string.parse_query(query, workspace_id, ChangeQuery, now, zone=zone)
    # It has no series, and wide buckets are few.
    return Parameters(**{name: getattr(valid, name) for name in FIELDS}), replace(filters, granularity="daily")


def errors(query: QueryDict) -> list[FieldError]:
    try:
        parse(query, UUID(int=0))
    except Problem as problem:
        return problem.errors
    return []
