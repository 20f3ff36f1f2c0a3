"""Checks the bodies that make and change rules, and turns them into rows and back."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from alerts.comparisons import BELOW, UNUSUAL
from alerts.metrics import HISTOGRAM, METRICS, OF_USERS, SCORES, metric_of
from alerts.models import Channel, Rule
from alerts.models.channel import NAME_LENGTH
from analytics.query_measures import SCORE_DIMENSIONS, SCORE_PREFIX
from analytics.query_parameters import is_named
from analytics.query_string import iso_8601, within_calendar
from budgets.bodies import LABEL_PATTERN, TEXT_PATTERN, Name, storable
from budgets.update import exact_json
from prices.providers import provider_name
from traces.filters import DIMENSION_BY_NAME, LABEL_PREFIX
from traces.text import NAME_LENGTH as VALUE_LENGTH
from web.problems import FieldError, Problem
from workspaces.label_limits import LABEL_LENGTH

SHORTEST, LONGEST = 5, 30 * 24 * 60
"""Of a window, in minutes."""
LONGEST_OF_ROWS = 24 * 60
"""Of a window whose calls are read one by one, as for percentiles of each user."""
UNITS = {"m": 1, "h": 60, "d": 1440}
WINDOW = re.compile(r"([1-9][0-9]{0,4})([mhd])", re.ASCII)
PERS = ("agent", "user", "model", "provider", "environment", "release")
NOT = "not_"
MAX_FILTERS, MAX_VALUES, MAX_CHANNELS = 10, 20, 10
Comparison = Literal[
    "above",
    "below",
    "above_previous_percent",
    "above_last_week_percent",
    "below_previous_percent",
    "below_last_week_percent",
    "unusual",
]
NoData = Literal["keep", "zero", "notify"]


def known_metric(name: str) -> str:
    if name not in METRICS and not is_named(storable(name), SCORE_PREFIX, VALUE_LENGTH):
        raise PydanticCustomError("metric", f"must be one of {', '.join(METRICS)}, {SCORE_PREFIX}<name>")
    return name


def minutes_of(window: str) -> str:
    match = WINDOW.fullmatch(window)
    minutes = int(match[1]) * UNITS[match[2]] if match else 0
    if not SHORTEST <= minutes <= LONGEST:
        raise PydanticCustomError("window", "must be like 5m, 1h or 7d, from 5m to 30d")
    return window


def is_label(name: str) -> bool:
    return is_named(name, LABEL_PREFIX, LABEL_LENGTH)


def known_filter(name: str) -> str:
    bare = storable(name).removeprefix(NOT)
    if bare not in DIMENSION_BY_NAME and not is_label(bare):
        known = ", ".join((*DIMENSION_BY_NAME, f"{LABEL_PREFIX}<name>"))
        raise PydanticCustomError("filter", f"must be one of {known}, or one of them after {NOT}")
    return name


def known_per(name: str) -> str:
    if name not in PERS and not is_label(storable(name)):
        raise PydanticCustomError("per", f"must be one of {', '.join(PERS)}, {LABEL_PREFIX}<name>")
    return name


def one_or_many(values: Any) -> Any:
    return [values] if isinstance(values, str) else values


def clock(text: str) -> str:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
        raise PydanticCustomError("clock", "must be a time of day like 22:00")
    return text


def moment(value: Any) -> Any:
    """Refuses what would become a time, like a number of seconds."""
    return value if isinstance(value, datetime) else iso_8601(value)


def plain_number(value: Any) -> Any:
    """Refuses what would become a number, like true or "5"."""
    if isinstance(value, (bool, str)):
        raise PydanticCustomError("number", "must be a number")
    return value


CONFIG = ConfigDict(extra="forbid", strict=True, validate_by_name=True)
Limit = Annotated[
    Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False, strict=False), BeforeValidator(plain_number)] | None,
    Field(),
]
Whole = Annotated[int, Field(strict=False), BeforeValidator(plain_number)]
Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(moment), AfterValidator(within_calendar)]
Clock = Annotated[
    str, AfterValidator(clock), WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"})
]
Text = Annotated[str, Field(min_length=1, max_length=VALUE_LENGTH), AfterValidator(storable)]
VALUE_SCHEMA = {"type": "string", "minLength": 1, "maxLength": VALUE_LENGTH, "pattern": TEXT_PATTERN}
VALUES_SCHEMA = {"type": "array", "items": VALUE_SCHEMA, "minItems": 1, "maxItems": MAX_VALUES}
Values = Annotated[
    list[Text],
    BeforeValidator(one_or_many),
    Field(min_length=1, max_length=MAX_VALUES),
    WithJsonSchema({"anyOf": [VALUE_SCHEMA, VALUES_SCHEMA]}),
]
FILTER_PATTERN = rf"^({NOT})?({'|'.join(DIMENSION_BY_NAME)}|{LABEL_PATTERN})$"


CallFilters = Annotated[
    dict[
        Annotated[str, AfterValidator(known_filter), WithJsonSchema({"type": "string", "pattern": FILTER_PATTERN})],
        Values,
    ],
    Field(
        max_length=MAX_FILTERS,
        description='The values of each filter, like {"agent_id": ["support"], "not_model": ["gpt-4o"]}.',
        json_schema_extra={"additionalProperties": False},
    ),
]


class QuietHours(BaseModel):
    """Messages wait until they end. In the workspace's zone; they may go over midnight."""

    model_config = CONFIG
    from_: Annotated[Clock, Field(alias="from")]
    to: Clock

    @model_validator(mode="after")
    def has_an_end(self) -> Self:
        if self.from_ == self.to:
            raise PydanticCustomError("quiet_hours", "must end at another time than they begin")
        return self


