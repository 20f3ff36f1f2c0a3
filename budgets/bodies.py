"""Describes and checks what clients and forms send about budgets. Behind it there are only valid values."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Self
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

from budgets.models import (
    AUTHOR_LENGTH,
    FIXED,
    MOST_USD,
    NAME_LENGTH,
    PER_DIMENSIONS,
    REASON_LENGTH,
    ROLLING,
    Budget,
)
from budgets.periods import CalendarPeriod
from budgets.thresholds import INFO, Basis, Severity, Threshold, default_thresholds, stored_thresholds
from budgets.update import exact_json, two_decimals
from prices.providers import provider_name
from traces.filters import LABEL_PREFIX
from traces.text import NAME_LENGTH as VALUE_LENGTH
from traces.text import UNSTORABLE
from web.problems import FieldError, Problem
from workspaces.label_limits import LABEL_LENGTH

SCOPE_DIMENSIONS = ("agent_id", "model", "provider", "user_id", "environment", "release")
MAX_SCOPE_VALUES, MAX_SCOPE_FILTERS, MAX_THRESHOLDS, MAX_CHANNELS = 20, 10, 20, 10
MAX_ROLLING_DAYS, MAX_FIXED_DAYS = 366, 1100
EARLIEST, LATEST = date(2000, 1, 1), date(2100, 1, 1)
ROLLING_WORD = re.compile(r"rolling_([0-9]{1,3})d")
LABEL_PATTERN = rf"label\.[^\u0000]{{1,{LABEL_LENGTH}}}"


def storable(text: str) -> str:
    if UNSTORABLE.search(text):
        raise PydanticCustomError("text", "must contain neither a NUL character nor a lone surrogate")
    return text


def not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "must not be empty")
    return text.strip()


def is_label(name: str) -> bool:
    return name.startswith(LABEL_PREFIX) and 0 < len(name.removeprefix(LABEL_PREFIX).encode()) <= LABEL_LENGTH


def known_filter(name: str) -> str:
    if name not in SCOPE_DIMENSIONS and not is_label(storable(name)):
        known = ", ".join((*SCOPE_DIMENSIONS, f"{LABEL_PREFIX}<name>"))
        raise PydanticCustomError("filter", "must be one of {known}", {"known": known})
    return name


def known_per(name: str) -> str:
    if name not in PER_DIMENSIONS and not is_label(storable(name)):
        known = ", ".join((*PER_DIMENSIONS, f"{LABEL_PREFIX}<name>"))
        raise PydanticCustomError("per", "must be one of {known}", {"known": known})
    return name


def in_calendar(day: date) -> date:
    if not EARLIEST <= day <= LATEST:
        raise PydanticCustomError("calendar", "must lie between the years 2000 and 2100")
    return day


def period_from_word(value: Any) -> Any:
    """Turns rolling_30d into {"rolling_days": 30}."""
    match = ROLLING_WORD.fullmatch(value) if isinstance(value, str) else None
    return {"rolling_days": int(match[1])} if match else value


TEXT_PATTERN = r"^[^\u0000]*$"
FILLED_PATTERN = r"^[^\u0000]*\S[^\u0000]*$"
AT_MOST_TWO = "At most two decimals."


def filled(most: int) -> Any:
    return Field(min_length=1, max_length=most, json_schema_extra={"pattern": FILLED_PATTERN})


def text(most: int) -> Any:
    return Field(max_length=most, json_schema_extra={"pattern": TEXT_PATTERN})


CONFIG = ConfigDict(extra="forbid", strict=True)
Usd = Annotated[
    Decimal,
    Field(ge=0, le=MOST_USD, decimal_places=2, allow_inf_nan=False),
    AfterValidator(two_decimals),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": float(MOST_USD), "description": AT_MOST_TWO}),
]
RaiseUsd = Annotated[
    Decimal,
    Field(gt=0, le=MOST_USD, decimal_places=2, allow_inf_nan=False),
    AfterValidator(two_decimals),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": float(MOST_USD), "description": AT_MOST_TWO}),
]
Name = Annotated[str, filled(NAME_LENGTH), AfterValidator(storable), AfterValidator(not_blank)]
Why = Annotated[str, filled(REASON_LENGTH), AfterValidator(storable), AfterValidator(not_blank)]
Reason = Annotated[str, text(REASON_LENGTH), AfterValidator(storable)]
Owner = Annotated[str, text(AUTHOR_LENGTH), AfterValidator(storable)]
Channel = Annotated[str, text(100), AfterValidator(storable)]
Percent = Annotated[
    Decimal,
    Field(gt=0, le=1000, decimal_places=2, allow_inf_nan=False),
    AfterValidator(two_decimals),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 1000, "description": AT_MOST_TWO}),
]
Day = Annotated[date, Field(strict=False), AfterValidator(in_calendar)]


class RollingDays(BaseModel):
    """The last days, today among them."""

    model_config = CONFIG
    rolling_days: Annotated[int, Field(ge=1, le=MAX_ROLLING_DAYS, strict=False)]


class FixedDays(BaseModel):
    """From one day to before another. It does not come again."""

    model_config = ConfigDict(extra="forbid", strict=True, validate_by_name=True)
    from_: Annotated[Day, Field(alias="from")]
    to: Annotated[Day, Field(description="The first day that is no longer in the period.")]

    @model_validator(mode="after")
    def has_days(self) -> Self:
        if not timedelta(0) < self.to - self.from_ <= timedelta(days=MAX_FIXED_DAYS):
            raise PydanticCustomError("days", f"to must be 1 to {MAX_FIXED_DAYS} days later than from")
        return self


Period = Annotated[
    CalendarPeriod | RollingDays | FixedDays,
    BeforeValidator(period_from_word),
    Field(description="A word, like month, or rolling_30d; or an object. Weeks begin on Monday."),
]


class ThresholdBody(BaseModel):
    """A share of the limit or an amount. When it is reached, an event is stored."""

    model_config = CONFIG
    basis: Annotated[Basis, Field(description="What was spent, or what the forecast expects.")] = "actual"
    percent: Percent | None = None
    amount_usd: Annotated[Usd | None, Field(description="Instead of `percent`.")] = None
    severity: Severity = INFO
    channels: Annotated[
        list[Channel],
        Field(max_length=MAX_CHANNELS, description="Where alerts about it go."),
    ] = []

    @model_validator(mode="after")
    def has_one_amount(self) -> Self:
        if (self.percent is None) == (self.amount_usd is None):
            raise PydanticCustomError("percent", "give either percent or amount_usd")
        return self

    @property
    def threshold(self) -> Threshold:
        return Threshold(self.basis, self.percent, self.amount_usd, self.severity, tuple(self.channels))


ScopeValue = Annotated[
    str,
    Field(min_length=1, max_length=VALUE_LENGTH, json_schema_extra={"pattern": TEXT_PATTERN}),
    AfterValidator(storable),
]
ScopeName = Annotated[
    str,
    AfterValidator(known_filter),
    WithJsonSchema({"type": "string", "pattern": f"^({'|'.join(SCOPE_DIMENSIONS)}|{LABEL_PATTERN})$"}),
]
Per = Annotated[
    str,
    AfterValidator(known_per),
    WithJsonSchema({"type": "string", "pattern": f"^({'|'.join(PER_DIMENSIONS)}|{LABEL_PATTERN})$"}),
]


class BudgetFields(BaseModel):
    model_config = CONFIG

    period: Period = "month"
    scope: Annotated[
        dict[ScopeName, Annotated[list[ScopeValue], Field(min_length=1, max_length=MAX_SCOPE_VALUES)]],
        Field(
            max_length=MAX_SCOPE_FILTERS,
            description='The values of each filter, like {"agent_id": ["support"], "label.customer": ["acme"]}. '
            "Several values: any of them. Empty: everything.",
            json_schema_extra={"additionalProperties": False},
        ),
    ] = {}
    per: Annotated[
        Per | None,
        Field(description="Makes a template: each value of agent, user, model or label.<name> may spend the amount."),
    ] = None
    thresholds: Annotated[
        list[ThresholdBody] | None,
        Field(
            max_length=MAX_THRESHOLDS,
            description="By default 50, 80 and 100 percent of what was spent, and 100 percent of the forecast, which "
            "templates do not have.",
        ),
    ] = None
    owner: Annotated[Owner, Field(description="Who looks after it.")] = ""
    is_active: Annotated[bool, Field(description="False: it is neither checked nor watched.")] = True
    reason: Annotated[Reason, Field(description="Why it is changed, for the history.")] = ""

    @model_validator(mode="after")
    def names_each_threshold_once(self) -> Self:
        keys = [one.threshold.key for one in self.thresholds or ()]
        if len(keys) != len(set(keys)):
            raise PydanticCustomError("thresholds", "must not name the same threshold twice")
        return self


class NewBudget(BudgetFields):
    """A budget. What is left out has its default."""

    id: Annotated[
        Annotated[UUID, Field(strict=False)] | None,
        Field(description="An id of your own: sent again, it makes no second budget."),
    ] = None

    name: Name
    amount_usd: Annotated[Usd, Field(description="How much may be spent in a period.")]


class OwnBudget(BudgetFields):
    """The workspace's own budget, which may have no limit."""

    name: Name
    amount_usd: Usd | None = None

    @model_validator(mode="after")
    def is_of_the_whole_month(self) -> Self:
        if self.period != "month" or self.scope or self.per:
            raise PydanticCustomError("period", "the workspace's own budget is of a month, without a scope")
        return self


