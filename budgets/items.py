"""Makes the JSON of budgets, for the API and the pages: what they are, where they stand, and what happened to them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from typing_extensions import TypedDict

from budgets.answer import as_float
from budgets.bodies import period_body, threshold_body
from budgets.counters import Values, filters_of, largest
from budgets.forecast_answer import ForecastError, error_of
from budgets.models import Budget, BudgetChange, BudgetEvent, BudgetRaise, BudgetStatus
from budgets.states import PastPeriod, Running, State, near_usd, past_periods, running, states, value_states
from budgets.thresholds import Basis, Severity
from methods.forecast import Forecast, Reason

CONTRIBUTORS = 3
VALUES_SHOWN, MAX_VALUES_SHOWN = 100, 1000
NEWEST = 100
PERIODS_SHOWN = 12
CONTRIBUTING_DIMENSIONS = ("agent_id", "model", "user_id")
ValueState = Literal["ok", "near", "over"]


class PeriodDays(TypedDict):
    rolling_days: int


PeriodDates = TypedDict("PeriodDates", {"from": date, "to": date})


class ThresholdItem(TypedDict):
    basis: Basis
    percent: float | None
    amount_usd: float | None
    severity: Severity
    channels: list[str]


class RaiseItem(TypedDict):
    amount_usd: float
    created_at: datetime
    until: datetime
    reason: str
    created_by: str


class LimitDays(TypedDict):
    """The day on which the limit is reached. Null: not in this period."""

    expected: date | None
    earliest: date | None
    """In one of ten cases it is reached on this day or before."""
    latest: date | None
    """In nine of ten cases it is reached on this day or before."""


class ValueCounts(TypedDict):
    """The values of a template that have calls in the period."""

    number: int
    near: int
    """Those from the lowest warning up to the limit."""
    over: int
    """Those that have reached the limit."""


class BudgetState(TypedDict):
    period_start: datetime
    period_end: datetime
    spent_usd: float
    """Of a template: of all its values together."""
    remaining_usd: float | None
    """Below 0 where the limit is exceeded; null without a limit and for a template."""
    used_percentage: float | None
    """Of the limit; null without a limit, with one of 0, and for a template."""
    status: BudgetStatus
    """Of a template: exceeded where a value is over, warning where one is near."""
    expected_usd: float | None
    """At the end of the period; null without a forecast."""
    low_usd: float | None
    """In eight of ten cases the period ends between this and `high_usd`."""
    high_usd: float | None
    no_forecast_reason: Reason | None
    limit_reached: LimitDays | None
    """Null without a limit or a forecast."""
    past_error: ForecastError | None
    """How far the forecasts of past periods were off; null where none can be repeated, and in the list of budgets."""
    values: ValueCounts | None
    """Null for a budget that is no template."""


class BudgetItem(TypedDict):
    id: UUID
    name: str
    is_workspace_budget: bool
    """It is the one that `cost/budget` shows."""
    amount_usd: float | None
    """Null: no limit, which only the workspace's own budget may have."""
    limit_usd: float | None
    """The amount with the raises in force."""
    period: str | PeriodDays | PeriodDates
    scope: dict[str, list[str]]
    per: str | None
    thresholds: list[ThresholdItem]
    owner: str
    is_active: bool
    raises: list[RaiseItem]
    """Those in force."""
    created_at: datetime
    updated_at: datetime
    state: BudgetState | None
    """Null where the period does not run now, and after a change while the database of traces does not answer."""


class BudgetList(TypedDict):
    data: list[BudgetItem]
    """The workspace's own budget first, the others as they were made."""
    next_cursor: str | None
    """Null on the last page."""


class ChangeItem(TypedDict):
    at: datetime
    by: str
    reason: str
    amount_from_usd: float | None
    amount_to_usd: float | None
    details: dict[str, list[Any]]
    """The other fields that changed, each with its value before and after."""


class EventItem(TypedDict):
    id: UUID
    at: datetime
    threshold: str
    """Like actual:80% or forecast:$500.00."""
    basis: Basis
    severity: Severity
    value: str | None
    """The user, agent, model or label of a template that reached it."""
    period_start: datetime
    spent_usd: float
    """As it was known then."""
    limit_usd: float
    expected_usd: float | None
    passed_before: bool
    """It had been reached before the threshold was made."""


