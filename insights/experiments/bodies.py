"""What clients send to make and change an experiment."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from budgets.bodies import (
    MAX_SCOPE_FILTERS,
    MAX_SCOPE_VALUES,
    ScopeName,
    ScopeValue,
    filled,
    not_blank,
    storable,
)
from insights.arms import VALUES
from insights.change_parameters import dimension_pattern
from insights.compare_parameters import DIMENSIONS, KNOWN, NAMES, Slice, dimension_and_value, slice_text
from insights.experiments.models import NAME_LENGTH
from methods.comparison import FEWEST_CALLS
from web.problems import Problem

EARLIEST_START, LATEST_START = timedelta(days=30), timedelta(days=366)
MOST_CALLS = 100_000_000
CONFIG = ConfigDict(extra="forbid", strict=True)
Measure = Literal[
    "cost_per_call_usd", "input_tokens_per_call", "output_tokens_per_call", "avg_latency_ms", "error_rate"
]
MEASURES: tuple[str, ...] = tuple(VALUES)
Moment = Annotated[AwareDatetime, Field(strict=False)]
Name = Annotated[str, filled(NAME_LENGTH), AfterValidator(storable), AfterValidator(not_blank)]


class SliceBody(BaseModel):
    """One value of a dimension."""

    model_config = CONFIG
    dimension: Annotated[
        str,
        AfterValidator(storable),
        Field(
            description=f"One of {KNOWN}.",
            json_schema_extra={"pattern": dimension_pattern(DIMENSIONS)},
        ),
    ]
    value: ScopeValue

    @model_validator(mode="after")
    def is_known(self) -> Self:
        try:
            self.dimension, self.value = dimension_and_value(slice_text(self.dimension, self.value))
        except PydanticCustomError as error:
            raise PydanticCustomError("dimension", error.message_template) from error
        return self


class EndBody(BaseModel):
    """When the experiment ends by itself: at the first of these. Without any, a person ends it."""

    model_config = CONFIG
    on_verdict: Annotated[bool, Field(description="When the first measure tells every slice from the first one.")] = (
        False
    )
    at: Moment | None = None
    calls: Annotated[
        Annotated[int, Field(ge=FEWEST_CALLS, le=MOST_CALLS, strict=False)] | None,
        Field(description="When each slice has so many calls."),
    ] = None


class NewExperiment(BaseModel):
    """An experiment. It assigns nothing: your code labels its calls."""

    model_config = CONFIG
    id: Annotated[
        Annotated[UUID, Field(strict=False)] | None,
        Field(description="An id of your own: sent again, it makes no second experiment."),
    ] = None
    name: Name
    slices: Annotated[
        list[SliceBody],
        Field(min_length=2, max_length=len(NAMES), description="The others are compared with the first."),
    ]
    filters: Annotated[
        dict[ScopeName, Annotated[list[ScopeValue], Field(min_length=1, max_length=MAX_SCOPE_VALUES)]],
        Field(
            max_length=MAX_SCOPE_FILTERS,
            description='Only these calls, like {"agent_id": ["support"]}. Several values: any of them.',
            json_schema_extra={"additionalProperties": False},
        ),
    ] = {}
    measures: Annotated[
        list[Measure],
        Field(min_length=1, max_length=len(MEASURES), description="The first one decides; the others are shown."),
    ] = ["cost_per_call_usd", "error_rate"]
    started_at: Annotated[Moment | None, Field(description="By default now; at most 30 days ago, or a year ahead.")] = (
        None
    )
    end: EndBody = EndBody()

    @model_validator(mode="after")
    def differs(self) -> Self:
        pairs = [(one.dimension, one.value) for one in self.slices]
        if len({*pairs}) < len(pairs) or len({*self.measures}) < len(self.measures):
            raise PydanticCustomError("slices", "slices and measures must each be named once")
        if clash := {one.dimension for one in self.slices} & self.filters.keys():
            name = sorted(clash)[0]
            raise PydanticCustomError("filters", "{name} is a slice already", {"name": name})
        return self

    @property
    def arms(self) -> tuple[Slice, ...]:
        return tuple(Slice(name, one.dimension, one.value) for name, one in zip(NAMES, self.slices, strict=False))


class ExperimentChanges(BaseModel):
    """The fields to change. A field that is left out keeps its value. Slices and measures stay as they are."""

    model_config = CONFIG
    name: Name = ""
    end: EndBody = EndBody()
    state: Annotated[Literal["ended"] | None, Field(description="ended: it ends now, and never goes on.")] = None


def check_times(start: datetime, end: datetime | None, now: datetime) -> None:
    if not now - EARLIEST_START <= start <= now + LATEST_START:
        refuse("started_at", "must lie at most 30 days ago, or a year ahead")
    if end and not start < end <= start + LATEST_START:
        refuse("end", "at must be later than the start, by at most a year")


def refuse(field: str, message: str) -> None:
    raise Problem(422, "The experiment is not valid.", [{"loc": ["body", field], "msg": message}])
