"""Renders one report as a page, with its files and its print."""

from functools import partial
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from analytics.answers import SERIES_TTL_SECONDS, answer_data
from analytics.page_questions import LABEL_NAMES, choices_of
from analytics.pages import bad_query, controls, custom_window, own_query, shell_context, uncached
from analytics.query_string import NOT
from analytics.splits import dimension_label
from analytics.templatetags.links import REPORT, WINDOW, iso
from budgets.bodies import is_label
from reports import making, parameters
from reports.figures import figure_of
from reports.html import no_link, shown
from reports.kinds import KINDS, Kind, ReportRequest
from reports.kinds.cost import LABELS
from reports.kinds.parts import ALL_OTHERS, value_name
from reports.kinds.statement import SUBJECTS
from reports.parameters import ReportParameters
from reports.views import listed_kinds
from traces.filters import LABEL_PREFIX, Filters
from web.problems import Problem
from workspaces.access import WorkspaceRequest, may_write, page_access
from workspaces.models import Workspace

FILES = {"pdf": "PDF", "xlsx": "XLSX", "csv": "CSV"}
"""The buttons, in their order."""
ROWS_SHOWN = 500
"""The most rows of a table on the page. Its files have all."""
OFFERED = 20
"""How many values of a dimension are offered for a statement. The filters have the others."""
PAPERS = {"a4": "A4", "letter": "Letter"}


@require_safe
@page_access
def report_page(request: WorkspaceRequest) -> HttpResponse:
    query = own_query(request, REPORT)
    context = shell_context(request, query)
    try:
        if "from" in query or "to" in query:
            return redirect(f"{request.path}?{custom_window(request.GET, request.workspace).urlencode()}")
        kind, valid = parsed(query, request.workspace)
        if "period" in query:
            return redirect(f"{request.path}?{in_window(request.GET, valid.filters).urlencode()}")
    except Problem as problem:
        return bad_query(request, context, problem)
    context |= controls(valid.filters, query, request.workspace) | {"kind": kind, "paper": valid.paper}
    if kind.errors(valid.filters) or parameters.subject_errors(valid):
        context["choices"] = subjects(request, valid)
        return uncached(render(request, "reports/choose.html", context))
    return uncached(render(request, "reports/report.html", context | report_context(request, kind, valid)))


def parsed(query: QueryDict, workspace: Workspace) -> tuple[Kind, ReportParameters]:
    of_report = picked(query)
    name = of_report.pop("kind", ["cost"])[-1]
    if name not in listed_kinds():
        message = f"must be one of {', '.join(listed_kinds())}"
        raise Problem(422, "The report is not valid.", [{"loc": ["query", "kind"], "msg": message}])
    return KINDS[name], parameters.parse_window(of_report, workspace.id, zone=workspace.zone)


def picked(query: QueryDict) -> QueryDict:
    """Returns the query string that the form stands for: a period takes the place of the window above it."""
    found = query.copy()
    for name in () if "period" not in query else WINDOW if query["period"] else ("period",):
        found.pop(name, None)
    return found


def in_window(query: QueryDict, filters: Filters) -> QueryDict:
    """Returns the query string with a window instead of a period, so that the link shows everyone the same."""
    found = query.copy()
    for name in ("period", "range", "granularity"):
        found.pop(name, None)
    found["start"], found["end"] = iso(filters.start), iso(filters.end)
    return found


def report_context(request: WorkspaceRequest, kind: Kind, valid: ReportParameters) -> dict[str, Any]:
    filters, settled = valid.filters, in_window(request.GET, valid.filters)
    settled.pop("was", None)
    for name, value in (("kind", kind.name), ("paper", valid.paper), ("workspace", str(request.workspace.id))):
        settled[name] = value
    document = making.document(ReportRequest(request.workspace, kind.name, filters, subject=valid.subject))
    link_of = no_link if kind.name == "statement" else partial(statement_link, settled)
    found = shown(document, partial(figure_of, filters=filters), link_of, ROWS_SHOWN)
    return found | {
        "files": [(words, file_link(settled, name)) for name, words in FILES.items()],
        "schedule_link": schedule_link(settled) if may_write(request) else "",
    }


def file_link(query: QueryDict, file_format: str) -> str:
    found = query.copy()
    found["file"] = file_format
    return f"{reverse('report-download')}?{found.urlencode()}"


def schedule_link(query: QueryDict) -> str:
    """Returns the address of the form that sends this report regularly, with its kind, paper and filters."""
    found = query.copy()
    for name in (*WINDOW, "zone", "subject"):
        found.pop(name, None)
    return f"{reverse('new-schedule')}?{found.urlencode()}"


def statement_link(query: QueryDict, dimension: str, value: str) -> str:
    """Returns the address of the statement of a value; nothing where there is none."""
    is_subject = dimension in SUBJECTS or dimension.startswith(LABEL_PREFIX)
    if not is_subject or value in (ALL_OTHERS, value_name(None, dimension)):
        return ""
    found = query.copy()
    found["kind"] = "statement"
    return about_link(found, dimension, value)


def about_link(query: QueryDict, dimension: str, value: str) -> str:
    """Returns the address of the same report about this value."""
    found = query.copy()
    found["subject"] = dimension
    found.pop(f"{NOT}{dimension}", None)
    found.setlist(dimension, [value])
    return f"{reverse('report-page')}?{found.urlencode()}"


def subjects(request: WorkspaceRequest, valid: ReportParameters) -> list[dict[str, Any]]:
    """Returns what a report can be about: the values with the most calls of the dimension that the address names, or
    else of each label, of agents and users. Each has the address of its report.
    """
    workspace, filters = request.workspace, valid.filters
    dimensions = [valid.subject] if is_dimension(valid.subject) else possible_dimensions(workspace, filters)
    found = ((dimension, values_of(dimension, workspace, filters)[:OFFERED]) for dimension in dimensions)
    return [
        {
            "title": dimension_label(dimension).capitalize(),
            "values": [(value, about_link(request.GET, dimension, value)) for value in values],
        }
        for dimension, values in found
        if values
    ]


def possible_dimensions(workspace: Workspace, filters: Filters) -> list[str]:
    labels = sorted(values_of(LABEL_NAMES, workspace, filters), key=lambda name: name != "customer")[:LABELS]
    return [*(f"{LABEL_PREFIX}{name}" for name in labels), *SUBJECTS]


def is_dimension(name: str) -> bool:
    return name in SUBJECTS or is_label(name)


def values_of(name: str, workspace: Workspace, filters: Filters) -> list[str]:
    found = answer_data(choices_of(name), filters, workspace, SERIES_TTL_SECONDS)["data"]
    return [choice["value"] for choice in found]
