"""Parses the query string of `/api/v1/insights/anomalies`."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self

from django.http import QueryDict
from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator
from pydantic_core import PydanticCustomError

from analytics.query_string import DIMENSION_FIELDS, Moment, validate
from insights.anomalies.hourly_series import DIMENSIONS
from insights.anomalies.search import MOST_EVENTS
from methods.anomalies import Measure
from traces.filters import RANGES
from web.problems import FieldError, Problem

AnomalyRange = Literal["24h", "7d", "30d"]
DEFAULT_RANGE: AnomalyRange = "7d"
LONGEST = timedelta(days=31)
AnomalyState = Literal["open", "dismissed", "planned", "all"]
Floor = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class WindowOfAnomalies(BaseModel):
    model_config = ConfigDict(extra="forbid")

    range: Annotated[
        AnomalyRange | None, Field(description="Window that ends now; 7d where start and end are absent.")
    ] = None
    start: Annotated[Moment | None, Field(description="First moment of the window, with offset.")] = None
    end: Annotated[Moment | None, Field(description="First moment after the window, with offset.")] = None
    measure: Annotated[list[Measure], Field(max_length=4, description="Only these measures.")] = []
    state: Annotated[AnomalyState, Field(description="Open: what nobody has dismissed or called planned.")] = "open"
    min_usd: Annotated[Floor, Field(description="Only what is worth so many dollars, more or less than usual.")] = 0
    min_calls: Annotated[Floor, Field(description="Only what concerns so many calls.")] = 0
    min_users: Annotated[Floor, Field(description="Only what concerns so many users.")] = 0
    min_percent_of_day: Annotated[
        Floor, Field(description="Only what is so much of a usual day of the workspace: of its spend, or of its calls.")
    ] = 0
    limit: Annotated[int, Field(ge=1, le=MOST_EVENTS, description="The largest number of anomalies.")] = 20

    @model_validator(mode="after")
    def window_is_sound(self) -> Self:
        if self.range and (self.start or self.end):
            raise PydanticCustomError("range", "give either range, or start and end")
        if bool(self.start) != bool(self.end):
            raise PydanticCustomError("end" if self.start else "start", "start and end go together")
        if self.start and self.end and self.end <= self.start:
            raise PydanticCustomError("end", "must be later than start")
        if self.start and self.end and self.end - self.start > LONGEST:
            raise PydanticCustomError("start", "the window must not be longer than 31 days")
        return self


SCOPE_FIELDS: dict[str, Any] = {name: DIMENSION_FIELDS[name] for name in DIMENSIONS}
AnomalyQuery: type[WindowOfAnomalies] = create_model("AnomalyQuery", __base__=WindowOfAnomalies, **SCOPE_FIELDS)


@dataclass(frozen=True)
class Parameters:
    range: AnomalyRange | None
    start: datetime
    end: datetime
    measures: tuple[Measure, ...]
    state: AnomalyState
    floors: tuple[float, float, float, float]
    """In dollars, calls, users, and percent of a usual day."""
    scope: tuple[tuple[str, tuple[str, ...]], ...]
    limit: int

    @property
    def window_key(self) -> str:
        return self.range or f"{self.start.isoformat()} {self.end.isoformat()}"


def parse(query: QueryDict, now: datetime | None = None) -> Parameters:
    """Returns the parameters, or raises a 422 Problem that names every error."""
    found, problems = validate(query, AnomalyQuery)
    if found is None or problems:
        raise Problem(422, "The query string is not valid.", problems)
    now = now or datetime.now(UTC)
    name = None if found.start else found.range or DEFAULT_RANGE
    start, end = (found.start, found.end) if found.start and found.end else (now - RANGES[name or DEFAULT_RANGE], now)
    return Parameters(
        range=name,
        start=start,
        end=end,
        measures=tuple(dict.fromkeys(found.measure)),
        state=found.state,
        floors=(found.min_usd, found.min_calls, found.min_users, found.min_percent_of_day),
        scope=tuple((name, tuple(values)) for name in DIMENSIONS if (values := getattr(found, name))),
        limit=found.limit,
    )


def errors(query: QueryDict) -> list[FieldError]:
    return validate(query, AnomalyQuery)[1]