class PeriodItem(TypedDict):
    period_start: datetime
    period_end: datetime
    spent_usd: float
    limit_usd: float | None
    """In force when the period ended."""
    used_percentage: float | None
    """Null without a limit and for a template, whose limit is that of each value."""
    status: BudgetStatus


class ValueItem(TypedDict):
    value: str
    spent_usd: float
    used_percentage: float | None
    state: ValueState


class Contributor(TypedDict):
    dimension: str
    value: str
    spent_usd: float


class BudgetDetail(BudgetItem):
    values: list[ValueItem]
    """Of a template: those with the most spend."""
    values_found: int
    contributors: list[Contributor]
    """Who spent the most in the running period."""
    past_periods: list[PeriodItem]
    """The oldest first. They are computed now: late traces and new prices change them."""
    events: list[EventItem]
    """The newest first."""
    history: list[ChangeItem]
    """The newest first."""


# --- Configuration ---


def item(budget: Budget, state: BudgetState | None, now: datetime) -> BudgetItem:
    return {
        "id": budget.pk,
        "name": budget.name,
        "is_workspace_budget": budget.is_workspace_budget,
        "amount_usd": as_float(budget.amount_usd),
        "limit_usd": as_float(budget.limit_at(now)),
        "period": period_body(budget),
        "scope": budget.scope,
        "per": budget.per or None,
        "thresholds": [threshold_item(threshold_body(one)) for one in budget.threshold_list],
        "owner": budget.owner,
        "is_active": budget.is_active,
        "raises": [raise_item(one) for one in budget.raises.all() if one.is_in_force(now)],
        "created_at": budget.created_at,
        "updated_at": budget.updated_at,
        "state": state,
    }


def threshold_item(body: Mapping[str, Any]) -> ThresholdItem:
    return {
        "basis": body["basis"],
        "percent": as_float(body.get("percent")),
        "amount_usd": as_float(body.get("amount_usd")),
        "severity": body["severity"],
        "channels": body["channels"],
    }


def raise_item(one: BudgetRaise) -> RaiseItem:
    return {
        "amount_usd": float(one.amount_usd),
        "created_at": one.created_at,
        "until": one.until,
        "reason": one.reason,
        "created_by": one.created_by,
    }


# --- State ---


def items(budgets: Sequence[Budget], now: datetime, with_error: bool = False) -> list[BudgetItem]:
    """Returns the budgets with where they stand. Those that are no templates are summed together."""
    found = {budget.pk: one for budget in budgets if (one := running(budget, now))}
    plain = [one for one in found.values() if not one.budget.per]
    by_id = {state.running.budget.pk: state_item(state) for state in states(plain, now, with_error)}
    by_id |= {pk: template_item(one, value_states(one, 1)) for pk, one in found.items() if one.budget.per}
    return [item(budget, by_id.get(budget.pk), now) for budget in budgets]


def state_item(state: State) -> BudgetState:
    one, limit = state.running, state.running.limit
    known = state.forecast if isinstance(state.forecast, Forecast) else None
    reached = known.exhaustion(float(limit)) if known and limit is not None else None
    return {
        "period_start": one.start,
        "period_end": one.end,
        "spent_usd": float(state.spent),
        "remaining_usd": None if limit is None else float(limit - state.spent),
        "used_percentage": percentage_of(state.spent, limit),
        "status": state.status,
        "expected_usd": known.expected if known else None,
        "low_usd": known.low if known else None,
        "high_usd": known.high if known else None,
        "no_forecast_reason": None if isinstance(state.forecast, Forecast) else state.forecast.reason,
        "limit_reached": None
        if reached is None
        else {"expected": reached.expected, "earliest": reached.earliest, "latest": reached.latest},
        "past_error": error_of(state.past_error),
        "values": None,
    }


