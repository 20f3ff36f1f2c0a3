"""Turns the form of a rule into the body that the API takes, and back."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.http import QueryDict

from alerts.comparisons import COMPARISONS, UNUSUAL
from alerts.metrics import METRICS, metric_of
from alerts.models import Rule
from alerts.rule_bodies import NOT, PERS, body_of
from alerts.words import filter_words
from analytics.query_measures import SCORE_PREFIX
from analytics.query_string import IS_LABEL, is_filter
from budgets.update import plain_number
from traces.filters import DIMENSION_BY_NAME
from web.problems import Problem

COMPARISON_WORDS = {
    "above": "is at or above",
    "below": "is below",
    "above_previous_percent": "rises against the window before, by percent",
    "above_last_week_percent": "rises against the same time last week, by percent",
    "below_previous_percent": "falls against the window before, by percent",
    "below_last_week_percent": "falls against the same time last week, by percent",
    "unusual": "is unusual for its hour of the week, by",
}
assert {*COMPARISON_WORDS} == {*COMPARISONS}  # noqa: S101
WINDOWS = {
    "5m": "5 minutes",
    "15m": "15 minutes",
    "30m": "30 minutes",
    "1h": "hour",
    "6h": "6 hours",
    "1d": "day",
    "7d": "7 days",
    "30d": "30 days",
}
NO_DATA_WORDS = {"keep": "nothing changes", "zero": "the value is 0", "notify": "tell that there is no data"}
USUAL_WARNING = {
    "error_rate": "5",
    "cost_usd": "10",
    "p95_latency_ms": "5000",
    "p95_first_token_ms": "2000",
    "calls": "1000",
    "unpriced_calls": "1",
}
"""Of the metrics that pages link to: a number to begin with. The back-test shows whether it fits."""


UNITS = {"_ms": "ms", "_usd": "USD", "_rate": "%"}


def metric_choices(chosen: str) -> list[tuple[str, str]]:
    """Returns the metrics of the list; what is chosen is among them, also if it is a score."""
    names = [*METRICS, *([chosen] if chosen.startswith(SCORE_PREFIX) else [])]
    return [(name, f"{metric_of(name).words}{unit_of(name)}") for name in names]


def unit_of(name: str) -> str:
    return (
        ", ms" if name.endswith("_ms") else ", USD" if name.endswith("_usd") else ", %" if name == "error_rate" else ""
    )


def number(text: str) -> Any:
    """Returns the number that somebody has typed, nothing for an empty field, or the text if it is none."""
    bare = text.strip().removeprefix("$").removesuffix("%").strip()
    if not bare:
        return None
    try:
        found = Decimal(plain_number(bare))
    except ArithmeticError:
        return text
    return float(found) if found.is_finite() else text


def whole(text: str, usual: int | None) -> Any:
    found = number(text)
    if found is None:
        return usual
    return int(found) if isinstance(found, float) and found.is_integer() else found


def body_of_form(form: QueryDict) -> dict[str, Any]:
    metric, comparison = form.get("metric", ""), form.get("comparison", "above")
    body: dict[str, Any] = {
        "metric": metric,
        "window": "1h" if comparison == UNUSUAL else form.get("window", ""),
        "comparison": comparison,
        "warning": number(form.get("warning", "")),
        "critical": number(form.get("critical", "")),
        "filters": filters_in(form.get("filters", "")),
        "per": form.get("per") or None,
        "minimum_calls": whole(form.get("minimum_calls", ""), 0),
        "for_evaluations": whole(form.get("for_evaluations", ""), 1),
        "no_data": form.get("no_data", "keep"),
        "renotify": whole(form.get("renotify", ""), None),
        "quiet_hours": quiet_in(form),
        "channels": form.getlist("channels"),
        "is_active": "is_off" not in form,
    }
    return {"name": form.get("name", "").strip() or name_of(metric, body["filters"]), **body}


def name_of(metric: str, filters: Mapping[str, Any]) -> str:
    """Returns the name of a rule to which nobody has given one."""
    words = metric_of(metric).words if metric in METRICS or metric.startswith(SCORE_PREFIX) else "Rule"
    try:
        named = f"{words} of {filter_words(filters)}" if filters else words
    except KeyError:
        named = words
    return named[:100]


def quiet_in(form: QueryDict) -> dict[str, str] | None:
    first, last = form.get("quiet_from", ""), form.get("quiet_to", "")
    return {"from": first, "to": last} if first or last else None


def filters_in(text: str) -> dict[str, list[str]]:
    """Returns the filters of a text with one a line, like agent_id = support."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, _, value = (part.strip() for part in line.partition("="))
        if name or value:
            found.setdefault(name, []).append(value)
    return found


def filter_lines(filters: Mapping[str, Any]) -> str:
    return "\n".join(f"{name} = {value}" for name, values in filters.items() for value in values)


# --- From a rule, or a page's address, to the form ---


def form_of(rule: Rule | None, query: QueryDict) -> QueryDict:
    """Returns the values of the form's fields: of the rule, or of a new one with what the link says."""
    form = QueryDict(mutable=True)
    if rule is None:
        metric = query.get("metric", "") if query.get("metric") in METRICS else "error_rate"
        window = query.get("window", "") if query.get("window") in WINDOWS else "15m"
        form.update({"metric": metric, "comparison": "above", "window": window, "no_data": "keep"})
        form["warning"] = USUAL_WARNING.get(metric, "")
        form["filters"] = filter_lines(filters_of_page(query))
        return form
    body = body_of(rule)
    for name in ("name", "metric", "comparison", "window", "no_data"):
        form[name] = body[name]
    for name in ("warning", "critical", "renotify", "minimum_calls", "for_evaluations"):
        form[name] = "" if body[name] is None else f"{Decimal(repr(body[name])).normalize():f}"
    form["filters"], form["per"] = filter_lines(rule.filters), rule.per
    quiet = body["quiet_hours"] or {}
    form["quiet_from"], form["quiet_to"] = quiet.get("from", ""), quiet.get("to", "")
    form.setlist("channels", body["channels"])
    if not rule.is_active:
        form["is_off"] = "1"
    return form


def filters_of_page(query: QueryDict) -> dict[str, list[str]]:
    """Returns the filters in the address of a page."""
    return {
        name: [value for value in values if value]
        for name, values in query.lists()
        if (is_filter(name) or IS_LABEL.match(name)) and any(values)
    }


def per_choices() -> list[tuple[str, str]]:
    labels = {name: DIMENSION_BY_NAME.get(f"{name}_id", DIMENSION_BY_NAME.get(name)) for name in PERS}
    return [("", "all together"), *((name, f"each {one.label.lower()}") for name, one in labels.items() if one)]


def errors_by_field(problem: Problem) -> dict[str, str]:
    found: dict[str, str] = {}
    names = {"quiet_hours": "quiet_from", NOT: "filters"}
    for error in problem.errors:
        name = str(error["loc"][1]) if len(error["loc"]) > 1 else "form"
        found.setdefault(names.get(name, name), error["msg"])
    return found or {"form": problem.detail}