class RuleFields(BaseModel):
    model_config = CONFIG

    filters: CallFilters = {}
    per: Annotated[
        Annotated[
            str,
            AfterValidator(known_per),
            WithJsonSchema({"type": "string", "pattern": f"^({'|'.join(PERS)}|{LABEL_PATTERN})$"}),
        ]
        | None,
        Field(description="Each agent, user, model, provider, environment, release or label.<name> has its own state."),
    ] = None
    warning: Annotated[Limit, Field(description="The limit in the metric's unit, or in percent of change.")] = None
    critical: Limit = None
    minimum_calls: Annotated[
        int,
        Field(ge=0, le=10**9, strict=False, description="Fewer calls are no reason to alarm."),
        BeforeValidator(plain_number),
    ] = 0
    for_evaluations: Annotated[
        int,
        Field(ge=1, le=1440, strict=False, description="So many minutes in a row."),
        BeforeValidator(plain_number),
    ] = 1
    no_data: Annotated[NoData, Field(description="What a window without calls means for a rate or a latency.")] = "keep"
    renotify: Annotated[
        Annotated[int, Field(ge=5, le=LONGEST, strict=False), BeforeValidator(plain_number)] | None,
        Field(description="Told again each so many minutes; null: never."),
    ] = None
    quiet_hours: QuietHours | None = None
    muted_until: Moment | None = None
    channels: Annotated[
        list[Annotated[str, Field(max_length=NAME_LENGTH), AfterValidator(storable)]],
        Field(max_length=MAX_CHANNELS, description="The ids of channels, or their names."),
    ] = []
    is_active: bool = True


Metric = Annotated[
    str,
    Field(
        max_length=VALUE_LENGTH + len(SCORE_PREFIX),
        description=f"{', '.join(METRICS)}, {SCORE_PREFIX}<name>.",
        json_schema_extra={"pattern": rf"^({'|'.join(METRICS)}|score\.[^\u0000]+)$"},
    ),
    AfterValidator(known_metric),
]
Window = Annotated[
    str,
    Field(description="From 5m to 30d, like 15m, 1h or 7d.", json_schema_extra={"pattern": "^[1-9][0-9]{0,4}[mhd]$"}),
    AfterValidator(minutes_of),
]


class NewRule(RuleFields):
    """A rule. What is left out has its default."""

    id: Annotated[
        Annotated[UUID, Field(strict=False)] | None,
        Field(description="An id of your own: sent again, it makes no second rule."),
    ] = None
    name: Name
    metric: Metric
    window: Window
    comparison: Comparison

    @model_validator(mode="after")
    def fits_together(self) -> Self:
        check_limits(self.comparison, self.warning, self.critical)
        check_metric(self)
        check_values(self.filters)
        return self

    @property
    def window_minutes(self) -> int:
        return int(self.window[:-1]) * UNITS[self.window[-1]]


class RuleChanges(RuleFields):
    """The fields to change. A field that is left out keeps its value."""

    name: Name = ""
    metric: Metric = ""
    window: Window = ""
    comparison: Comparison = "above"


def check_values(filters: Mapping[str, Sequence[str]]) -> None:
    for name, values in filters.items():
        one_of = DIMENSION_BY_NAME[bare].one_of if (bare := name.removeprefix(NOT)) in DIMENSION_BY_NAME else ()
        if one_of and not {*values} <= {*one_of}:
            raise PydanticCustomError("filters", f"{bare} must be one of {', '.join(one_of)}")


def check_limits(comparison: str, warning: float | None, critical: float | None) -> None:
    if warning is None and critical is None:
        raise PydanticCustomError("warning", "give warning, critical or both")
    if warning is not None and critical is not None:
        if comparison == BELOW and warning < critical:
            raise PydanticCustomError("critical", "must not be above warning: the rule is about too little")
        if comparison != BELOW and critical < warning:
            raise PydanticCustomError("critical", "must not be below warning")


def check_metric(rule: "NewRule") -> None:
    metric, filters = metric_of(rule.metric), {name.removeprefix(NOT) for name in rule.filters}
    if rule.comparison == UNUSUAL:
        if not metric.anomaly:
            fitting = ", ".join(name for name, one in METRICS.items() if one.anomaly)
            raise PydanticCustomError("comparison", f"unusual fits {fitting}")
        if rule.window_minutes != UNITS["h"]:
            raise PydanticCustomError("window", "must be 1h for unusual, which looks at hours")
    if metric.source == SCORES and (unknown := sorted(n for n in filters - {*SCORE_DIMENSIONS} if not is_label(n))):
        raise PydanticCustomError("filters", f"scores have no {' and no '.join(unknown)}")
    if metric.source == HISTOGRAM and "user" in (rule.per or "") and rule.window_minutes > LONGEST_OF_ROWS:
        raise PydanticCustomError("window", "must be at most 1d for percentiles of each user")
    if rule.per == "user" and rule.metric not in OF_USERS and rule.window_minutes > LONGEST_OF_ROWS:
        raise PydanticCustomError("window", f"must be at most 1d per user, but for {', '.join(OF_USERS)}")


