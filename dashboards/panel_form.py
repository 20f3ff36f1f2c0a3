"""Reads a panel from the form of the builder, and fills the form from a panel."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, get_args

from django.http import QueryDict
from pydantic import ValidationError

from alerts.models import Rule
from analytics.budget_pages import label_names
from analytics.explore import COMPARE_WORDS
from analytics.query_measures import DIMENSIONS, MEASURES
from analytics.query_string import NOT
from analytics.splits import dimension_label
from analytics.templatetags.query_text import measure_name
from budgets.models import Budget
from dashboards import checking
from dashboards.asking import PanelKind
from dashboards.document import CATEGORY_KINDS, DashboardDocument, Panel, Severity, Unit
from dashboards.panels import kinds
from traces.buckets import BUCKETS
from traces.filters import DIMENSION_BY_NAME, LABEL_PREFIX
from web.problems import FieldError, Problem
from workspaces.models import Workspace

FIRST_MEASURES = ("cost_usd", "calls")
MEASURES_PICKED, DIMENSIONS_PICKED, FILTERS_PICKED, THRESHOLDS_PICKED = 4, 2, 3, 2
UNIT_WORDS = {"count": "a count", "number": "a number", "usd": "US dollars", "ms": "milliseconds", "percent": "percent"}
TRACE_ORDERS = {"": "newest first", "-p95_latency_ms": "slowest first", "-cost_usd": "most expensive first"}
FALLBACK_DIMENSION = "agent_id"
VALUES_APART = ", "


class FormField(NamedTuple):
    """A choice of a list."""

    value: str
    label: str


# --- From the form ---


def panel_of_form(form: QueryDict) -> dict[str, Any]:
    """Returns the panel of the form as it stands in a document, valid or not."""
    if "panel" in form:
        return panel_of_json(str(form["panel"]))
    kind = kind_of(form.get("kind", ""))
    panel: dict[str, Any] = {"id": form.get("id", ""), "kind": kind.name, "title": form.get("title", "").strip()}
    if place := place_of(form):
        panel["place"] = place
    for field in kind.fields:
        panel |= READERS[field](form)
    return panel | ({"filters": filters_of(form)} if kind.has_filters else {})


def panel_of_json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Problem(422, "The panel must be a JSON object.")
    return found


def kind_of(name: str) -> PanelKind:
    return kinds().get(name) or kinds()["line"]


def place_of(form: QueryDict) -> dict[str, int] | None:
    names = ("x", "y", "width", "height")
    numbers = [form.get(name, "") for name in names]
    if not all(number.isdecimal() and len(number) < 6 for number in numbers):
        return None
    return dict(zip(names, map(int, numbers), strict=True))


def filled(values: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, (value.strip() for value in values))))


def filters_of(form: QueryDict) -> dict[str, list[str]]:
    """Returns the filters of the rows that have a value. Several values have a comma and a blank between them."""
    found: dict[str, list[str]] = {}
    for name, side, text in zip(
        form.getlist("filter"), form.getlist("filter_side"), form.getlist("filter_value"), strict=False
    ):
        if values := filled(text.split(VALUES_APART)):
            found.setdefault(f"{NOT if side == 'not' else ''}{name}", []).extend(values)
    return found


def number_of(text: str) -> int | float | str:
    """Returns the number; a text that is none stays, so that the check of the panel names it."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def thresholds_of(form: QueryDict) -> dict[str, Any]:
    rows = zip(
        form.getlist("threshold"), form.getlist("threshold_title"), form.getlist("threshold_severity"), strict=False
    )
    found = [
        {"value": number_of(value.strip()), "title": title.strip(), "severity": severity}
        for value, title, severity in rows
        if value.strip()
    ]
    return {"thresholds": found}


def optional(form: QueryDict, name: str) -> dict[str, Any]:
    return {name: form.get(name) or None}


READERS: dict[str, Any] = {
    "measures": lambda form: {"measures": filled(form.getlist("measure"))},
    "by": lambda form: {"by": filled(form.getlist("dimension"))},
    "compare": lambda form: optional(form, "compare"),
    "granularity": lambda form: optional(form, "granularity"),
    "limit": lambda form: {"limit": number_of(form.get("limit") or "10")},
    "thresholds": thresholds_of,
    "unit": lambda form: optional(form, "unit"),
    "decimals": lambda form: {"decimals": number_of(form["decimals"]) if form.get("decimals") else None},
    "text": lambda form: {"text": form.get("text", "").replace("\r\n", "\n")},
    "budget_id": lambda form: optional(form, "budget_id"),
    "rule_id": lambda form: optional(form, "rule_id"),
    "trace_order": lambda form: {"order": form.get("trace_order") or None},
}
"""How each field of a kind is read."""


def errors_of(document: DashboardDocument, raw: Mapping[str, Any]) -> tuple[Panel | None, list[FieldError]]:
    """Returns the panel, and what is wrong with it: both if it asks something that cannot be answered."""
    placed = {"place": {"x": 0, "y": 0, "width": 6, "height": 6}} | dict(raw) | {"id": raw.get("id") or "new"}
    try:
        panel = Panel.model_validate(placed)
    except ValidationError as error:
        return None, checking.field_errors(error)
    return panel, list(checking.panel_errors(document, panel, ()))


