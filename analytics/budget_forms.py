"""Turns the form of a budget into the body that the API takes, and back."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from django.http import QueryDict

from budgets.bodies import body_of
from budgets.models import Budget
from budgets.thresholds import ACTUAL, CRITICAL, FORECAST, INFO, WARNING, stored_thresholds
from budgets.update import plain_number
from traces.filters import LABEL_PREFIX
from web.problems import Problem

DIMENSIONS = {
    "agent_id": "one agent",
    "model": "one model",
    "provider": "one provider",
    "user_id": "one user",
    "environment": "one environment",
    "release": "one release",
}
EACH = {"agent": "each agent", "user": "each user", "model": "each model"}
ALL, ONE, PER = "all", "one:", "each:"
PERIODS = (
    ("day", "day"),
    ("week", "week, from Monday"),
    ("month", "month"),
    ("quarter", "quarter"),
    ("year", "year"),
    ("rolling", "last days"),
    ("fixed", "from a day to another"),
)
USUAL_ACTUAL, USUAL_FORECAST = "50, 80, 100", "100"
WARNING_FROM, CRITICAL_FROM = 80, 100


class Target(NamedTuple):
    value: str
    label: str
    is_one: bool


def targets(labels: Sequence[str], chosen: str) -> list[Target]:
    """Returns what a budget can be about. What is chosen is among them, also if no call has it any more."""
    found = [Target(ALL, "the whole workspace", False)]
    found += [Target(f"{ONE}{name}", words, True) for name, words in DIMENSIONS.items()]
    found += [Target(f"{ONE}{LABEL_PREFIX}{name}", f"one {name} (label)", True) for name in labels]
    found += [Target(f"{PER}{name}", f"{words}, the same amount", False) for name, words in EACH.items()]
    found += [Target(f"{PER}{LABEL_PREFIX}{name}", f"each {name} (label), the same amount", False) for name in labels]
    if chosen and chosen not in {target.value for target in found}:
        found.append(Target(chosen, chosen.partition(":")[2], chosen.startswith(ONE)))
    return found


def dimension_of(target: str) -> str:
    """Returns the filter whose value the form asks for; empty where it asks for none."""
    return target.removeprefix(ONE) if target.startswith(ONE) else ""


def number(text: str) -> Any:
    """Returns the number that somebody has typed, or the text if it is none: the check then says so."""
    try:
        found = Decimal(plain_number(text))
    except InvalidOperation:
        return text
    return found if found.is_finite() else text


# --- From the form to a body ---


def body_of_form(form: QueryDict, budget: Budget | None) -> dict[str, Any]:
    """Returns the body of the form. Of a budget that exists it keeps what the form cannot show."""
    body: dict[str, Any] = {
        "name": form.get("name", "").strip() or name_of(form),
        "amount_usd": number(form.get("amount_usd", "")),
        "period": period_of(form),
        "owner": form.get("owner", ""),
        "is_active": "is_off" not in form,
        "reason": form.get("reason", ""),
        **about(form, budget),
    }
    if budget is None or not keeps_thresholds(form, budget):
        body["thresholds"] = thresholds_of(form)
    return body


def name_of(form: QueryDict) -> str:
    """Returns the name of a budget to which nobody has given one."""
    target, values = form.get("target", ALL), values_of(form)
    dimension = target.partition(":")[2].removeprefix(LABEL_PREFIX).removesuffix("_id")
    if target.startswith(PER):
        return f"Each {dimension}"
    return f"{dimension.capitalize()} {', '.join(values)}"[:100] if values else "Workspace"


def values_of(form: QueryDict) -> list[str]:
    """Returns the values of the scope: one a line, so that they may hold commas."""
    lines = [form.get("value", ""), *form.get("more_values", "").splitlines()]
    return list(dict.fromkeys(line.strip() for line in lines if line.strip()))


def about(form: QueryDict, budget: Budget | None) -> dict[str, Any]:
    """Returns scope and template."""
    target = form.get("target", ALL)
    if budget is not None and target == "":
        return {}
    if target.startswith(PER):
        return {"per": target.removeprefix(PER), "scope": {}}
    dimension = dimension_of(target)
    return {"per": None, "scope": {dimension: values_of(form)} if dimension else {}}


def period_of(form: QueryDict) -> Any:
    period = form.get("period", "month")
    if period == "rolling":
        return {"rolling_days": number(form.get("rolling_days", ""))}
    if period == "fixed":
        return {"from": form.get("fixed_from", ""), "to": form.get("fixed_to", "")}
    return period


def thresholds_of(form: QueryDict) -> list[dict[str, Any]]:
    """Returns the thresholds of both lists of percentages. The severity follows from the percentage."""
    fields = [(ACTUAL, "actual_percents"), (FORECAST, "forecast_percents")]
    if form.get("target", "").startswith(PER) and form.get("forecast_percents") == USUAL_FORECAST:
        fields.pop()  # each value would need a forecast of its own
    return [
        {"basis": basis, "percent": percent, "severity": severity_of(basis, percent)}
        for basis, field in fields
        for percent in percents_in(form.get(field, ""))
    ]


def percents_in(text: str) -> list[Any]:
    """Returns the numbers of a list of percentages, with or without their signs."""
    return [number(bare) for word in re.split(r"[,;\s]+", text) if (bare := word.removesuffix("%"))]


def severity_of(basis: str, percent: Any) -> str:
    """Returns how bad it is to reach this percentage. What is only expected is never critical."""
    if not isinstance(percent, Decimal) or percent < WARNING_FROM:
        return INFO
    return CRITICAL if percent >= CRITICAL_FROM and basis == ACTUAL else WARNING


def keeps_thresholds(form: QueryDict, budget: Budget) -> bool:
    """Returns whether the form has the percentages of the budget, whose severities and amounts are then kept."""
    shown = form_of(budget, QueryDict())
    return all(form.get(name, "") == shown[name] for name in ("actual_percents", "forecast_percents"))


# --- From a budget to the form ---


def form_of(budget: Budget | None, query: QueryDict) -> Mapping[str, str]:
    """Returns the values of the form's fields: of the budget, or of a new one with what the link says."""
    if budget is None:
        usual = {"target": ALL, "period": "month", "actual_percents": USUAL_ACTUAL, "forecast_percents": USUAL_FORECAST}
        linked = {name: query.get(name, "") for name in ("target", "value", "amount_usd", "period") if name in query}
        return {**usual, **{name: str(text) for name, text in linked.items()}}
    thresholds = body_of(budget)["thresholds"]
    target, values = target_of(budget)
    return {
        "name": budget.name,
        "amount_usd": "" if budget.amount_usd is None else str(budget.amount_usd),
        "target": target,
        "value": values[0] if values else "",
        "more_values": "\n".join(values[1:]),
        "period": budget.period,
        "rolling_days": str(budget.rolling_days or ""),
        "fixed_from": str(budget.fixed_from or ""),
        "fixed_to": str(budget.fixed_to or ""),
        "actual_percents": percents(thresholds, ACTUAL),
        "forecast_percents": percents(thresholds, FORECAST),
        "owner": budget.owner,
        "is_off": "" if budget.is_active else "1",
        "has_amounts": "1" if any(one.percent is None for one in stored_thresholds(budget.thresholds)) else "",
    }


def target_of(budget: Budget) -> tuple[str, list[str]]:
    """Returns the target and its values. An empty target: a scope that the form cannot show, and does not change."""
    if not budget.per and not budget.scope:
        return ALL, []
    if budget.per and not budget.scope:
        return f"{PER}{budget.per}", []
    if not budget.per and len(budget.scope) == 1:
        [(name, values)] = budget.scope.items()
        return f"{ONE}{name}", list(values)
    return "", []


def percents(thresholds: Sequence[Mapping[str, Any]], basis: str) -> str:
    found = (one["percent"] for one in thresholds if one["basis"] == basis and "percent" in one)
    return ", ".join(f"{percent.normalize():f}" for percent in found)


FIELDS_OF = {"scope": "value", "per": "target", "thresholds": "actual_percents"}
"""The fields of the form, by the fields of the body that are named otherwise."""


def errors_by_field(problem: Problem) -> dict[str, str]:
    found: dict[str, str] = {}
    for error in problem.errors:
        name = str(error["loc"][1]) if len(error["loc"]) > 1 else "form"
        found.setdefault(FIELDS_OF.get(name, name), error["msg"])
    return found or {"form": problem.detail}