# --- Parsing ---

MESSAGES = {
    "extra_forbidden": "unknown field",
    "missing": "required",
    "model_type": "must be an object",
    "finite_number": "must be a number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
}


def parse(body: bytes, model: type[BaseModel]) -> Any:
    return validated(exact_json(body), model)


def validated(values: Any, model: type[BaseModel]) -> Any:
    """Returns the values as the model, or raises a 422 Problem with every error."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise Problem(422, "The rule is not valid.", field_errors(details)) from error


def field_errors(details: Sequence[Any]) -> list[FieldError]:
    """Returns one error for each place. One between fields has the name of a field as its type."""
    errors: dict[tuple[Any, ...], FieldError] = {}
    for detail in details:
        where = tuple(detail["loc"]) or ((detail["type"],) if detail["type"] in NewRule.model_fields else ())
        errors.setdefault(where, {"loc": ["body", *where], "msg": MESSAGES.get(detail["type"], detail["msg"])})
    return list(errors.values())


# --- Between bodies and rows ---


def window_text(minutes: int) -> str:
    unit = next(name for name in ("d", "h", "m") if minutes % UNITS[name] == 0)
    return f"{minutes // UNITS[unit]}{unit}"


def body_of(rule: Rule) -> dict[str, Any]:
    """Returns the body that makes this rule."""
    quiet = rule.quiet_from and rule.quiet_to and {"from": f"{rule.quiet_from:%H:%M}", "to": f"{rule.quiet_to:%H:%M}"}
    return {
        "name": rule.name,
        "metric": rule.metric,
        "window": window_text(rule.window_minutes),
        "comparison": rule.comparison,
        "warning": rule.warning,
        "critical": rule.critical,
        "filters": rule.filters,
        "per": rule.per or None,
        "minimum_calls": rule.minimum_calls,
        "for_evaluations": rule.for_evaluations,
        "no_data": rule.no_data,
        "renotify": rule.renotify_minutes,
        "quiet_hours": quiet or None,
        "muted_until": rule.muted_until,
        "channels": [str(channel.pk) for channel in rule.channels.all()] if rule.created_at else [],
        "is_active": rule.is_active,
    }


def changed_body(rule: Rule, changes: Mapping[str, Any]) -> NewRule:
    """Returns the rule with the changes, all checked together."""
    result: NewRule = validated(body_of(rule) | dict(changes), NewRule)
    return result


def fill(rule: Rule, body: NewRule) -> None:
    """Gives the row the values of the body."""
    rule.name, rule.metric, rule.window_minutes = body.name, body.metric, body.window_minutes
    rule.comparison, rule.warning, rule.critical = body.comparison, body.warning, body.critical
    rule.filters, rule.per = normalized(body.filters), body.per or ""
    rule.minimum_calls, rule.for_evaluations = body.minimum_calls, body.for_evaluations
    rule.no_data, rule.renotify_minutes, rule.is_active = body.no_data, body.renotify, body.is_active
    rule.quiet_from, rule.quiet_to = quiet_times(body.quiet_hours)
    rule.muted_until = body.muted_until


def quiet_times(quiet: QuietHours | None) -> tuple[time | None, time | None]:
    return (time.fromisoformat(quiet.from_), time.fromisoformat(quiet.to)) if quiet else (None, None)


def normalized(filters: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Returns the filters with providers by their usual names, and each value once."""
    return {name: list(dict.fromkeys(usual(name, value) for value in filters[name])) for name in sorted(filters)}


def usual(name: str, value: str) -> str:
    return (provider_name(value) or value) if name.removeprefix(NOT) == "provider" else value


def channels_of(workspace_id: UUID, names: Sequence[str]) -> list[Channel]:
    """Returns the channels of these ids or names, or raises a 422 Problem."""
    found = {str(channel.pk): channel for channel in Channel.objects.filter(workspace=workspace_id)}
    by_name = {channel.name: channel for channel in found.values()}
    chosen = [found.get(name) or by_name.get(name) for name in names]
    errors: list[FieldError] = [
        {"loc": ["body", "channels", place], "msg": "is no channel of this workspace"}
        for place, channel in enumerate(chosen)
        if channel is None
    ]
    if errors:
        raise Problem(422, "The rule is not valid.", errors)
    return list(dict.fromkeys(channel for channel in chosen if channel))


def check_muted(until: datetime | None, now: datetime) -> None:
    if until is not None and (until - now).days > 366:
        raise Problem(
            422, "The rule is not valid.", [{"loc": ["body", "muted_until"], "msg": "is at most a year ahead"}]
        )
