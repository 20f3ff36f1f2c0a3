"""Parses the query string of `/api/v1/query`: the parameters of every read, and what is measured by what."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import QueryDict
from pydantic import AfterValidator, Field, create_model, model_validator
from pydantic_core import PydanticCustomError

from analytics import query_string
from analytics.query_measures import DIMENSIONS, MEASURES, SCORE_DIMENSIONS, SCORE_PREFIX, TOOL
from analytics.query_string import Query, Text, WindowQuery, distinct_values, filter_fields
from traces.buckets import UTC_ZONE
from traces.filters import LABEL_PREFIX, Filters, FilterValues
from traces.text import NAME_LENGTH
from web.problems import FieldError, Problem
from workspaces.label_limits import LABEL_LENGTH

Compare = Literal["previous", "last_week"]
COMPARES = ("previous", "last_week")
EVERY_TOOL = FilterValues()
MAX_BY, MAX_MEASURES = 2, 20


@dataclass(frozen=True)
class Parameters:
    """What is measured, and by what. The window and the filters are `Filters`."""

    measures: tuple[str, ...]
    by: tuple[str, ...] = ()
    order: str = ""
    """A measure. With a minus before it, the largest come first."""
    compare: Compare | None = None
    tool: FilterValues = EVERY_TOOL
    counts_tools: bool = False
    """Tool calls are measured instead of model calls."""
    is_series: bool = False

    @property
    def order_measure(self) -> str:
        return self.order.removeprefix("-")

    @property
    def direction(self) -> str:
        return "DESC" if self.order.startswith("-") else "ASC"


def names_of(text: str) -> tuple[str, ...]:
    r"""Splits a list at its commas. In a name, `\,` is a comma."""
    names = tuple(name.replace("\\,", ",") for name in re.split(r"(?<!\\),", text) if name)
    if "\0" in text or len(names) != len(set(names)):
        raise PydanticCustomError("names", "must not name anything twice, nor contain a NUL character")
    return names


def is_named(name: str, prefix: str, most_bytes: int) -> bool:
    return name.startswith(prefix) and 0 < len(name.removeprefix(prefix).encode()) <= most_bytes


def known_measures(text: str) -> tuple[str, ...]:
    names = names_of(text)
    unknown = [name for name in names if not (name in MEASURES or is_named(name, SCORE_PREFIX, NAME_LENGTH))]
    if unknown or not 0 < len(names) <= MAX_MEASURES:
        known = ", ".join((*MEASURES, f"{SCORE_PREFIX}<name>"))
        raise PydanticCustomError("measures", f"must be 1 to {MAX_MEASURES} of {known}, with a comma between them")
    return names


def known_dimensions(text: str) -> tuple[str, ...]:
    names = names_of(text)
    unknown = [name for name in names if not (name in DIMENSIONS or is_named(name, LABEL_PREFIX, LABEL_LENGTH))]
    if unknown or len(names) > MAX_BY:
        known = ", ".join((*DIMENSIONS, f"{LABEL_PREFIX}<name>"))
        raise PydanticCustomError("by", f"must be at most {MAX_BY} of {known}, with a comma between them")
    return names


def known_compare(text: str) -> str:
    if text not in COMPARES:
        raise PydanticCustomError("compare", f"must be one of {', '.join(COMPARES)}")
    return text


def fit_together(parameters: Any) -> Any:
    """Checks the parameters against each other."""
    order = (parameters.order or "").removeprefix("-")
    if order and order not in parameters.measures:
        raise PydanticCustomError("order", f"must be one of the measures: {', '.join(parameters.measures)}")
    narrowing = {*parameters.by, *(TOOL for name in TOOL_FIELDS if getattr(parameters, name))}
    unknown = sorted(name for name in narrowing - {*SCORE_DIMENSIONS} if not name.startswith(LABEL_PREFIX))
    if unknown and any(name.startswith(SCORE_PREFIX) for name in parameters.measures):
        fitting = ", ".join((*SCORE_DIMENSIONS, f"{LABEL_PREFIX}<name>"))
        raise PydanticCustomError("measures", f"scores have no {' and no '.join(unknown)}; they have {fitting}")
    return parameters


# mypy cannot know these fields, as those of Query: their names come from a table.
FIELDS: dict[str, Any] = {
    "measures": (
        Annotated[
            str,
            AfterValidator(known_measures),
            Field(
                validate_default=True,
                description=f"What is measured, with commas: {', '.join((*MEASURES, SCORE_PREFIX))}<name>.",
            ),
        ],
        "calls",
    ),
    "by": (
        Annotated[
            str,
            AfterValidator(known_dimensions),
            Field(
                validate_default=True,
                description=f"At most two, with a comma: {', '.join((*DIMENSIONS, LABEL_PREFIX))}<name>.",
            ),
        ],
        "",
    ),
    "order": (
        Annotated[
            Text | None,
            Field(
                description="One of the measures; with - before it, the largest come first. By default the largest of "
                "the first measure."
            ),
        ],
        None,
    ),
    "compare": (
        Annotated[
            str | None,
            AfterValidator(lambda text: text if text is None else known_compare(text)),
            Field(
                description="Adds the values of the window of equal length before, or of the same times a week before.",
                json_schema_extra={"enum": list(COMPARES)},
            ),
        ],
        None,
    ),
}
TOOL_FIELDS = filter_fields(TOOL, "Only calls of this tool: tool calls are measured instead of model calls.")
QueryParameters: type[WindowQuery] = create_model(
    "QueryParameters",
    __base__=Query,
    __validators__={"fit_together": cast(Any, model_validator(mode="after")(fit_together))},
    **FIELDS,
    **TOOL_FIELDS,
)


def parse(
    query: QueryDict, workspace_id: UUID, now: datetime | None = None, zone: ZoneInfo = UTC_ZONE
) -> tuple[Parameters, Filters]:
    """Returns the parameters and the filters, or raises a 422 Problem that names every error."""
    is_grouped_series = bool(query.get("granularity") and query.get("by"))
    valid, filters = query_string.parse_query(
        query, workspace_id, QueryParameters, now, limits_series=is_grouped_series, zone=zone
    )
    values = {name: getattr(valid, name) for name in FIELDS}
    values["order"] = values["order"] or f"-{values['measures'][0]}"
    tool = FilterValues(*(distinct_values(TOOL, getattr(valid, name)) for name in TOOL_FIELDS))
    counts_tools = TOOL in values["by"] or any(tool)
    return Parameters(**values, tool=tool, counts_tools=counts_tools, is_series=valid.granularity is not None), filters


def errors(query: QueryDict) -> list[FieldError]:
    try:
        parse(query, UUID(int=0))
    except Problem as problem:
        return problem.errors
    return []