class BudgetChanges(BudgetFields):
    """The fields to change. A field that is left out keeps its value."""

    name: Name = ""
    amount_usd: Annotated[Usd | None, Field(description="Only the workspace's own budget may have none.")] = None


class NewRaise(BaseModel):
    """An amount that is added for some time. The end is a moment of the future."""

    model_config = CONFIG
    id: Annotated[
        Annotated[UUID, Field(strict=False)] | None,
        Field(description="An id of your own: sent again, it makes no second raise."),
    ] = None
    amount_usd: RaiseUsd
    until: Annotated[AwareDatetime, Field(strict=False)]
    reason: Why


MESSAGES = {
    "is_instance_of": "must be a number",
    "decimal_parsing": "must be a number",
    "finite_number": "must be a number",
    "extra_forbidden": "unknown field",
    "model_type": "must be an object",
    "decimal_max_places": "must have at most two decimals",
    "missing": "required",
}


def parse(body: bytes, model: type[BaseModel], what: str) -> Any:
    """Returns the body as the model, or raises a 400 or 422 Problem with every error."""
    return validated(exact_json(body), model, what)


def validated(values: Any, model: type[BaseModel], what: str) -> Any:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise Problem(422, f"The {what} is not valid.", field_errors(details, model)) from error


PERIOD_MESSAGE = "must be day, week, month, quarter, year, rolling_30d, {rolling_days} or {from, to}"
PERIOD_RULES = ("days", "calendar", "greater_than_equal", "less_than_equal")
"""Errors of a period that is of a known kind."""


