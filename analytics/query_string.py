"""Parses the query string of a read, once. After that, all values are valid."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import QueryDict
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    create_model,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from prices.providers import provider_name
from traces.buckets import BUCKETS, UTC_ZONE, Granularity, bucket_starts
from traces.filters import DIMENSIONS, EARLIEST, LABEL_PREFIX, LATEST, Filters, FilterValues, Range, range_start
from traces.text import NAME_LENGTH
from web.problems import FieldError, Problem
from workspaces.label_limits import LABEL_LENGTH, MAX_LABELS
from workspaces.time_zones import time_zones

# The widest window for which each granularity is the default.
DEFAULT_GRANULARITY: dict[Granularity, timedelta] = {
    "minute": timedelta(hours=3),
    "hourly": timedelta(days=8),
    "daily": timedelta(days=400),
}
MAX_WINDOW = timedelta(days=400)
MAX_BUCKETS = 1500
MAX_POINTS = 20_000
"""The limit of an answer with a point for each bucket and each series."""
MAX_VALUES = 20
"""Of one parameter."""
MAX_LABEL_FILTERS = MAX_LABELS
NOT = "not_"
"""Before the name of a filter: it excludes the values."""
IS_LABEL = re.compile(rf"(?:{NOT})?{re.escape(LABEL_PREFIX)}", re.ASCII)
LABELS = f"{LABEL_PREFIX}<name>"
"""Stands for all filters by labels in the API document and in the list of known parameters."""
ISO_8601 = "must be ISO 8601 with an offset, like 2026-11-23T10:00:00Z"


def iso_8601(value: Any) -> Any:
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", value):
        raise PydanticCustomError("iso_8601", ISO_8601)
    # A "+" that was not percent-encoded arrives as a blank.
    return re.sub(r" (?=\d\d:?\d\d$)", "+", value)


def within_calendar(value: datetime) -> datetime:
    if not EARLIEST.timestamp() <= value.timestamp() <= LATEST.timestamp():
        raise PydanticCustomError("calendar", "must lie between the years 2000 and 2100")
    return value.astimezone(UTC)


def plain_text(value: str) -> str:
    if "\x00" in value:
        raise PydanticCustomError("nul", "must not contain a NUL character")
    return value


def known_zone(value: str) -> str:
    if value not in time_zones():
        raise PydanticCustomError("zone", "must be a time zone like Europe/Berlin")
    return value


def of_a_label(value: str) -> str:
    if len(value.encode()) > LABEL_LENGTH:
        raise PydanticCustomError("label", f"must have at most {LABEL_LENGTH} bytes")
    return value


def is_filter(parameter: str) -> bool:
    """Returns whether the parameter selects or excludes values of a dimension or label."""
    return parameter in DIMENSION_FIELDS or bool(IS_LABEL.match(parameter))


def label_parameter(parameter: str) -> str:
    name = parameter.removeprefix(NOT).removeprefix(LABEL_PREFIX)
    if not name or "\x00" in name or len(name.encode()) > LABEL_LENGTH:
        message = f"the name of a label has 1 to {LABEL_LENGTH} bytes and no NUL character"
        raise PydanticCustomError("label_name", message)
    return parameter


QueryModel = TypeVar("QueryModel", bound=BaseModel)
Moment = Annotated[AwareDatetime, BeforeValidator(iso_8601), AfterValidator(within_calendar)]
Text = Annotated[
    str,
    Field(min_length=1, max_length=NAME_LENGTH, json_schema_extra={"pattern": r"^[^\u0000]*$"}),
    AfterValidator(plain_text),
]
LabelText = Annotated[Text, AfterValidator(of_a_label)]
LabelParameter = Annotated[
    str,
    AfterValidator(label_parameter),
    WithJsonSchema({"type": "string", "pattern": rf"^({NOT})?{re.escape(LABEL_PREFIX)}[^\u0000]{{1,{LABEL_LENGTH}}}$"}),
]


class WindowQuery(BaseModel):
    """The parameters of a read, without the filters by dimension."""

    model_config = ConfigDict(extra="forbid")

    range: Annotated[
        Range | None,
        Field(
            description="Window that ends now; 24h where start and end are absent. today and month begin with the day "
            "and the month of the zone."
        ),
    ] = None
    start: Annotated[Moment | None, Field(description="First moment of the window, with offset.")] = None
    end: Annotated[Moment | None, Field(description="First moment after the window, with offset.")] = None
    granularity: Annotated[
        Granularity | None,
        Field(description="The buckets: minutes, or hours, days, weeks or months of the zone; by default as fits."),
    ] = None
    zone: Annotated[
        str | None,
        AfterValidator(known_zone),
        Field(
            description="IANA zone of the hours, days, weeks and months, like Asia/Kolkata; by default the workspace's."
        ),
    ] = None
    limit: Annotated[int, Field(ge=1, le=100, description="The largest number of rows in a list.")] = 10
    format: Annotated[
        Literal["json", "csv"], Field(description="csv: the rows of the answer as a file, without its other fields.")
    ] = "json"

    @model_validator(mode="after")
    def window_is_sound(self) -> Self:
        if self.range and (self.start or self.end):
            raise PydanticCustomError("range", "give either range, or start and end")
        if bool(self.start) != bool(self.end):
            raise PydanticCustomError("end" if self.start else "start", "start and end go together")
        if self.start and self.end:
            if self.end <= self.start:
                raise PydanticCustomError("end", "must be later than start")
            if self.end - self.start > MAX_WINDOW:
                raise PydanticCustomError("start", "the window must not be longer than 400 days")
        return self


def filter_fields(name: str, description: str, one_of: tuple[str, ...] = ()) -> dict[str, Any]:
    """Returns the fields of a filter: one for the values that pass, and one for those that do not."""
    value: Any = Literal[one_of] if one_of else Text
    values = Annotated[list[value], Field(max_length=MAX_VALUES)]
    excludes = f"Leaves out what {name} selects. What has no value passes."
    return {
        name: (Annotated[values, Field(description=f"{description} Several: any of them.")], []),
        f"{NOT}{name}": (Annotated[values, Field(description=excludes)], []),
    }


LABELS_FIELD: Any = (
    Annotated[
        dict[LabelParameter, Annotated[list[LabelText], Field(min_length=1, max_length=MAX_VALUES)]],
        Field(
            max_length=MAX_LABEL_FILTERS,
            description="Only calls with this value of a label, like label.customer=acme. Several: any of them.",
            json_schema_extra={"additionalProperties": False},
        ),
    ],
    Field(default_factory=dict, alias=LABELS),
)
# mypy cannot know these fields: their names come from DIMENSIONS.
DIMENSION_FIELDS: dict[str, Any] = {
    field: definition
    for dimension in DIMENSIONS
    for field, definition in filter_fields(dimension.name, dimension.description, dimension.one_of).items()
}
FILTER_FIELDS = DIMENSION_FIELDS | {"labels": LABELS_FIELD}
Query: type[WindowQuery] = create_model("Query", __base__=WindowQuery, **FILTER_FIELDS)
"""All parameters that a read accepts."""

TOO_MANY_VALUES = f"must have at most {MAX_VALUES} values"
TOO_MANY_LABELS = f"at most {MAX_LABEL_FILTERS} filters by labels"
OF_NUMBERS = (
    *("int_parsing", "int_parsing_size", "int_from_float", "float_parsing", "finite_number"),
    *("greater_than_equal", "less_than_equal"),
)
"""Pydantic's errors of a number."""
# Messages for Pydantic's error types.
MESSAGES = {
    "string_too_short": "must not be empty",
    "string_too_long": f"must have at most {NAME_LENGTH} characters",
}


