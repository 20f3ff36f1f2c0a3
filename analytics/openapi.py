"""The API's OpenAPI 3.1 document, made from the declared types, and the page that shows it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from analytics import examples
from analytics.answers import Question, as_json
from analytics.query_string import Query
from budgets.update import BudgetUpdate
from ingest.json_traces import TraceItem
from web.declared_access import View, public

Schema = dict[str, Any]

SCALARS: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    datetime: {"type": "string", "format": "date-time"},
    NoneType: {"type": "null"},
}
REASONS = {
    400: "The body cannot be read.",
    401: "No valid credential.",
    403: "The credential does not open this workspace, or lacks the right.",
    413: "The body is too large.",
    414: "The URL is longer than 8,190 bytes.",
    415: "The body's type or encoding is not supported.",
    422: "Not valid; every fault is named.",
    429: "The workspace has too many requests running; send it again after Retry-After seconds.",
    503: "A fault that passes; send it again after Retry-After seconds.",
}
ALWAYS = (401, 403, 414, 422, 429, 503)
WITH_BODY = (400, 413, 415)
HEADERS: dict[int, list[str]] = {401: ["WWW-Authenticate"], 429: ["Retry-After"], 503: ["Retry-After"]}

WORKSPACE: Schema = {
    "name": "X-Workspace-ID",
    "in": "header",
    "description": "The workspace's UUID.",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
}
OPTIONAL_WORKSPACE = WORKSPACE | {
    "description": "The workspace's UUID. A key fixes the workspace: then it may be left out, and must agree.",
    "required": False,
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
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
REFUSAL: Schema = {
    "type": "object",
    "required": ["index", "errors"],
    "properties": {"index": {"type": "integer"}, "errors": PROBLEM["properties"]["errors"]},
    "additionalProperties": False,
}
STORED: Schema = {
    "type": "object",
    "required": ["accepted", "duplicates", "rejected"],
    "properties": {
        "accepted": {"type": "integer"},
        "duplicates": {"type": "integer"},
        "rejected": {"type": "array", "items": REFUSAL},
    },
    "additionalProperties": False,
}
OTLP_ANSWER: Schema = {
    "type": "object",
    "description": "ExportTraceServiceResponse: partialSuccess where spans were refused.",
    "properties": {"partialSuccess": {"type": "object"}},
}
ANY_OBJECT: Schema = {"type": "object"}
ANYTHING: Schema = {}
# Nothing at all is a request without spans; what is wrong within the list is told in partialSuccess.
OTLP_REQUEST: Schema = {
    "anyOf": [
        {
            "type": "object",
            "required": ["resourceSpans"],
            "properties": {"resourceSpans": {"type": ["array", "null"]}},
        },
        {"type": "object", "maxProperties": 0},
    ]
}
AGENTS_SDK: Schema = {
    "type": "object",
    "required": ["data"],
    "properties": {"data": {"type": "array", "items": ANY_OBJECT, "description": "Objects trace and trace.span."}},
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


# --- Parts of an operation ---


def answer(content: Schema, *headers: str) -> Schema:
    named = {name: {"schema": {"type": "string"}} for name in headers}
    return {"description": "The answer.", "content": content, **({"headers": named} if named else {})}


def problems(*more: int) -> Schema:
    return {str(status): problem(status) for status in sorted({*ALWAYS, *more})}


def problem(status: int) -> Schema:
    headers = {name: {"schema": {"type": "string"}} for name in HEADERS.get(status, ())}
    # 414 comes from the web server, before the product sees anything.
    content: Schema = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    if status == 414:
        content = {"text/html": {"schema": {"type": "string"}}}
    return {"description": REASONS[status], "content": content, **({"headers": headers} if headers else {})}


def json_of(schema: Schema, example: Any = None) -> Schema:
    return {"application/json": {"schema": schema, **({} if example is None else {"example": example})}}


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


def budget_body() -> Schema:
    body = BudgetUpdate.model_json_schema()
    for field in body["properties"].values():
        field.pop("default", None)  # what is left out keeps its value
    return body


def traces_body() -> Schema:
    item = TraceItem.model_json_schema()
    batch = {
        "type": "object",
        "required": ["traces"],
        "properties": {"traces": {"type": "array", "items": item, "maxItems": 10_000}},
        "additionalProperties": False,
    }
    return {"anyOf": [item, batch]}


# --- The operations ---


def read(route: str, query: Question, tier: int) -> Schema:
    body = schema_of(get_type_hints(query)["return"])
    told = (query.__doc__ or "").strip()
    return {
        "operationId": route.replace("/", "-"),
        "summary": SUMMARIES[route],
        "description": f"{told}\n\nAn answer may be {tier} seconds old.".strip(),
        "tags": [route.partition("/")[0]],
        "parameters": parameters(),
        "responses": {"200": answer(json_of(body), "X-Cache", "Vary", "Cache-Control"), **problems()},
        "x-example": {"query": examples.QUERIES[route]},
    }


def set_budget(query: Question) -> Schema:
    return {
        "operationId": "set-cost-budget",
        "summary": "Sets the limit and the alert threshold; what is left out keeps its value.",
        "tags": ["cost"],
        "parameters": [WORKSPACE],
        "requestBody": {"required": True, "content": json_of(budget_body(), examples.BUDGET)},
        "responses": {
            "200": answer(json_of(schema_of(get_type_hints(query)["return"])), "Cache-Control"),
            **problems(*WITH_BODY),
        },
        "x-example": {"body": examples.BUDGET},
    }


def ingestion(name: str, summary: str, content: Schema, answered: Schema, example: Any, status: int = 200) -> Schema:
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["ingestion"],
        "parameters": [OPTIONAL_WORKSPACE],
        "requestBody": {"required": True, "content": content},
        "responses": {str(status): answer(answered), **problems(*WITH_BODY)},
        "x-example": {"body": example},
    }


def otlp(name: str, summary: str, example: Any, schema: Schema = OTLP_REQUEST) -> Schema:
    binary: Schema = {"application/x-protobuf": {"schema": {"type": "string", "format": "binary"}}}
    return ingestion(name, summary, json_of(schema, example) | binary, json_of(OTLP_ANSWER) | binary, example)


def projects() -> Schema:
    return {
        "operationId": "langfuse-projects",
        "summary": "The project of the key, as the Langfuse SDKs ask for it.",
        "tags": ["ingestion"],
        "parameters": [OPTIONAL_WORKSPACE],
        "responses": {"200": answer(json_of(ANY_OBJECT)), **problems()},
        "x-example": {"query": ""},
    }


def document(metrics: Mapping[str, tuple[Question, int]]) -> Schema:
    paths: Schema = {f"/api/v1/{route}": {"get": read(route, *metric)} for route, metric in metrics.items()}
    paths["/api/v1/cost/budget"]["put"] = set_budget(metrics["cost/budget"][0])
    spans = examples.otlp()
    posts = {
        "/api/v1/traces": ingestion(
            "send-traces",
            "Stores traces in plain JSON: one, or a batch of up to 10,000. A bad item is refused by its index.",
            json_of(traces_body(), examples.TRACE),
            json_of(STORED),
            examples.TRACE,
        ),
        "/v1/traces": otlp("send-otlp", "Stores the spans of an OTLP ExportTraceServiceRequest.", spans),
        "/v1/logs": otlp("send-otlp-logs", "Takes OTLP logs, and keeps none.", examples.NO_LOGS, ANYTHING),
        "/v1/metrics": otlp("send-otlp-metrics", "Takes OTLP metrics, and keeps none.", examples.NO_METRICS, ANYTHING),
        "/api/public/otel/v1/traces": otlp("send-langfuse-otlp", "As /v1/traces, where Langfuse SDKs send.", spans),
        "/api/public/otel/v1/metrics": otlp(
            "send-langfuse-metrics", "Takes OTLP metrics, and keeps none.", examples.NO_METRICS, ANYTHING
        ),
        "/v1/traces/ingest": ingestion(
            "send-agents-sdk-traces",
            "Stores traces of the OpenAI Agents SDK.",
            json_of(AGENTS_SDK, examples.agents_sdk()),
            json_of(OTLP_ANSWER),
            examples.agents_sdk(),
        ),
        "/api/public/scores": ingestion(
            "send-langfuse-score",
            "Takes a score of a Langfuse SDK, and does not keep it.",
            json_of(ANYTHING, {"id": "1"}),
            json_of(ANY_OBJECT),
            {"id": "1"},
        ),
        "/api/public/ingestion": ingestion(
            "send-langfuse-events",
            "Takes events of old Langfuse SDKs, and does not keep them.",
            json_of(ANY_OBJECT, examples.langfuse_ingestion()),
            json_of(ANY_OBJECT),
            examples.langfuse_ingestion(),
            status=207,
        ),
    }
    paths |= {path: {"post": operation} for path, operation in posts.items()}
    paths["/api/public/projects"] = {"get": projects()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Agent observability", "version": "1"},
        "paths": paths,
        "security": [{"key": []}],
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Problem": PROBLEM},
        },
    }


SUMMARIES = {
    "usage/overview": "Calls, users and agents of the window, and their change.",
    "usage/calls-over-time": "Calls and errors in each bucket.",
    "usage/agent-distribution": "Each agent's share of the calls, its latency, error rate and cost.",
    "usage/top-users": "The users with the most calls, and their trend.",
    "cost/overview": "Spend of the window, and the month's budget and projection.",
    "cost/trend": "Spend of the most expensive models in each bucket.",
    "cost/by-model": "Each model's calls, tokens, cost and share.",
    "cost/budget": "The running month's limit, spend, projection and status.",
    "performance/overview": "Latency percentiles, error rate and requests per second, and their change.",
    "performance/latency": "Latency percentiles in each bucket.",
    "performance/throughput": "Calls by status in each bucket.",
    "performance/errors": "Errors by type, with agents, users and a recent sample.",
}


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
        base = f"{request.scheme}://{request.get_host()}"
        operations = [
            shown(method.upper(), path, operation, base)
            for path, methods in made()["paths"].items()
            for method, operation in methods.items()
        ]
        return render(request, "analytics/docs.html", {"operations": operations, "example": examples.WORKSPACE})

    return openapi, docs


def shown(method: str, path: str, operation: Schema, base: str) -> dict[str, Any]:
    example = operation["x-example"]
    answered = next(one for status, one in operation["responses"].items() if status.startswith("2"))
    schema = answered["content"]["application/json"]["schema"]
    return {
        "method": method,
        "path": path,
        "parts": path.removeprefix("/api/v1").strip("/").split("/"),
        "operation": operation,
        "curl": examples.curl(method, path, example.get("query", ""), example.get("body"), base),
        "tables": [table for table in tables(operation, schema) if table.rows],
    }


class Table(NamedTuple):
    caption: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def tables(operation: Schema, answered: Schema) -> Iterator[Table]:
    given = [(one["name"], words(one["schema"]), one["description"]) for one in operation["parameters"]]
    yield Table("Parameters", ("Name", "Type", "What"), given)
    body = [(name, words(field), field.get("description", "")) for name, field in fields(body_of(operation))]
    yield Table("Body", ("Field", "Type", "What"), body)
    yield Table("Answer", ("Field", "Type"), [(name, words(field)) for name, field in fields(answered)])
    statuses = [(status, one["description"]) for status, one in operation["responses"].items()]
    yield Table("Status", ("Status", "When"), statuses)


def body_of(operation: Schema) -> Schema:
    """Of one trace, where a batch may be sent as well."""
    body: Schema = operation.get("requestBody", {"content": json_of({})})["content"]["application/json"]["schema"]
    first: Schema = body.get("anyOf", [body])[0]
    return first


def fields(schema: Schema, prefix: str = "") -> Iterator[tuple[str, Schema]]:
    """Each field of an object; those of lists and objects under their own name."""
    for name, field in schema.get("properties", {}).items():
        yield f"{prefix}{name}", field
        inner = field.get("items", field)
        yield from fields(inner, f"{prefix}{name}{'[]' if 'items' in field else ''}.")


def words(field: Schema) -> str:
    """Its type and limits."""
    if "anyOf" in field:
        return " or ".join(words(one) for one in field["anyOf"])
    if "enum" in field:
        return ", ".join(str(value) for value in field["enum"])
    kind = {"date-time": "time (RFC 3339)", "uuid": "UUID"}.get(field.get("format", ""), str(field["type"]))
    return " ".join((kind, *(f"{said} {field[name]:,}" for name, said in LIMITS.items() if name in field)))


LIMITS = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to"}