def field_errors(details: Any, model: type[BaseModel]) -> list[FieldError]:
    """Returns one error for each place."""
    errors: dict[tuple[Any, ...], FieldError] = {}
    for detail in details:
        # An error between fields has the name of one of them as its type.
        where = tuple(detail["loc"]) or ((detail["type"],) if detail["type"] in model.model_fields else ())
        if where[:1] == ("period",) and len(where) > 1:
            continue
        errors.setdefault(where, {"loc": ["body", *where], "msg": MESSAGES.get(detail["type"], detail["msg"])})
    if of_period := [detail for detail in details if detail["loc"][:1] == ("period",) and len(detail["loc"]) > 1]:
        errors[("period",)] = {"loc": ["body", "period"], "msg": period_message(of_period)}
    return list(errors.values())


def period_message(details: Any) -> str:
    """Returns what is wrong with a period: it has an error for each kind that it is not."""
    rules = [detail["msg"] for detail in details if detail["type"] in PERIOD_RULES]
    return rules[0] if rules else PERIOD_MESSAGE


# --- Between bodies and rows ---


def body_of(budget: Budget) -> dict[str, Any]:
    """Returns the body that makes this budget."""
    return {
        "name": budget.name,
        "amount_usd": budget.amount_usd,
        "period": period_body(budget),
        "scope": budget.scope,
        "per": budget.per or None,
        "thresholds": [threshold_body(one) for one in stored_thresholds(budget.thresholds)],
        "owner": budget.owner,
        "is_active": budget.is_active,
    }