def parse_filters(
    query: QueryDict,
    workspace_id: UUID,
    now: datetime | None = None,
    limits_series: bool = False,
    zone: ZoneInfo = UTC_ZONE,
) -> Filters:
    """Returns the filters, or raises a 422 Problem that names every error of the query string.

    `limits_series` is true for an answer that has so many series as `limit` says, and one of all others. `zone` is the
    workspace's, for a query string without one.
    """
    return parse_query(query, workspace_id, Query, now, limits_series, zone)[1]


def parse_query(
    query: QueryDict,
    workspace_id: UUID,
    model: type[WindowQuery],
    now: datetime | None = None,
    limits_series: bool = False,
    zone: ZoneInfo = UTC_ZONE,
) -> tuple[WindowQuery, Filters]:
    """Returns the parameters of a read that accepts those of `model`, and the filters among them."""
    valid, errors = validate(query, model)
    filters = filters_of(valid, workspace_id, now or datetime.now(UTC), zone) if valid else None
    if filters and (error := too_many_buckets(filters) or (too_many_points(filters) if limits_series else None)):
        errors.append(error)
    if errors or filters is None or valid is None:
        raise Problem(422, "The query string is not valid.", errors)
    return valid, filters


def query_errors(query: QueryDict, limits_series: bool = False) -> list[FieldError]:
    """Returns every error of the query string."""
    try:
        parse_filters(query, UUID(int=0), limits_series=limits_series)
    except Problem as problem:
        return problem.errors
    return []