def template_item(one: Running, values: Values) -> BudgetState:
    return {
        "period_start": one.start,
        "period_end": one.end,
        "spent_usd": float(values.total_usd),
        "remaining_usd": None,
        "used_percentage": None,
        "status": "exceeded" if values.over else "warning" if values.near else "ok",
        "expected_usd": None,
        "low_usd": None,
        "high_usd": None,
        "no_forecast_reason": None,
        "limit_reached": None,
        "past_error": None,
        "values": {"number": values.number, "near": values.near, "over": values.over},
    }


def percentage_of(spent: Decimal, limit: Decimal | None) -> float | None:
    return float(spent * 100 / limit) if limit else None


# --- One budget ---


def detail(
    budget: Budget, now: datetime, search: str = "", limit: int = VALUES_SHOWN, periods: int = PERIODS_SHOWN
) -> BudgetDetail:
    one = running(budget, now)
    values = value_states(one, limit, search=search) if one and budget.per else None
    [found] = items([budget], now, with_error=True)
    return {
        **found,
        "values": [value_item(one, value, spent) for value, spent in values.listed] if one and values else [],
        "values_found": values.found if values else 0,
        "contributors": contributors([one])[0] if one else [],
        "past_periods": [period_item(budget, past) for past in since_beginning(past_periods(budget, now, periods))],
        "events": [event_item(event) for event in budget.events.all()[:NEWEST]],
        "history": [change_item(change) for change in budget.changes.all()[:NEWEST]],
    }


def since_beginning(periods: Sequence[PastPeriod]) -> Sequence[PastPeriod]:
    """Returns the periods without those before the first spend."""
    first = next((place for place, past in enumerate(periods) if past.spent), len(periods))
    return periods[first:]


def value_item(one: Running, value: str, spent: Decimal) -> ValueItem:
    limit = one.limit or Decimal(0)
    state: ValueState = "over" if spent >= limit else "near" if spent >= near_usd(one.budget, limit) else "ok"
    return {
        "value": value,
        "spent_usd": float(spent),
        "used_percentage": percentage_of(spent, limit),
        "state": state,
    }


def contributing_dimension(budget: Budget) -> str:
    """Returns the dimension by which a budget's spend is split: the first that its scope does not fix."""
    fixed = {name for name, values in budget.scope.items() if len(values) == 1} | {budget.per_dimension}
    return next((name for name in CONTRIBUTING_DIMENSIONS if name not in fixed), "provider")


def contributors(found: Sequence[Running]) -> list[list[Contributor]]:
    """Returns who spent the most in the running period of each budget."""
    windows = [(filters_of(one.budget, one.days), contributing_dimension(one.budget)) for one in found]
    return [
        [{"dimension": dimension, "value": value, "spent_usd": float(spent)} for value, spent in listed]
        for (_, dimension), listed in zip(windows, largest(windows, CONTRIBUTORS), strict=True)
    ]


def period_item(budget: Budget, past: PastPeriod) -> PeriodItem:
    return {
        "period_start": past.start,
        "period_end": past.end,
        "spent_usd": float(past.spent),
        "limit_usd": as_float(past.limit),
        "used_percentage": None if budget.per else percentage_of(past.spent, past.limit),
        "status": "unset" if past.limit is None or budget.per else budget.status(past.spent, past.limit),
    }


def event_item(event: BudgetEvent) -> EventItem:
    basis: Any = event.basis
    severity: Any = event.severity
    return {
        "id": event.pk,
        "at": event.at,
        "threshold": event.threshold,
        "basis": basis,
        "severity": severity,
        "value": event.value or None,
        "period_start": event.period_start,
        "spent_usd": float(event.spent_usd),
        "limit_usd": float(event.limit_usd),
        "expected_usd": event.expected_usd,
        "passed_before": event.passed_before,
    }


def change_item(change: BudgetChange) -> ChangeItem:
    return {
        "at": change.changed_at,
        "by": change.changed_by,
        "reason": change.reason,
        "amount_from_usd": as_float(change.limit_from_usd),
        "amount_to_usd": as_float(change.limit_to_usd),
        "details": change.details | threshold_change(change),
    }


def threshold_change(change: BudgetChange) -> dict[str, list[Any]]:
    before, after = as_float(change.threshold_from), as_float(change.threshold_to)
    return {} if before == after else {"alert_threshold_percentage": [before, after]}
