"""Compares budgets with plain Python over random histories: rows that come late, twice, and get new prices.

ORACLE_CASES is the number of budgets: a few by default, 2,000 in `make test-oracle`.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from budgets import check, items
from budgets.evaluation import evaluate
from budgets.models import Budget, BudgetEvent, BudgetRaise
from budgets.states import Running, running, spends, states, value_states
from budgets.thresholds import default_thresholds
from methods.forecast import Forecast, forecast
from tests.analytics import histories
from tests.budgets.oracle import Case, Expected, expected, first_moment, is_in_scope, value_of
from tests.factories import WorkspaceFactory
from tests.summaries import COUNTS
from traces.row import Row

pytestmark = pytest.mark.django_db(databases="__all__")

BUDGETS_OF_A_HISTORY = 8
IS_ON_DEMAND = "ORACLE_CASES" in os.environ
HISTORIES = max(int(os.environ.get("ORACLE_CASES", "80")) // BUDGETS_OF_A_HISTORY, 1)
oracle_settings = settings(
    max_examples=HISTORIES,
    deadline=None,
    database=None,
    derandomize=not IS_ON_DEMAND,
    phases=list(Phase) if "ORACLE_SHRINK" in os.environ else [Phase.generate],
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
PERIODS = ["day", "week", "month", "quarter", "year", "rolling:1", "rolling:7", "rolling:30"]
SCOPED = ["agent_id", "model", "provider", "user_id", "environment", "release", "label.customer"]
PERS = ["", "", "", "agent", "user", "model", "label.customer", "label.team's %(name)s {}"]


@st.composite
def cases(draw: st.DrawFn, now: datetime, zone: str, rows: list[Row]) -> Case:
    period = draw(st.sampled_from([*PERIODS, "fixed"]))
    if period == "fixed":
        day = now.date() + timedelta(days=draw(st.integers(-40, 1)))
        period = f"fixed:{day}:{day + timedelta(days=draw(st.integers(1, 60)))}"
    amount = draw(st.sampled_from([Decimal(0), Decimal("0.01"), Decimal(1), Decimal(5), Decimal(100)]))
    case = Case(now, zone, period, amount, draw(scopes(rows)), draw(st.sampled_from(PERS)), draw(raises(now)))
    if (found := expected(rows, case)) and found.spent and draw(st.integers(0, 2)) == 0:
        # The spend is the limit, to the cent.
        case.amount, case.raises = max(found.spent.quantize(Decimal("0.01")), Decimal("0.01")), []
    return case


@st.composite
def scopes(draw: st.DrawFn, rows: list[Row]) -> dict[str, list[str]]:
    names = draw(st.lists(st.sampled_from(SCOPED), max_size=draw(st.sampled_from([0, 1, 1, 2])), unique=True))
    scope = {}
    for name in names:
        known = sorted({value for row in rows if (value := value_of(row, name))})
        scope[name] = draw(st.lists(st.sampled_from([*known, "nobody"]), min_size=1, max_size=2, unique=True))
    return scope


@st.composite
def raises(draw: st.DrawFn, now: datetime) -> list[tuple[Decimal, datetime, datetime]]:
    hours = st.integers(-50, 50)
    return [
        (Decimal(draw(st.integers(1, 50))), now + timedelta(hours=draw(hours)), now + timedelta(hours=draw(hours)))
        for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2])))
    ]


def stored(case: Case, workspace: object) -> Budget:
    kind, _, rest = case.period.partition(":")
    first, until = rest.split(":") if kind == "fixed" else (None, None)
    budget = Budget.objects.create(
        workspace=workspace,
        name="a budget",
        amount_usd=case.amount,
        period=kind,
        rolling_days=int(rest) if kind == "rolling" else None,
        fixed_from=first,
        fixed_to=until,
        scope=case.scope,
        per=case.per,
        thresholds=[one.as_json() for one in default_thresholds(is_template=True)],
    )
    for amount, since, until_moment in case.raises:
        one = BudgetRaise.objects.create(budget=budget, amount_usd=amount, until=until_moment, created_by="ada")
        BudgetRaise.objects.filter(pk=one.pk).update(created_at=since)
    return Budget.objects.select_related("workspace").get(pk=budget.pk)


@oracle_settings
@given(data=st.data(), now=st.sampled_from(histories.NOWS), zone=st.sampled_from(histories.ZONES))
def test_budgets_are_as_plain_python_says(data: st.DataObject, now: datetime, zone: str) -> None:
    delivery = data.draw(histories.deliveries(now))
    workspace = WorkspaceFactory(id=uuid4(), time_zone=zone)
    delivery.arrive(workspace.id)
    rows = delivery.stored
    drawn = [data.draw(cases(now, zone, rows)) for _ in range(BUDGETS_OF_A_HISTORY)]
    pairs = [(case, stored(case, workspace)) for case in drawn]
    evaluate(now)
    plain = [one for _, budget in pairs if not budget.per and (one := running(budget, now))]
    amounts = spends(plain)
    for case, budget in pairs:
        COUNTS["oracle"]["budgets"] += 1
        right, one = expected(rows, case), running(budget, now)
        assert (one is None) == (right is None), case
        if one is None or right is None:
            continue
        assert (one.start, one.end, one.limit) == (right.start, right.end, right.limit), case
        if right.by_value is not None:
            found = value_states(one, 1000)
            assert dict(found.listed) == right.by_value, case
            over = sum(spent >= right.limit for spent in right.by_value.values())
            assert (found.number, found.over) == (len(right.by_value), over), case
        else:
            assert amounts[budget.pk] == right.spent, case
            compare_state(rows, case, one, right)
        events = {(value, share_of(key)) for value, key in budget.events.values_list("value", "threshold")}
        assert events == right.reached, case
    compare_checks(rows, pairs, now)
    Budget.objects.all().delete()
    assert not BudgetEvent.objects.exists()


def share_of(threshold: str) -> int:
    return int(threshold.partition(":")[2].removesuffix("%"))


def compare_state(rows: list[Row], case: Case, one: Running, right: Expected) -> None:
    """Compares status, what is left and the day on which the limit is reached."""
    [state] = states([one], case.now)
    found = items.state_item(state)
    assert found["spent_usd"] == float(right.spent), case
    assert found["remaining_usd"] == float(right.limit - right.spent), case
    is_over = right.spent >= right.limit
    assert found["status"] == ("exceeded" if is_over else "warning" if right.is_reached(80, right.spent) else "ok"), (
        case
    )
    if case.period.startswith("rolling"):
        return
    zone, today = one.budget.workspace.zone, case.now.astimezone(one.budget.workspace.zone).date()
    history = list(by_day(rows, case, today))
    midnights = [first_moment(day, case.zone) for day in (today, today + timedelta(days=1))]
    left = (midnights[1] - case.now) / (midnights[1] - midnights[0])
    days = [moment.astimezone(zone).date() for moment in (right.start, right.end)]
    expected_course = forecast(history, *days, float(right.spent), left)
    assert state.forecast == expected_course, case
    if isinstance(expected_course, Forecast):
        reached = expected_course.exhaustion(float(right.limit))
        assert found["limit_reached"] == {
            "expected": reached.expected,
            "earliest": reached.earliest,
            "latest": reached.latest,
        }, case


def by_day(rows: list[Row], case: Case, today: object) -> Iterator[tuple[object, float]]:
    """Yields the spend of each of the 84 days before today."""
    for age in range(84, 0, -1):
        day = today - timedelta(days=age)  # type: ignore[operator]
        start, end = (first_moment(each, case.zone) for each in (day, day + timedelta(days=1)))
        costs = (row.cost_usd or Decimal(0) for row in rows if start <= row.timestamp < end and is_in_scope(row, case))
        yield day, float(sum(costs, Decimal(0)))


def compare_checks(rows: list[Row], pairs: list[tuple[Case, Budget]], now: datetime) -> None:
    """Asks for each row whether a call like it may be made."""
    if not pairs:
        return
    workspace = pairs[0][1].workspace
    for row in [row for row in rows if row.operation == "chat"][:3]:
        call = {name: value for name in SCOPED if (value := value_of(row, name)) is not None}
        allowed = all(may_go_on(rows, case, call) for case, _ in pairs)
        assert check.check(workspace, call, now.astimezone(UTC))["allowed"] == allowed, call


def may_go_on(rows: list[Row], case: Case, call: dict[str, str]) -> bool:
    right = expected(rows, case)
    name = {"agent": "agent_id", "user": "user_id"}.get(case.per, case.per)
    if right is None or (case.per and name not in call):
        return True
    if not all(call.get(one) in values for one, values in case.scope.items()):
        return True
    spent = right.spent if right.by_value is None else right.by_value.get(call[name], Decimal(0))
    return spent < right.limit