def label_name(label: str) -> str:
    """Returns the name of the filter by this label, or raises a 422 Problem."""
    try:
        return label_parameter(f"{LABEL_PREFIX}{label}")
    except PydanticCustomError as error:
        raise Problem(422, "The list is not valid.", [{"loc": ["query", "of"], "msg": error.message()}]) from error


def validate(query: QueryDict, model: type[QueryModel]) -> tuple[QueryModel | None, list[FieldError]]:
    """Returns the valid parameters (None if the window is not valid) and all errors."""
    labels = {name: values for name, values in query.lists() if IS_LABEL.match(name)}
    several = {name for name, field in model.model_fields.items() if field.default == []}
    parameters: dict[str, Any] = {
        name: values if name in several else values[-1] for name, values in query.lists() if name not in labels
    }
    errors: list[FieldError] = [
        {"loc": ["query", name], "msg": "given more than once"}
        for name, values in query.lists()
        if len(values) > 1 and name not in several and name not in labels
    ]
    left_out: set[str] = set()
    while True:
        try:
            return model.model_validate(parameters | ({LABELS: labels} if labels else {})), errors
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
        found = [field_error(error, model) for error in details]
        # A parameter that is missed only because it was left out has its error already.
        errors += [e for place, e in enumerate(found) if e not in found[:place] and e["loc"][1] not in left_out]
        wrong = {str(error["loc"][1]) for error in found}
        # Two parameters may not fit because one of them is absent: then no round could leave it out.
        if wrong & {"range", "start", "end"} or not wrong & {*parameters, LABELS}:
            return None, errors
        left_out |= wrong
        # Pydantic checks the window as a whole only if every parameter is valid: the next round omits the invalid ones.
        parameters = {name: value for name, value in parameters.items() if name not in wrong}
        labels = {} if LABELS in wrong else {name: values for name, values in labels.items() if name not in wrong}


def number_words(field: FieldInfo) -> str:
    """Returns what a number must be, by the bounds of its own field."""
    least, most = (
        next((value for one in field.metadata if (value := getattr(one, name, None)) is not None), None)
        for name in ("ge", "le")
    )
    what = "a whole number" if field.annotation is int else "a number"
    if most is not None:
        return f"must be {what} from {least} to {most}"
    return f"must be {what}" if least is None else f"must be {what} that is at least {least}"


