"""Parses the query string of `/api/v1/insights/compare`: which slices of the calls are laid side by side."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, NamedTuple, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import QueryDict
from pydantic import AfterValidator, Field, create_model, model_validator
from pydantic_core import PydanticCustomError

from analytics import query_string
from analytics.query_measures import COLUMNS
from analytics.query_string import MAX_WINDOW, NOT, Moment, Query, Text, WindowQuery, distinct_values
from insights.change_parameters import dimension_pattern, known_dimension
from traces.buckets import UTC_ZONE
from traces.filters import DIMENSION_BY_NAME, LABEL_PREFIX, Filters, FilterValues
from traces.text import NAME_LENGTH
from web.problems import FieldError, Problem

NAMES = ("a", "b", "c", "d")
"""Of the slices. The others are compared with the first."""
DEFAULT_BY = "model"
DIMENSIONS = tuple(name for name in COLUMNS if name != "user_id")
"""The calls of a user are alike, so those of two users say nothing about others."""
KNOWN = ", ".join((*DIMENSIONS, f"{LABEL_PREFIX}<name>"))
FIRST_COLON = re.compile(r"(?<!\\):")


class Slice(NamedTuple):
    """Calls that are compared: one value of a dimension, a window, or both."""

    name: str
    dimension: str | None = None
    value: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    """None: the window of the request."""

    def filters(self, filters: Filters) -> Filters:
        """Returns the filters that choose its calls, among those of the request."""
        if self.start and self.end:
            filters = replace(filters, start=self.start, end=self.end, range=None)
        if self.dimension is None or self.value is None:
            return filters
        excluded = filters.values.get(self.dimension, FilterValues()).excluded
        return replace(filters, values={**filters.values, self.dimension: FilterValues((self.value,), excluded)})


@dataclass(frozen=True)
class Parameters:
    """What is compared: the slices, or the two largest values of the dimension `by`."""

    by: str | None
    slices: tuple[Slice, ...]


def dimension_and_value(text: str) -> tuple[str, str]:
    r"""Splits at the first colon. In the name of a label, `\:` is a colon."""
    parts = FIRST_COLON.split(text, maxsplit=1)
    dimension = parts[0].replace("\\:", ":")
    if len(parts) < 2 or not parts[1]:
        raise PydanticCustomError("slice", "must be <dimension>:<value>, like model:gpt-4o")
    compared_dimension(dimension)
    one_of = DIMENSION_BY_NAME[dimension].one_of if dimension in DIMENSION_BY_NAME else ()
    if one_of and parts[1] not in one_of:
        raise PydanticCustomError("slice", f"{dimension} must be one of {', '.join(one_of)}")
    return dimension, distinct_values(dimension, [parts[1]])[0]


def compared_dimension(name: str) -> str:
    if name == "user_id":
        raise PydanticCustomError("by", "the calls of a user are alike, so users cannot be compared")
    return known_dimension(name)


def slice_text(dimension: str, value: str) -> str:
    """Returns the parameter that stands for a slice."""
    escaped = dimension.replace(":", "\\:")
    return f"{escaped}:{value}"


def known_slice(text: str) -> str:
    dimension_and_value(text)
    return text


def fit_together(parameters: Any) -> Any:
    """Checks the parameters against each other."""
    given = [name for name in NAMES if is_given(parameters, name)]
    if given and parameters.by:
        raise PydanticCustomError("by", "give either by, or slices")
    has_window = any(getattr(parameters, f"{name}_{end}") for name in given for end in ("start", "end"))
    has_first = "a" in given or has_window  # the window of the request is the first then
    expected = [*NAMES][: max(len(given) + ("a" not in given), 2)]
    if given and (not has_first or [*dict.fromkeys(["a", *given])] != expected):
        missing = next((name for name in expected if name not in given), expected[-1])
        raise PydanticCustomError(missing, "slices are a and b, and then c and d")
    for name in given:
        check_window(parameters, name)
        check_filters(parameters, name)
    return parameters


def is_given(parameters: Any, name: str) -> bool:
    return any(getattr(parameters, field) for field in (name, f"{name}_start", f"{name}_end"))


def check_window(parameters: Any, name: str) -> None:
    first, last = getattr(parameters, f"{name}_start"), getattr(parameters, f"{name}_end")
    if bool(first) != bool(last):
        missing = f"{name}_end" if first else f"{name}_start"
        raise PydanticCustomError(missing, f"{name}_start and {name}_end go together")
    if first and last <= first:
        raise PydanticCustomError(f"{name}_end", f"must be later than {name}_start")
    if first and last - first > MAX_WINDOW:
        raise PydanticCustomError(f"{name}_start", "the window must not be longer than 400 days")


def check_filters(parameters: Any, name: str) -> None:
    """Refuses a slice that the filters of the request leave out: it would never have a call."""
    if not (text := getattr(parameters, name)):
        return
    dimension, value = dimension_and_value(text)
    included, excluded = (values_of(parameters, field) for field in (dimension, f"{NOT}{dimension}"))
    if (included and value not in included) or value in excluded:
        raise PydanticCustomError(name, f"the filter {dimension} leaves it out")


def values_of(parameters: Any, field: str) -> tuple[str, ...]:
    if LABEL_PREFIX in field:
        return tuple(parameters.labels.get(field, ()))
    return distinct_values(field.removeprefix(NOT), getattr(parameters, field, ()))


SLICE_TEXT = Field(
    description=f"A slice: <dimension>:<value>, like model:gpt-4o. Dimensions are {KNOWN}; `\\:` is a colon in a name.",
    min_length=1,
    max_length=2 * NAME_LENGTH,
)


def slice_fields(name: str) -> Mapping[str, Any]:
    description = f"The window of slice {name}, instead of that of the request: its first moment."
    return {
        name: (Annotated[str | None, AfterValidator(lambda text: text and known_slice(text)), SLICE_TEXT], None),
        f"{name}_start": (Annotated[Moment | None, Field(description=description)], None),
        f"{name}_end": (Annotated[Moment | None, Field(description=f"First moment after it, of slice {name}.")], None),
    }


# mypy cannot know these fields, as those of Query: their names come from a table.
FIELDS: dict[str, Any] = {
    "by": (
        Annotated[
            Annotated[Text, Field(json_schema_extra={"pattern": dimension_pattern(DIMENSIONS)})] | None,
            AfterValidator(lambda name: name and compared_dimension(name)),
            Field(description=f"Compares the two values with the most calls: of {KNOWN}. Default: {DEFAULT_BY}."),
        ],
        None,
    ),
} | {field: definition for name in NAMES for field, definition in slice_fields(name).items()}
CompareQuery: type[WindowQuery] = create_model(
    "CompareQuery",
    __base__=Query,
    __validators__={"fit_together": cast(Any, model_validator(mode="after")(fit_together))},
    **FIELDS,
)


def parse(
    query: QueryDict, workspace_id: UUID, now: datetime | None = None, zone: ZoneInfo = UTC_ZONE
) -> tuple[Parameters, Filters]:
    """Returns the parameters and the filters of the window, or raises a 422 Problem that names every error."""
    valid, filters = query_string.parse_query(query, workspace_id, CompareQuery, now, zone=zone)
    given = [name for name in NAMES if is_given(valid, name)]
    slices = tuple(slice_of(valid, name) for name in dict.fromkeys(["a", *given])) if given else ()
    by = None if given else getattr(valid, "by", None) or DEFAULT_BY
    # It has no series, and wide buckets are few.
    return Parameters(by, slices), replace(filters, granularity="daily")


def slice_of(parameters: Any, name: str) -> Slice:
    text = getattr(parameters, name)
    dimension, value = dimension_and_value(text) if text else (None, None)
    return Slice(name, dimension, value, getattr(parameters, f"{name}_start"), getattr(parameters, f"{name}_end"))


def errors(query: QueryDict) -> list[FieldError]:
    try:
        parse(query, UUID(int=0))
    except Problem as problem:
        return problem.errors
    return []
