"""Turns the form of a schedule into the body that the API takes, and back."""

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict

from alerts.rule_forms import filter_lines, filters_in, whole
from analytics.query_string import is_filter
from reports.kinds import KINDS
from reports.models import Schedule
from reports.schedules.bodies import FORMATS, PERS, WEEKDAYS, body_of
from traces.filters import LABEL_PREFIX
from web.problems import Problem

PERIOD_WORDS = {"day": "day", "week": "week", "month": "month"}
FORMAT_WORDS = {"pdf": "PDF", "xlsx": "Excel workbook", "csv": "CSV", "html": "Web page, as a file"}
PAPER_WORDS = {"a4": "A4", "letter": "Letter"}
PER_WORDS = {"": "one report of all", "agent": "one for each agent", "user": "one for each user"}
OPTION = "option."
"""Before the name of an option, which a page that makes such a schedule puts into its link."""
assert {*PER_WORDS} == {"", *PERS}  # noqa: S101


def body_of_form(form: QueryDict) -> dict[str, Any]:
    kind = form.get("kind", "")
    return {
        "name": form.get("name", "").strip() or (KINDS[kind].title if kind in KINDS else ""),
        "kind": kind,
        "period": form.get("period", ""),
        "filters": filters_in(form.get("filters", "")),
        "per": form.get("per") or None,
        "schedule": {
            "hour": whole(form.get("hour", ""), 8),
            "weekday": form.get("weekday", "monday"),
            "day": whole(form.get("day", ""), 1),
        },
        "recipients": {
            "members": form.getlist("members"),
            "addresses": [line.strip() for line in form.get("addresses", "").splitlines() if line.strip()],
            "channels": form.getlist("channels"),
        },
        "formats": form.getlist("formats"),
        "paper": form.get("paper", "a4"),
        "link_days": whole(form.get("link_days", ""), 7),
        "options": {name.removeprefix(OPTION): form.get(name) for name in form if name.startswith(OPTION)},
        "is_active": "is_off" not in form,
    }


def form_of(schedule: Schedule | None, query: QueryDict) -> QueryDict:
    """Returns the values of the form's fields: of the schedule, or of a new one with what the link says."""
    form = QueryDict(mutable=True)
    if schedule is None:
        kind = query.get("kind", "") if query.get("kind") in KINDS else "cost"
        form.update({"kind": kind, "period": "week", "hour": "8", "weekday": "monday", "day": "1", "link_days": "7"})
        form["paper"] = query.get("paper", "") if query.get("paper") in PAPER_WORDS else "a4"
        form.setlist("formats", ["pdf", "xlsx"])
        form["filters"] = filter_lines({name: values for name, values in query.lists() if is_filter(name)})
        form.update({name: query.get(name, "") for name in query if name.startswith(OPTION)})
        return form
    body = body_of(schedule)
    for name in ("name", "kind", "period", "paper", "link_days"):
        form[name] = str(body[name])
    form["per"], form["filters"] = body["per"] or "", filter_lines(body["filters"])
    for name, value in body["schedule"].items():
        form[name] = str(value)
    form["addresses"] = "\n".join(body["recipients"]["addresses"])
    for name in ("members", "channels"):
        form.setlist(name, body["recipients"][name])
    form.setlist("formats", body["formats"])
    form.update({f"{OPTION}{name}": value for name, value in body["options"].items()})
    if not schedule.is_active:
        form["is_off"] = "1"
    return form


def choices(form: QueryDict, labels: list[str]) -> dict[str, Any]:
    """Returns the lists of the form; what is chosen is among each."""
    names = [f"{LABEL_PREFIX}{name}" for name in labels]
    pers = {**PER_WORDS, **{name: f"one for each {name.removeprefix(LABEL_PREFIX)}" for name in names}}
    chosen = form.get("per", "")
    return {
        "kinds": [(one.name, one.title) for one in KINDS.values() if one.is_listed or one.name == form.get("kind")],
        "options": [(name, form[name]) for name in form if name.startswith(OPTION)],
        "periods": PERIOD_WORDS.items(),
        "pers": (pers if chosen in pers else pers | {chosen: f"one for each {chosen}"}).items(),
        "weekdays": [(day, day.capitalize()) for day in WEEKDAYS],
        "formats": [(name, FORMAT_WORDS[name]) for name in FORMATS],
        "papers": PAPER_WORDS.items(),
        "hours": [(str(hour), f"{hour:02}:00") for hour in range(24)],
    }


def errors_by_field(problem: Problem) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for error in problem.errors:
        where = [str(part) for part in error["loc"][1:]]
        inner = where[1:] if where[:1] in (["schedule"], ["recipients"]) else where
        found.setdefault(inner[0] if inner else "form", error["msg"])
    return found or {"form": problem.detail}