def errors_by_field(errors: Sequence[FieldError]) -> dict[str, str]:
    """Returns the first error of each field of the form."""
    found: dict[str, str] = {}
    for error in errors:
        where = [str(part) for part in error["loc"] if part not in ("body", "query", "panel")]
        if where[:1] == ["panels"]:  # by its path in the document
            where = where[2:]
        found.setdefault(where[0] if where else "form", error["msg"])
    return found


# --- Into the form ---


def new_panel(kind: str) -> dict[str, Any]:
    """Returns a panel that shows something at once."""
    by = [FALLBACK_DIMENSION] if kind == "table" else []
    panel: dict[str, Any] = {"id": "", "kind": kind_of(kind).name, "title": "", "measures": ["cost_usd"], "by": by}
    return panel | ({"compare": "previous"} if kind == "number" else {})


def form_context(
    workspace: Workspace, document: DashboardDocument, raw: Mapping[str, Any], errors: Sequence[FieldError] = ()
) -> dict[str, Any]:
    """Returns the variables of the form that shows the panel."""
    kind = kind_of(str(raw.get("kind", "")))
    measures = padded(texts(raw.get("measures")) or FIRST_MEASURES[:1], MEASURES_PICKED)
    by = texts(raw.get("by")) or ([FALLBACK_DIMENSION] if kind.name in CATEGORY_KINDS else [])
    given = raw.get("filters")
    filters = {name: texts(values) for name, values in given.items()} if isinstance(given, dict) else {}
    return {
        "raw": raw,
        "place": place_for(document, raw, kind),
        "kind": kind,
        "kinds": kinds().values(),
        "categories": CATEGORY_KINDS,
        "measures": [FormField(name, measure_name(name)) for name in offered_measures(measures)],
        "picked_measures": measures,
        "dimensions": offered_dimensions(workspace, by),
        "picked_dimensions": padded(by, DIMENSIONS_PICKED),
        "filters": filter_rows(filters),
        "filter_names": offered_filters(workspace, filters),
        "thresholds": threshold_rows(raw.get("thresholds")),
        "severities": get_args(Severity),
        "compares": [FormField(name, words) for name, words in COMPARE_WORDS.items()],
        "granularities": list(BUCKETS),
        "units": [FormField(name, UNIT_WORDS[name]) for name in get_args(Unit)],
        "trace_orders": [FormField(*pair) for pair in TRACE_ORDERS.items()],
        "budgets": [
            FormField(str(one.pk), one.name)
            for one in Budget.objects.filter(workspace=workspace, is_workspace_budget=False).order_by("name")[:200]
        ],
        "rules": [
            FormField(str(one.pk), one.name) for one in Rule.objects.filter(workspace=workspace).order_by("name")[:200]
        ],
        "errors": errors_by_field(errors),
    }


def texts(values: Any) -> list[str]:
    """Returns the texts of a list. What another version or a client wrote may be anything."""
    return [str(value) for value in values] if isinstance(values, list) else []


def padded(names: Sequence[str], most: int) -> list[str]:
    return [*names[:most], *[""] * (most - len(names))]


def place_for(document: DashboardDocument, raw: Mapping[str, Any], kind: PanelKind) -> dict[str, int]:
    """Returns the place of the panel; of a new one the next free one, in the size of its kind."""
    if raw.get("id") and isinstance(raw.get("place"), dict):
        return dict(raw["place"])
    return checking.next_place(document, kind.width, kind.height).model_dump()


def offered_measures(picked: Sequence[str]) -> list[str]:
    first = list(FIRST_MEASURES)
    return list(dict.fromkeys([*first, *MEASURES, *filter(None, picked)]))


def offered_dimensions(workspace: Workspace, picked: Sequence[str]) -> list[FormField]:
    labels = [f"{LABEL_PREFIX}{name}" for name in label_names(workspace)]
    names = dict.fromkeys([*labels, *DIMENSIONS, *picked])
    return [FormField(name, dimension_label(name)) for name in names]


def offered_filters(workspace: Workspace, filters: Mapping[str, Any]) -> list[FormField]:
    labels = [f"{LABEL_PREFIX}{name}" for name in label_names(workspace)]
    named = [name.removeprefix(NOT) for name in filters]
    return [FormField(name, dimension_label(name)) for name in dict.fromkeys([*DIMENSION_BY_NAME, *labels, *named])]


def filter_rows(filters: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Returns a row for each filter, and empty ones."""
    rows = [
        {"name": name.removeprefix(NOT), "is_not": name.startswith(NOT), "value": VALUES_APART.join(values)}
        for name, values in filters.items()
    ]
    empty = [{"name": "agent_id", "is_not": False, "value": ""}] * max(FILTERS_PICKED - len(rows), 1)
    return [*rows, *empty]


def threshold_rows(thresholds: Any) -> list[Mapping[str, Any]]:
    known = [one for one in thresholds if isinstance(one, dict)] if isinstance(thresholds, list) else []
    return [*known, *[{"severity": "warning"}] * max(THRESHOLDS_PICKED - len(known), 1)]


def with_place(document: dict[str, Any], panel: dict[str, Any]) -> dict[str, Any]:
    """Returns the panel without an empty id, and with the size of its kind where it has no place."""
    found = {name: value for name, value in panel.items() if value or name != "id"}
    if "place" not in found:
        kind, stored = kind_of(panel["kind"]), checking.stored(document).document
        found["place"] = checking.next_place(stored, kind.width, kind.height).model_dump()
    return found
