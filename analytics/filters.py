"""The query string, parsed once at the door. Behind it there are only valid values."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self, get_args
from uuid import UUID

from django.http import QueryDict
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from ingest.rows import CALL_OPERATIONS
from ingest.text import NAME_LENGTH
from observability.problems import FieldError, Problem

Range = Literal["1h", "24h", "7d", "30d"]
Granularity = Literal["minute", "hourly", "daily"]

RANGES: dict[Range, timedelta] = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
BUCKETS: dict[Granularity, timedelta] = {
    "minute": timedelta(minutes=1),
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
}
# The widest window that each granularity is the default of.
DEFAULT_GRANULARITY: dict[Granularity, timedelta] = {
    "minute": timedelta(hours=3),
    "hourly": timedelta(days=8),
    "daily": timedelta(days=400),
}
LONGEST_WINDOW = timedelta(days=400)
MOST_BUCKETS = 1500
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
BUCKET_ORIGIN = datetime(2000, 1, 3, tzinfo=UTC)  # where time_bucket counts from
ISO_8601 = "must be ISO 8601 with an offset, like 2026-11-23T10:00:00Z"


def iso_8601(value: Any) -> Any:
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", value):
        raise PydanticCustomError("iso_8601", ISO_8601)
    # A "+" that nobody percent-encoded arrives as a blank.
    return re.sub(r" (?=\d\d:?\d\d$)", "+", value)


def within_calendar(value: datetime) -> datetime:
    if not EARLIEST.timestamp() <= value.timestamp() <= LATEST.timestamp():
        raise PydanticCustomError("calendar", "must lie between the years 2000 and 2100")
    return value.astimezone(UTC)


def plain_text(value: str) -> str:
    if "\x00" in value:
        raise PydanticCustomError("nul", "must not contain a NUL character")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(iso_8601), AfterValidator(within_calendar)]
Text = Annotated[
    str,
    Field(min_length=1, max_length=NAME_LENGTH, json_schema_extra={"pattern": r"^[^\u0000]*$"}),
    AfterValidator(plain_text),
]


class Query(BaseModel):
    """What a read accepts, as it stands in the URL."""

    model_config = ConfigDict(extra="forbid")

    range: Annotated[Range | None, Field(description="Window that ends now; 24h where start and end are absent.")] = (
        None
    )
    start: Annotated[Moment | None, Field(description="First moment of the window, with offset.")] = None
    end: Annotated[Moment | None, Field(description="First moment after the window, with offset.")] = None
    granularity: Annotated[
        Granularity | None, Field(description="Width of a bucket; by default fitting the window.")
    ] = None
    limit: Annotated[int, Field(ge=1, le=100, description="Most rows of a list.")] = 10
    agent_id: Annotated[Text | None, Field(description="Only this agent.")] = None
    model: Annotated[Text | None, Field(description="Only this model.")] = None
    provider: Annotated[Text | None, Field(description="Only this provider.")] = None
    operation: Annotated[Text | None, Field(description="Only this operation; by default all model calls.")] = None

    @model_validator(mode="after")
    def window_is_sound(self) -> Self:
        if self.range and (self.start or self.end):
            raise PydanticCustomError("range", "give either range, or start and end")
        if bool(self.start) != bool(self.end):
            raise PydanticCustomError("end" if self.start else "start", "start and end go together")
        if self.start and self.end:
            if self.end <= self.start:
                raise PydanticCustomError("end", "must be later than start")
            if self.end - self.start > LONGEST_WINDOW:
                raise PydanticCustomError("start", "the window must not be longer than 400 days")
        return self


@dataclass(frozen=True, slots=True)
class Filters:
    """One window of one workspace, half-open, and what narrows it."""

    workspace_id: UUID
    start: datetime
    end: datetime
    granularity: Granularity
    limit: int = 10
    agent_id: str | None = None
    model: str | None = None
    provider: str | None = None
    operation: str | None = None
    range: Range | None = None

    @property
    def bucket(self) -> timedelta:
        return BUCKETS[self.granularity]

    @property
    def previous(self) -> "Filters":
        """The window of equal length immediately before."""
        return replace(self, start=self.start - (self.end - self.start), end=self.start)

    @property
    def operations(self) -> list[str]:
        return [self.operation] if self.operation else list(CALL_OPERATIONS)

    @property
    def params(self) -> dict[str, Any]:
        """What SQL binds by name."""
        return {
            "workspace_id": self.workspace_id,
            "start": self.start,
            "end": self.end,
            "bucket": self.bucket,
            "limit": self.limit,
            "agent_id": self.agent_id,
            "model": self.model,
            "provider": self.provider,
            "operations": self.operations,
        }

    @property
    def cache_key(self) -> str:
        """The same for every reader of one question: a relative range stays relative."""
        window = (self.range,) if self.range else (self.start.isoformat(), self.end.isoformat())
        narrowed = (self.agent_id, self.model, self.provider, self.operation)
        return repr((*window, self.granularity, self.limit, *narrowed))


def parse(query: QueryDict, workspace_id: UUID, now: datetime | None = None) -> Filters:
    """Raises a 422 Problem that names every fault of the query string."""
    parsed, errors = checked(query)
    asked = filters(parsed, workspace_id, now or datetime.now(UTC)) if parsed else None
    if asked and (fault := too_many_buckets(asked)):
        errors.append(fault)
    if errors or asked is None:
        raise Problem(422, "The query string is not valid.", errors)
    return asked


def faults(query: QueryDict) -> list[FieldError]:
    try:
        parse(query, UUID(int=0))
    except Problem as problem:
        return problem.errors
    return []


def checked(query: QueryDict) -> tuple[Query | None, list[FieldError]]:
    """The valid part, None where the window is not; and the faults of all."""
    errors: list[FieldError] = [
        {"loc": ["query", name], "msg": "given more than once"} for name, values in query.lists() if len(values) > 1
    ]
    given = query.dict()
    while True:
        try:
            return Query.model_validate(given), errors
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)
        errors += [field_error(details) for details in found]
        wrong = {str(details["loc"][0]) for details in found if details["loc"]}
        if not wrong or wrong & {"range", "start", "end"}:
            return None, errors
        # The window as a whole is checked only when each parameter is valid.
        given = {name: value for name, value in given.items() if name not in wrong}


# What pydantic finds, in words for people.
CHOICES: dict[str, tuple[str, ...]] = {"range": get_args(Range), "granularity": get_args(Granularity)}
A_LIMIT = "must be a whole number from 1 to 100"
MESSAGES = {
    "extra_forbidden": f"unknown parameter; known are {', '.join(Query.model_fields)}",
    "int_parsing": A_LIMIT,
    "int_parsing_size": A_LIMIT,
    "int_from_float": A_LIMIT,
    "greater_than_equal": A_LIMIT,
    "less_than_equal": A_LIMIT,
    "string_too_short": "must not be empty",
    "string_too_long": f"must have at most {NAME_LENGTH} characters",
}


def field_error(details: Any) -> FieldError:
    # A fault between parameters names the one to look at in its type.
    place, kind = details["loc"] or (details["type"],), details["type"]
    if kind == "literal_error":
        message = f"must be one of {', '.join(CHOICES[place[0]])}"
    elif kind == "timezone_aware" or kind.startswith("datetime_"):
        message = ISO_8601
    else:
        message = MESSAGES.get(kind, details["msg"])
    return {"loc": ["query", *place], "msg": message}


def filters(query: Query, workspace_id: UUID, now: datetime) -> Filters:
    relative: Range | None = None
    if query.start and query.end:
        start, end = query.start, query.end
    else:
        relative = query.range or "24h"
        start, end = now - RANGES[relative], now
    granularity = query.granularity or fitting(DEFAULT_GRANULARITY.items(), end - start)
    return Filters(
        workspace_id=workspace_id,
        start=start,
        end=end,
        granularity=granularity,
        limit=query.limit,
        agent_id=query.agent_id,
        model=query.model,
        provider=query.provider,
        operation=query.operation,
        range=relative,
    )


def too_many_buckets(asked: Filters) -> FieldError | None:
    if bucket_count(asked.start, asked.end, asked.granularity) <= MOST_BUCKETS:
        return None
    fits = next(name for name in BUCKETS if bucket_count(asked.start, asked.end, name) <= MOST_BUCKETS)
    message = f"{asked.granularity} makes more than {MOST_BUCKETS} buckets in this window; use {fits}"
    return {"loc": ["query", "granularity"], "msg": message}


def fitting(widest: Iterable[tuple[Granularity, timedelta]], length: timedelta) -> Granularity:
    return next(name for name, limit in widest if length <= limit)


def bucket_count(start: datetime, end: datetime, granularity: Granularity) -> int:
    width = BUCKETS[granularity]
    return -((BUCKET_ORIGIN - end) // width) - (start - BUCKET_ORIGIN) // width
