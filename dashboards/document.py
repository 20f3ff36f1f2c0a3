"""Describes a dashboard as JSON, and checks it: its window, filters, variables and panels.

The schema is stable: a document that this version takes is taken by every later one. What only the questions of the
panels can tell is checked in `checking.py`.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from analytics.query_measures import DIMENSIONS, MEASURES, SCORE_PREFIX, TOOL
from analytics.query_parameters import MAX_BY, MAX_MEASURES, Compare, is_named
from analytics.query_string import MAX_VALUES, NOT, iso_8601, within_calendar
from budgets.bodies import FILLED_PATTERN, LABEL_PATTERN, TEXT_PATTERN, not_blank, storable
from dashboards.models import DESCRIPTION_LENGTH, TITLE_LENGTH
from traces.buckets import Granularity
from traces.filters import DIMENSION_BY_NAME, LABEL_PREFIX, Range
from traces.text import NAME_LENGTH
from workspaces.label_limits import LABEL_LENGTH

SCHEMA: Literal["agent-observability/dashboard/1"] = "agent-observability/dashboard/1"
MAX_BYTES = 256 * 1024
"""Of a document as JSON."""
MAX_PANELS, MAX_VARIABLES, MAX_FILTERS, MAX_THRESHOLDS = 60, 10, 20, 5
TEXT_LENGTH = 10_000
COLUMNS, MAX_HEIGHT, MAX_ROW = 12, 40, 2000
"""Of the grid. A row is 40 px high."""

KindName = Literal[
    "number",
    "line",
    "stepped",
    "stacked_area",
    "bars",
    "stacked_bars",
    "horizontal_bars",
    "donut",
    "table",
    "heat_map",
    "text",
    "budget",
    "alerts",
    "errors",
    "traces",
]
SERIES_KINDS = ("line", "stepped", "stacked_area", "bars", "stacked_bars")
"""They show measures over time."""
CATEGORY_KINDS = ("horizontal_bars", "donut")
"""They compare the values of a dimension, so they need one."""
QUERY_KINDS = ("number", *SERIES_KINDS, *CATEGORY_KINDS, "table")
"""Their question is one of `/api/v1/query`."""
Unit = Literal["count", "number", "usd", "ms", "percent"]
Severity = Literal["info", "warning", "critical"]


ANY_LABEL = f"{LABEL_PREFIX}<name>"


# --- Texts and names ---


def unknown(thing: str, name: str, known: Iterable[str]) -> str:
    """Returns what to say about a name that is unknown, with the name that is probably meant."""
    names = list(known)
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(names)}"
    return f'unknown {thing} "{name[:60]}"; {hint}'


def is_label(name: str) -> bool:
    return is_named(name, LABEL_PREFIX, LABEL_LENGTH)


def check_known(thing: str, name: str, is_known: bool, known: Iterable[str]) -> None:
    if not is_known:
        raise PydanticCustomError(thing, "{text}", {"text": unknown(thing, name, known)})


def known_measure(name: str) -> str:
    is_known = name in MEASURES or is_named(storable(name), SCORE_PREFIX, NAME_LENGTH)
    check_known("measure", name, is_known, [*MEASURES, f"{SCORE_PREFIX}<name>"])
    return name


def known_dimension(name: str) -> str:
    check_known("dimension", name, name in DIMENSIONS or is_label(storable(name)), [*DIMENSIONS, ANY_LABEL])
    return name


def known_variable_dimension(name: str) -> str:
    is_known = name in DIMENSION_BY_NAME or is_label(storable(name))
    check_known("dimension", name, is_known, [*DIMENSION_BY_NAME, ANY_LABEL])
    return name


def known_filter(name: str) -> str:
    bare = storable(name).removeprefix(NOT)
    is_known = bare in (*DIMENSION_BY_NAME, TOOL) or is_label(bare)
    check_known("filter", bare, is_known, [*DIMENSION_BY_NAME, TOOL, ANY_LABEL])
    return name


def known_order(name: str) -> str:
    known_measure(name.removeprefix("-"))
    return name


def named_once(names: list[str]) -> list[str]:
    if twice := [name for name, times in Counter(names).items() if times > 1]:
        raise PydanticCustomError("twice", "names {name} twice", {"name": twice[0]})
    return names


def moment(value: Any) -> Any:
    return value if isinstance(value, datetime) else iso_8601(value)


def one_or_many(values: Any) -> Any:
    return [values] if isinstance(values, str) else values


def plain_number(value: Any) -> Any:
    """Refuses what would become a number, like true or "5"."""
    if isinstance(value, (bool, str)):
        raise PydanticCustomError("number", "must be a number")
    return value


PLAIN = BeforeValidator(plain_number)


def at_most(most: int) -> Any:
    return Field(max_length=most, json_schema_extra={"pattern": TEXT_PATTERN})


def pattern(names: Iterable[str], prefixes: str = "") -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": rf"^{prefixes}({'|'.join(names)})$"})


MEASURE_NAMES = (*MEASURES, r"score\.[^\u0000]+")
FILTER_NAMES = (*DIMENSION_BY_NAME, TOOL, LABEL_PATTERN)
CONFIG = ConfigDict(extra="forbid", strict=True)
Title = Annotated[str, at_most(TITLE_LENGTH), AfterValidator(storable)]
Name = Annotated[
    str,
    Field(min_length=1, max_length=TITLE_LENGTH, json_schema_extra={"pattern": FILLED_PATTERN}),
    AfterValidator(storable),
    AfterValidator(not_blank),
]
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
Measure = Annotated[str, AfterValidator(known_measure), pattern(MEASURE_NAMES)]
ByDimension = Annotated[str, AfterValidator(known_dimension), pattern((*DIMENSIONS, LABEL_PATTERN))]
VALUE_SCHEMA = {"type": "string", "minLength": 1, "maxLength": NAME_LENGTH, "pattern": TEXT_PATTERN}
Value = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH), AfterValidator(storable)]
Values = Annotated[
    list[Value],
    BeforeValidator(one_or_many),
    Field(min_length=1, max_length=MAX_VALUES),
    WithJsonSchema(
        {"anyOf": [VALUE_SCHEMA, {"type": "array", "items": VALUE_SCHEMA, "minItems": 1, "maxItems": MAX_VALUES}]}
    ),
]
FilterMap = Annotated[
    dict[Annotated[str, AfterValidator(known_filter), pattern(FILTER_NAMES, f"({NOT})?")], Values],
    Field(
        max_length=MAX_FILTERS,
        description='The values of each filter, like {"agent_id": ["support"], "not_model": ["gpt-4o"]}.',
        json_schema_extra={"additionalProperties": False},
    ),
]
Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(moment), AfterValidator(within_calendar)]


# --- The document ---


class Window(BaseModel):
    """The window of all panels: a range that ends now, or a start and an end."""

    model_config = CONFIG
    range: Range | None = None
    start: Moment | None = None
    end: Moment | None = None

    @model_validator(mode="after")
    def is_one_of_both(self) -> Self:
        if (self.range is None) == (self.start is None and self.end is None):
            raise PydanticCustomError("window", "give either range, or start and end")
        if (self.start is None) != (self.end is None):
            raise PydanticCustomError("window", "start and end go together")
        return self


class Variable(BaseModel):
    """A filter of all panels whose values the reader of the page chooses."""

    model_config = CONFIG
    name: Annotated[
        str, Field(pattern=r"^[a-z][a-z0-9_]{0,29}$", description="Titles write it as $name, addresses as var.name.")
    ]
    dimension: Annotated[str, AfterValidator(known_variable_dimension), pattern((*DIMENSION_BY_NAME, LABEL_PATTERN))]
    title: Title = ""
    default: Annotated[
        list[Value], Field(max_length=MAX_VALUES, description="The values at first; none: every value.")
    ] = []


class Place(BaseModel):
    """Where a panel is, in columns and rows from the top left."""

    model_config = CONFIG
    x: Annotated[int, Field(ge=0, le=COLUMNS - 1, strict=False), PLAIN]
    y: Annotated[int, Field(ge=0, le=MAX_ROW, strict=False), PLAIN]
    width: Annotated[int, Field(ge=1, le=COLUMNS, strict=False), PLAIN]
    height: Annotated[int, Field(ge=1, le=MAX_HEIGHT, strict=False), PLAIN]

    @model_validator(mode="after")
    def is_inside(self) -> Self:
        if self.x + self.width > COLUMNS:
            raise PydanticCustomError("place", "x and width are more than the {columns} columns", {"columns": COLUMNS})
        return self


class Threshold(BaseModel):
    """A line across a chart, or the value from which a number has another colour."""

    model_config = CONFIG
    value: Annotated[float, Field(strict=False, allow_inf_nan=False), PLAIN]
    title: Title = ""
    severity: Severity = "warning"


class Panel(BaseModel):
    model_config = CONFIG
    id: Annotated[Id, Field(description="Unique within the dashboard.")]
    kind: KindName
    title: Annotated[Title, Field(description="$name stands for the values of a variable.")] = ""
    place: Place
    measures: Annotated[list[Measure], Field(max_length=MAX_MEASURES), AfterValidator(named_once)] = []
    by: Annotated[list[ByDimension], Field(max_length=MAX_BY), AfterValidator(named_once)] = []
    granularity: Annotated[Granularity | None, Field(description="Null: the dashboard's, or what fits.")] = None
    filters: FilterMap = {}
    compare: Compare | None = None
    order: Annotated[
        Annotated[str, AfterValidator(known_order), pattern(MEASURE_NAMES, "-?")] | None,
        Field(description="One of the measures; with - before it, the largest come first."),
    ] = None
    limit: Annotated[int, Field(ge=1, le=100, strict=False), PLAIN] = 10
    thresholds: Annotated[list[Threshold], Field(max_length=MAX_THRESHOLDS)] = []
    unit: Annotated[Unit | None, Field(description="Null: the measure's own.")] = None
    decimals: Annotated[int, Field(ge=0, le=6, strict=False), PLAIN] | None = None
    text: Annotated[str, at_most(TEXT_LENGTH), AfterValidator(storable)] = ""
    budget_id: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")] | None = None
    rule_id: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")] | None = None


class DashboardDocument(BaseModel):
    model_config = CONFIG | ConfigDict(title="Dashboard")
    schema_: Annotated[Literal["agent-observability/dashboard/1"], Field(alias="schema")] = SCHEMA
    name: Name
    description: Annotated[str, at_most(DESCRIPTION_LENGTH), AfterValidator(storable)] = ""
    range: Window = Window(range="7d")
    granularity: Granularity | None = None
    filters: FilterMap = {}
    variables: Annotated[list[Variable], Field(max_length=MAX_VARIABLES)] = []
    panels: Annotated[list[Panel], Field(max_length=MAX_PANELS)] = []

    def as_json(self) -> dict[str, Any]:
        """Returns the document as it is stored and exported, with every default."""
        return self.model_dump(mode="json", by_alias=True)

    def panel(self, panel_id: str) -> Panel | None:
        return next((panel for panel in self.panels if panel.id == panel_id), None)