def period_body(budget: Budget) -> Any:
    if budget.period == ROLLING:
        return {"rolling_days": budget.rolling_days}
    if budget.period == FIXED:
        return {"from": budget.fixed_from, "to": budget.fixed_to}
    return budget.period


def threshold_body(one: Threshold) -> dict[str, Any]:
    share = {"amount_usd": one.amount_usd} if one.percent is None else {"percent": one.percent}
    return {"basis": one.basis, **share, "severity": one.severity, "channels": list(one.channels)}


def changed_body(budget: Budget, changes: Mapping[str, Any]) -> "NewBudget | OwnBudget":
    """Returns the budget with the changes, all checked together."""
    model = OwnBudget if budget.is_workspace_budget else NewBudget
    merged = body_of(budget) | dict(changes)
    result: NewBudget | OwnBudget = validated(merged, model, "budget")
    return result


def fill(budget: Budget, body: "NewBudget | OwnBudget") -> None:
    """Gives the row the values of the body."""
    thresholds = body.thresholds
    if thresholds is None and not budget.is_workspace_budget:
        chosen = default_thresholds(bool(body.per))
    else:
        chosen = without_alert(budget, [one.threshold for one in thresholds or ()])
    budget.name, budget.amount_usd, budget.owner = body.name, body.amount_usd, body.owner
    budget.scope, budget.per = normalized(body.scope), body.per or ""
    budget.is_active, budget.thresholds = body.is_active, [one.as_json() for one in chosen]
    fill_period(budget, body.period)


def without_alert(budget: Budget, thresholds: list[Threshold]) -> list[Threshold]:
    """Returns the thresholds without that of the own budget's alert, which answers show among them.

    It stays where it is the only one: a list without any stands for the usual ones.
    """
    others = [one for one in thresholds if not budget.is_workspace_budget or one.key != budget.alert.key]
    return others or thresholds


def normalized(scope: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Returns the scope with providers by their usual names, and each value once."""
    return {
        name: list(
            dict.fromkeys((provider_name(value) or value) if name == "provider" else value for value in scope[name])
        )
        for name in sorted(scope)
    }


def fill_period(budget: Budget, period: Any) -> None:
    is_rolling, is_fixed = isinstance(period, RollingDays), isinstance(period, FixedDays)
    budget.period = ROLLING if is_rolling else FIXED if is_fixed else period
    budget.rolling_days = period.rolling_days if is_rolling else None
    budget.fixed_from, budget.fixed_to = (period.from_, period.to) if is_fixed else (None, None)


def check_until(until: datetime, now: datetime) -> None:
    """Raises a 422 Problem for a raise that would have ended, or would last longer than a year."""
    if not now < until <= now + timedelta(days=366):
        message = "must lie in the future, within a year"
        raise Problem(422, "The raise is not valid.", [{"loc": ["body", "until"], "msg": message}])
