"""Renders the pages of annotations: all of them with a form for a new one, and one of them to change."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from analytics.endpoints import ListQuery, cursor_of, parameters_of
from analytics.pages import local_minute, parse_wall_clock, uncached
from analytics.templatetags.links import iso
from budgets.bodies import SCOPE_DIMENSIONS, validated
from insights import annotations
from insights.annotations import NewAnnotation
from web.problems import Problem
from workspaces.access import WorkspaceRequest, may_write, page_access
from workspaces.models import Annotation, AnnotationKind

AS_IT_IS = "as_it_is"
"""The choice of a form that cannot show the filters of its annotation."""
FIELDS = ("kind", "label", "text", "from", "until", "dimension", "value")


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def annotations_page(request: WorkspaceRequest) -> HttpResponseBase:
    errors: dict[str, str] = {}
    if request.method == "POST":
        errors = saved(request, None)
        if not errors:
            return redirect(list_url(request))
    after = parameters_of(cursor_only(request.GET), ListQuery).cursor
    found, following = annotations.page_of(request.workspace, after)
    context = page_context(request) | {
        "annotations": found,
        "next_cursor": cursor_of(following),
        "form": request.POST if errors else new_form(request),
        "errors": errors,
        "is_open": bool(errors) or "from" in request.GET,
    }
    return uncached(render(request, "insights/annotations.html", context, status=422 if errors else 200))


@require_http_methods(["GET", "HEAD", "POST"])
@page_access
def annotation_page(request: WorkspaceRequest, annotation_id: UUID) -> HttpResponseBase:
    found = annotations.find(request.workspace, annotation_id)
    errors: dict[str, str] = {}
    if request.method == "POST":
        errors = deleted(request, found) if "delete" in request.POST else saved(request, found)
        if not errors:
            return redirect(list_url(request))
    context = page_context(request) | {
        "annotation": found,
        "form": request.POST if errors else form_of(request, found),
        "errors": errors,
    }
    return uncached(render(request, "insights/annotation.html", context, status=422 if errors else 200))


def page_context(request: WorkspaceRequest) -> dict[str, Any]:
    return {
        "workspace": request.workspace,
        "workspaces": request.workspaces,
        "is_writer": may_write(request),
        "kinds": AnnotationKind.choices,
        "dimensions": SCOPE_DIMENSIONS,
    }


def cursor_only(query: QueryDict) -> QueryDict:
    only = QueryDict(mutable=True)
    if "cursor" in query:
        only["cursor"] = str(query["cursor"])
    return only


def list_url(request: WorkspaceRequest) -> str:
    return f"{reverse('annotations-page')}?workspace={request.workspace.id}"


def new_form(request: WorkspaceRequest) -> dict[str, str]:
    """Returns the fields of a new annotation: a link from a chart or an anomaly has filled some."""
    zone = request.workspace.zone
    now = datetime.now(zone).replace(second=0, microsecond=0) - timedelta(minutes=1)
    given = {name: str(request.GET.get(name, ""))[:2000] for name in FIELDS if name in request.GET}
    return {"kind": "deploy", "from": local_minute(now, zone)} | given


def form_of(request: WorkspaceRequest, found: Annotation) -> dict[str, str]:
    zone = request.workspace.zone
    dimension, values = next(iter(found.filters.items())) if len(found.filters) == 1 else ("", [])
    is_shown = not found.filters or (dimension in SCOPE_DIMENSIONS and len(values) == 1)
    return {
        "kind": found.kind,
        "label": found.label,
        "text": found.text,
        "from": local_minute(found.starts_at, zone),
        "until": local_minute(found.ends_at, zone) if found.ends_at else "",
        "dimension": dimension if is_shown else AS_IT_IS,
        "value": values[0] if is_shown and values else "",
    }


def saved(request: WorkspaceRequest, found: Annotation | None) -> dict[str, str]:
    """Makes or changes an annotation. Returns the errors by field; none if it is stored."""
    check_writer(request)
    try:
        body = validated(body_of_form(request, found), NewAnnotation, "annotation")
        if found is None:
            annotations.create(request.workspace, body, request.user.get_username() or "anyone")
        else:
            for name, value in annotations.values_of(body).items():
                setattr(found, name, value)
            found.save()
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        return errors_of(problem)
    return {}


def deleted(request: WorkspaceRequest, found: Annotation) -> dict[str, str]:
    check_writer(request)
    found.delete()
    return {}


def check_writer(request: WorkspaceRequest) -> None:
    if not may_write(request):
        raise Problem(403, "Only editors and owners change annotations.")


def body_of_form(request: WorkspaceRequest, found: Annotation | None) -> dict[str, Any]:
    form = {name: str(request.POST[name]) for name in FIELDS if name in request.POST}
    times = {name: form[name] for name in ("from", "until") if form.get(name)}
    zone = request.workspace.zone
    return {
        "kind": form.get("kind", ""),
        "label": form.get("label", ""),
        "text": form.get("text", "").replace("\r\n", "\n"),
        **{name: iso(parse_wall_clock(name, text, zone)) for name, text in times.items()},
        "filters": filters_of_form(form, found),
    }


def filters_of_form(form: Mapping[str, str], found: Annotation | None) -> dict[str, list[str]]:
    dimension, value = form.get("dimension", ""), form.get("value", "").strip()
    if dimension == AS_IT_IS and found:
        return dict(found.filters)
    return {dimension: [value]} if dimension else {}


def errors_of(problem: Problem) -> dict[str, str]:
    """Returns the first error of each field of the form."""
    named = {str(error["loc"][1]) if len(error["loc"]) > 1 else "": error["msg"] for error in reversed(problem.errors)}
    fields = {"from_": "from", "filters": "value"}
    found = {fields.get(name, name): message for name, message in named.items()}
    shown = {name: message for name, message in found.items() if name in FIELDS}
    return shown if len(shown) == len(found) and shown else shown | {"form": problem.detail}