def field_error(details: Any, model: type[BaseModel]) -> FieldError:
    # An error between parameters has the name of one of them as its type.
    kind: str = details["type"]
    loc: tuple[Any, ...] = details["loc"] or (kind,)
    # Within a list, an error names the parameter and not the place.
    name = str(loc[1] if loc[0] == LABELS and len(loc) > 1 else loc[0])
    if kind == "extra_forbidden":
        message = f"unknown parameter; known are {', '.join(known_parameters(model))}"
    elif kind == "literal_error":
        message = f"must be one of {details['ctx']['expected'].replace(' or ', ', ').replace(chr(39), '')}"
    elif kind == "timezone_aware" or kind.startswith("datetime_"):
        message = ISO_8601
    elif kind == "too_long":
        message = TOO_MANY_LABELS if name == LABELS else TOO_MANY_VALUES
    elif kind in OF_NUMBERS:
        message = number_words(model.model_fields[name])
    else:
        message = MESSAGES.get(kind, details["msg"])
    return {"loc": ["query", name], "msg": message}


def known_parameters(model: type[BaseModel]) -> list[str]:
    """Returns the names of all parameters. Each filter may have `not_` before its name."""
    names = [field.alias or name for name, field in model.model_fields.items() if not name.startswith(NOT)]
    return [*names, f"{NOT}<filter>"]


def filters_of(query: WindowQuery, workspace_id: UUID, now: datetime, zone: ZoneInfo) -> Filters:
    relative: Range | None = None
    in_zone = ZoneInfo(query.zone) if query.zone else zone
    if query.start and query.end:
        start, end = query.start, query.end
    else:
        relative = query.range or "24h"
        start, end = range_start(relative, now, in_zone), now
    granularity = query.granularity or fitting(DEFAULT_GRANULARITY.items(), end - start)
    return Filters(
        workspace_id=workspace_id,
        start=start,
        end=end,
        granularity=granularity,
        limit=query.limit,
        range=relative,
        values=filter_values(query),
        zone=in_zone,
    )


def filter_values(query: BaseModel) -> dict[str, FilterValues]:
    """Returns the values of each filter that has some, by its name."""
    parameters = {name: getattr(query, name, ()) for name in DIMENSION_FIELDS}
    parameters |= query.labels  # type: ignore[attr-defined]
    names = dict.fromkeys(name.removeprefix(NOT) for name, values in parameters.items() if values)
    return {
        name: FilterValues(
            distinct_values(name, parameters.get(name, ())), distinct_values(name, parameters.get(f"{NOT}{name}", ()))
        )
        for name in names
    }


def distinct_values(name: str, values: Iterable[str]) -> tuple[str, ...]:
    if name == "provider":
        values = [provider_name(value) or value for value in values]
    return tuple(dict.fromkeys(values))


def too_many_buckets(filters: Filters) -> FieldError | None:
    if bucket_count(filters, filters.granularity) <= MAX_BUCKETS:
        return None
    fits = next(name for name in BUCKETS if bucket_count(filters, name) <= MAX_BUCKETS)
    message = f"{filters.granularity} makes more than {MAX_BUCKETS} buckets in this window; use {fits}"
    return {"loc": ["query", "granularity"], "msg": message}


def too_many_points(filters: Filters) -> FieldError | None:
    count = bucket_count(filters, filters.granularity)
    if count * (filters.limit + 1) <= MAX_POINTS:
        return None
    fitting_limit = MAX_POINTS // count - 1
    message = f"{count:,} buckets of {filters.limit} series make more than {MAX_POINTS:,} points; use {fitting_limit}"
    wider = [name for name in BUCKETS if bucket_count(filters, name) * (filters.limit + 1) <= MAX_POINTS]
    other = f" or granularity {wider[0]}" if wider else ""
    return {"loc": ["query", "limit"], "msg": f"{message} or less{other}"}


def fitting(widest: Iterable[tuple[Granularity, timedelta]], length: timedelta) -> Granularity:
    return next(name for name, limit in widest if length <= limit)


def bucket_count(filters: Filters, granularity: Granularity) -> int:
    """Returns how many buckets the window touches. It counts only whole ones if they are too many already."""
    whole = (filters.end - filters.start) // BUCKETS[granularity]
    if whole > MAX_BUCKETS:
        return whole
    return len(bucket_starts(filters.start, filters.end, granularity, filters.zone))
