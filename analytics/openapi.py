"""The API's OpenAPI 3.1 document, made from the declared types, and the page that shows it."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from analytics.filters import Query
from analytics.views import Question, as_json
from budgets.views import BudgetUpdate
from ingest.traces import TraceItem
from workspaces.access import View, public

Schema = dict[str, Any]

SCALARS: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    datetime: {"type": "string", "format": "date-time"},
    NoneType: {"type": "null"},
}
SUMMARIES = {200: "The answer.", 400: "The body cannot be read.", 401: "No valid credential.", 403: "Not granted."}
SUMMARIES |= {413: "Too large.", 415: "Not a supported type.", 422: "Not valid.", 503: "Try again later."}
WORKSPACE: Schema = {
    "name": "X-Workspace-ID",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
}
PROBLEM: Schema = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["loc", "msg"],
                "properties": {
                    "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
                    "msg": {"type": "string"},
                },
            },
        },
    },
}
STORED: Schema = {
    "type": "object",
    "required": ["accepted", "duplicates", "rejected"],
    "properties": {
        "accepted": {"type": "integer"},
        "duplicates": {"type": "integer"},
        "rejected": {"type": "array", "items": {"type": "object"}},
    },
}


def schema_of(kind: Any) -> Schema:
    if kind in SCALARS:
        return SCALARS[kind]
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return {"enum": list(inner)}
    if origin in (Union, UnionType):
        return {"anyOf": [schema_of(one) for one in inner]}
    if origin is list:
        return {"type": "array", "items": schema_of(inner[0])}
    fields = get_type_hints(kind)
    return {
        "type": "object",
        "required": list(fields),
        "properties": {name: schema_of(field) for name, field in fields.items()},
        "additionalProperties": False,
    }


def responses(body: Schema, *problems: int) -> Schema:
    answers: Schema = {"200": {"description": SUMMARIES[200], "content": {"application/json": {"schema": body}}}}
    for status in (401, 403, *problems, 503):
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        answers[str(status)] = {"description": SUMMARIES[status], "content": content}
    return answers


def json_body(body: Schema) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": body}}}


def parameters() -> list[Schema]:
    properties = Query.model_json_schema()["properties"]
    return [WORKSPACE, *({"name": name, "in": "query", **parameter(given)} for name, given in properties.items())]


def parameter(given: Schema) -> Schema:
    """A parameter that may be left out is never null."""
    shapes = [shape for shape in given.get("anyOf", ()) if shape != {"type": "null"}]
    kept = {name: value for name, value in given.items() if name not in ("anyOf", "title", "description")}
    if shapes:
        kept.pop("default", None)
        kept |= shapes[0]
    return {"description": given["description"], "schema": kept}


def document(metrics: Mapping[str, tuple[Question, int]]) -> Schema:
    paths: Schema = {}
    for route, (query, _) in metrics.items():
        body = schema_of(get_type_hints(query)["return"])
        paths[f"/api/v1/{route}"] = {
            "get": {
                "operationId": route.replace("/", "-"),
                "tags": [route.partition("/")[0]],
                "parameters": parameters(),
                "responses": responses(body, 422),
            }
        }
        if route == "cost/budget":
            paths[f"/api/v1/{route}"]["put"] = {
                "operationId": "set-cost-budget",
                "tags": ["cost"],
                "parameters": [WORKSPACE],
                "requestBody": json_body(BudgetUpdate.model_json_schema()),
                "responses": responses(body, 400, 413, 415, 422),
            }
    paths["/api/v1/traces"] = {
        "post": {
            "operationId": "send-traces",
            "tags": ["ingestion"],
            "parameters": [WORKSPACE | {"required": False}],
            "requestBody": json_body(traces_body()),
            "responses": responses(STORED, 400, 413, 415, 422),
        }
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Agent observability", "version": "1"},
        "paths": paths,
        "security": [{"key": []}, {}],
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Problem": PROBLEM},
        },
    }


def traces_body() -> Schema:
    item = TraceItem.model_json_schema()
    return {"anyOf": [item, {"type": "object", "required": ["traces"], "properties": {"traces": {"items": item}}}]}


def views(metrics: Mapping[str, tuple[Question, int]]) -> tuple[View, View]:
    """The document and the page."""

    @cache
    def made() -> Schema:
        return document(metrics)

    @public
    @require_safe
    def openapi(request: HttpRequest) -> HttpResponse:
        return HttpResponse(as_json(made()), content_type="application/json")

    @public
    @require_safe
    def docs(request: HttpRequest) -> HttpResponse:
        operations = [
            {"method": method.upper(), "path": path, "operation": operation}
            for path, methods in made()["paths"].items()
            for method, operation in methods.items()
        ]
        return render(request, "analytics/docs.html", {"operations": operations})

    return openapi, docs
