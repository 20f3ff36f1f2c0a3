"""Reads and fills the form of a dashboard itself: its name, window and variables, and who sees it."""

from collections.abc import Sequence
from typing import Any, get_args

from django.http import QueryDict

from analytics.splits import dimension_label
from dashboards.checking import Stored
from dashboards.document import DashboardDocument, Variable
from dashboards.models import Dashboard, Visibility
from dashboards.panel_form import VALUES_APART, FormField, errors_by_field, filled, offered_filters
from traces.filters import Range
from web.problems import Problem

VARIABLES_PICKED = 2


def parts_of(form: QueryDict) -> tuple[dict[str, Any], str | None]:
    """Returns the parts of the document that the form changes, and the visibility."""
    parts: dict[str, Any] = {"name": form.get("name", ""), "description": form.get("description", "")}
    if form.get("range"):
        parts["range"] = {"range": form["range"]}
    rows = zip(*(form.getlist(f"variable_{part}") for part in ("name", "dimension", "title", "default")), strict=False)
    parts["variables"] = [
        {
            "name": name.strip(),
            "dimension": dimension,
            "title": title.strip(),
            "default": filled(default.split(VALUES_APART)),
        }
        for name, dimension, title, default in rows
        if name.strip()
    ]
    return parts, form.get("visibility") or None


def context(
    dashboard: Dashboard, stored: Stored, form: QueryDict | None = None, problem: Problem | None = None
) -> dict[str, Any]:
    """Returns the variables of the form; after a refusal what was written in it."""
    document = stored.document
    parts = parts_of(form)[0] if form is not None else document_parts(document)
    variables = parts["variables"]
    dimensions = [one["dimension"] for one in variables]
    return {
        "parts": parts,
        "rows": [*map(row, variables), *[row({"dimension": "agent_id"})] * VARIABLES_PICKED],
        "dimensions": [
            one for one in offered_filters(dashboard.workspace, dict.fromkeys(dimensions)) if dimension_label(one.value)
        ],
        "ranges": [FormField(name, name) for name in get_args(Range)],
        "is_own_window": document.range.range is None,
        "visibilities": [FormField(value, label) for value, label in Visibility.choices],
        "visibility": form.get("visibility") if form is not None else dashboard.visibility,
        "errors": errors_by_field(problem.errors) if problem else {},
    }


def document_parts(document: DashboardDocument) -> dict[str, Any]:
    return {
        "name": document.name,
        "description": document.description,
        "range": {"range": document.range.range},
        "variables": variables_of(document.variables),
    }


def variables_of(variables: Sequence[Variable]) -> list[dict[str, Any]]:
    return [one.model_dump() for one in variables]


def row(variable: dict[str, Any]) -> dict[str, Any]:
    return variable | {"default": VALUES_APART.join(variable.get("default", []))}
