"""Makes the API's OpenAPI 3.1 document from the catalogue of metrics and the declared types."""

from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any, get_type_hints

from django.apps import apps
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string
from django.views.decorators.http import require_safe
from pydantic import BaseModel, ConfigDict, TypeAdapter

from analytics import examples
from analytics.answers import OVERVIEW_TTL_SECONDS, SERIES_TTL_SECONDS, as_json
from analytics.catalogue import METRICS, Metric, Update
from analytics.forecast_view import ForecastQuery
from analytics.openapi_sharing import Schema as Schema
from analytics.openapi_sharing import with_shared_parts
from analytics.query import MAX_ROWS, QueryAnswer
from analytics.query_parameters import QueryParameters
from analytics.query_string import Query
from analytics.score_views import ScoreQuery
from analytics.scores import ScoreList
from budgets.forecast_answer import ForecastAnswer
from ingest.formats.json_traces import TraceItem
from ingest.formats.scores import ScoreItem
from web.declared_access import public

REASONS = {
    400: "The body cannot be read.",
    401: "No valid credential.",
    403: "The credential does not open this workspace, or lacks the right.",
    404: "There is no such thing in this workspace.",
    409: "It does not fit what is stored.",
    412: "Somebody has changed it meanwhile.",
    413: "The body is too large.",
    414: "The URL is longer than 8,190 bytes.",
    415: "The body's type or encoding is not supported.",
    422: "Not valid; the answer names every error.",
    428: "If-Match is missing.",
    429: "The workspace has too many requests running; send it again after Retry-After seconds.",
    503: "A temporary fault; send it again after Retry-After seconds.",
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
    "description": "The workspace's UUID. With a key it may be left out. It must not name another workspace.",
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
REJECTION: Schema = {
    "type": "object",
    "required": ["index", "errors"],
    "properties": {"index": {"type": "integer"}, "errors": PROBLEM["properties"]["errors"]},
    "additionalProperties": False,
}
INGESTION_ANSWER: Schema = {
    "type": "object",
    "required": ["accepted", "updated", "duplicates", "rejected"],
    "properties": {
        "accepted": {"type": "integer"},
        "updated": {"type": "integer"},
        "duplicates": {"type": "integer"},
        "rejected": {"type": "array", "items": REJECTION},
    },
    "additionalProperties": False,
}
SCORES_STORED: Schema = {
    "type": "object",
    "required": ["accepted", "updated", "duplicates", "rejected"],
    "properties": {
        "accepted": {"type": "integer"},
        "updated": {"type": "integer", "description": "Scores that a newer copy with the same id has replaced."},
        "duplicates": {"type": "integer"},
        "rejected": {"type": "array", "items": REJECTION},
    },
    "additionalProperties": False,
}
LANGFUSE_ANSWER: Schema = {
    "type": "object",
    "required": ["successes", "errors"],
    "properties": {
        "successes": {"type": "array", "items": {"type": "object", "description": "id and status of a stored event."}},
        "errors": {
            "type": "array",
            "items": {"type": "object", "description": "id, status, message and error of an event that is not stored."},
        },
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
# An empty object is a request without spans. The answer reports errors within the list as partialSuccess.
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
ANY_SCORE: Schema = {
    "type": "object",
    "required": ["name", "value", "traceId"],
    "properties": {
        "name": {"type": "string", "pattern": r"\S"},
        "value": {"type": "number", "minimum": -1e12, "maximum": 1e12},
        "traceId": {"type": "string", "pattern": r"\S"},
    },
}
LANGFUSE_EVENTS: Schema = {
    "type": "object",
    "required": ["batch"],
    "properties": {"batch": {"type": "array"}},
}
AGENTS_SDK: Schema = {
    "type": "object",
    "required": ["data"],
    "properties": {"data": {"type": "array", "items": ANY_OBJECT, "description": "Objects trace and trace.span."}},
}


# --- Schemas of the declared types ---


@cache
def schema_of(answer_type: Any) -> Schema:
    """Returns the schema of an answer, with the docstrings of its fields as their descriptions."""
    # Pydantic accepts no configuration for a TypedDict, but applies that of a list to its items.
    config = ConfigDict(extra="forbid", use_attribute_docstrings=True)
    schema = TypeAdapter(list[answer_type], config=config).json_schema()
    inlined: Schema = with_inlined_types(schema["items"], schema["$defs"])
    return inlined


def with_inlined_types(part: Any, types: dict[str, Schema]) -> Any:
    """Replaces each reference to a type by the type itself, and leaves titles out: they repeat the fields' names."""
    if isinstance(part, list):
        return [with_inlined_types(item, types) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        part = types[name] | {key: value for key, value in part.items() if key != "$ref"}
    return {
        key: with_inlined_types(value, types)
        for key, value in part.items()
        if not (key == "title" and isinstance(value, str))
    }


# --- Parts of an operation ---


def success_response(content: Schema, *headers: str) -> Schema:
    named = {name: {"schema": {"type": "string"}} for name in headers}
    return {"description": "The answer.", "content": content, **({"headers": named} if named else {})}


def problems(*statuses: int) -> Schema:
    return {str(status): problem(status) for status in sorted({*ALWAYS, *statuses})}


def problem(status: int) -> Schema:
    headers = {name: {"schema": {"type": "string"}} for name in HEADERS.get(status, ())}
    # 414 comes from the web server, before the product sees the request.
    content: Schema = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    if status == 414:
        content = {"text/html": {"schema": {"type": "string"}}}
    return {"description": REASONS[status], "content": content, **({"headers": headers} if headers else {})}


def json_of(schema: Schema, example: Any = None) -> Schema:
    return {"application/json": {"schema": schema, **({} if example is None else {"example": example})}}


def or_csv(content: Schema) -> Schema:
    """Adds the file that `format=csv` asks for."""
    return content | {"text/csv": {"schema": {"type": "string"}}}


def parameters(query: type[BaseModel] = Query) -> list[Schema]:
    fields = query.model_json_schema()["properties"]
    return [WORKSPACE, *({"name": name, "in": "query", **parameter(field)} for name, field in fields.items())]


def parameter(field: Schema) -> Schema:
    """Describes a parameter by the schema of its field. It may be left out, but is never null."""
    shapes = [shape for shape in field.get("anyOf", ()) if shape != {"type": "null"}]
    schema = {name: value for name, value in field.items() if name not in ("anyOf", "title", "description")}
    if shapes or schema.get("default") == []:
        schema.pop("default", None)
        schema |= shapes[0] if shapes else {}
    return {"description": field["description"], "schema": schema}


def update_body(model: type[BaseModel]) -> Schema:
    body = model.model_json_schema()
    for field in body["properties"].values():
        field.pop("default", None)  # a field that is left out keeps its value
    return body


def one_or_batch(item_type: type[BaseModel], name: str) -> Schema:
    item = item_type.model_json_schema()
    batch = {
        "type": "object",
        "required": [name],
        "properties": {name: {"type": "array", "items": item, "maxItems": 10_000}},
        "additionalProperties": False,
    }
    return {"anyOf": [item, batch]}


# --- The operations ---


def metric_operations(metric: Metric) -> Schema:
    update = {"put": update_operation(metric, metric.update)} if metric.update else {}
    return {"get": read_operation(metric)} | update


def read_operation(metric: Metric) -> Schema:
    details = (metric.question.__doc__ or "").strip()
    return {
        "operationId": metric.name,
        "summary": metric.summary,
        "description": f"{details}\n\nAn answer may be {metric.ttl_seconds} seconds old.".strip(),
        "tags": [metric.domain],
        "parameters": parameters(),
        "responses": {
            "200": success_response(or_csv(json_of(answer_schema(metric))), "X-Cache", "Age", "Vary", "Cache-Control"),
            **problems(),
        },
        "x-example": {"query": metric.example},
    }


def answer_schema(metric: Metric) -> Schema:
    return schema_of(get_type_hints(metric.question)["return"])


def list_scores() -> Schema:
    return {
        "operationId": "list-scores",
        "summary": "The scores of the window, the newest first, page by page.",
        "tags": ["scores"],
        "parameters": parameters(ScoreQuery),
        "responses": {
            "200": success_response(or_csv(json_of(schema_of(ScoreList))), "Vary", "Cache-Control"),
            **problems(),
        },
        "x-example": {"query": "range=7d&limit=20"},
    }


def ask_query() -> Schema:
    return {
        "operationId": "query",
        "summary": "Any measures by up to two dimensions, as a table, or with granularity as a series.",
        "description": (
            "Groups past the limit are summed as `rest`. With the filter or the dimension `tool`, tool calls are "
            "measured instead of model calls, and costs and tokens are null. Users, percentiles and first tokens by "
            f"two dimensions or by user are found in windows of at most {MAX_ROWS:,} calls.\n\n"
            f"An answer may be {SERIES_TTL_SECONDS} seconds old."
        ),
        "tags": ["query"],
        "parameters": parameters(QueryParameters),
        "responses": {
            "200": success_response(or_csv(json_of(schema_of(QueryAnswer))), "X-Cache", "Age", "Vary", "Cache-Control"),
            **problems(),
        },
        "x-example": {"query": "range=30d&measures=cost_usd,calls&by=label.customer,model"},
    }


def ask_forecast() -> Schema:
    return {
        "operationId": "forecast",
        "summary": "What the running period will cost, its range, and the day on which a limit is reached.",
        "description": (
            "There is no forecast below three days of history, without any spend, and for less than a week; `reason` "
            f"says so.\n\nAn answer may be {OVERVIEW_TTL_SECONDS} seconds old."
        ),
        "tags": ["insights"],
        "parameters": parameters(ForecastQuery),
        "responses": {
            "200": success_response(json_of(schema_of(ForecastAnswer)), "X-Cache", "Vary", "Cache-Control"),
            **problems(),
        },
        "x-example": {"query": "period=month&label.customer=acme&limit_usd=500"},
    }


def update_operation(metric: Metric, update: Update) -> Schema:
    return {
        "operationId": f"set-{metric.name}",
        "summary": update.summary,
        "tags": [metric.domain],
        "parameters": [WORKSPACE],
        "requestBody": {"required": True, "content": json_of(update_body(update.body), update.example)},
        "responses": {
            "200": success_response(json_of(answer_schema(metric)), "Cache-Control"),
            **problems(*WITH_BODY),
        },
        "x-example": {"body": update.example},
    }


def ingestion(
    name: str,
    summary: str,
    content: Schema,
    answered: Schema,
    example: Any,
    status: int = 200,
    all_rejected: Schema | None = None,
) -> Schema:
    """Returns a POST operation. `all_rejected` is the answer 422 to a body in which nothing can be stored."""
    responses = {str(status): success_response(answered), **problems(*WITH_BODY)}
    if all_rejected:
        responses["422"]["content"] |= json_of(all_rejected)
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["ingestion"],
        "parameters": [OPTIONAL_WORKSPACE],
        "requestBody": {"required": True, "content": content},
        "responses": responses,
        "x-example": {"body": example},
    }


def otlp(name: str, summary: str, example: Any, schema: Schema = OTLP_REQUEST) -> Schema:
    binary: Schema = {"application/x-protobuf": {"schema": {"type": "string", "format": "binary"}}}
    return ingestion(name, summary, json_of(schema, example) | binary, json_of(OTLP_ANSWER) | binary, example)


def projects() -> Schema:
    return {
        "operationId": "langfuse-projects",
        "summary": "Returns the project of the key to the Langfuse SDKs.",
        "tags": ["ingestion"],
        "parameters": [OPTIONAL_WORKSPACE],
        "responses": {"200": success_response(json_of(ANY_OBJECT)), **problems()},
        "x-example": {"query": ""},
    }


def ingestion_operations() -> dict[str, Schema]:
    """Returns the POST operation of each path."""
    spans = examples.otlp()
    return {
        "/api/v1/traces": ingestion(
            "send-traces",
            "Stores traces in plain JSON: one, or a batch of up to 10,000. A bad item is refused by its index.",
            json_of(one_or_batch(TraceItem, "traces"), examples.TRACE),
            json_of(INGESTION_ANSWER),
            examples.TRACE,
            all_rejected=INGESTION_ANSWER,
        ),
        "/api/v1/scores": ingestion(
            "send-scores",
            "Stores scores of traces, spans or sessions: one, or a batch of up to 10,000.",
            json_of(one_or_batch(ScoreItem, "scores"), examples.SCORE),
            json_of(SCORES_STORED),
            examples.SCORE,
            all_rejected=SCORES_STORED,
        ),
        "/v1/traces": otlp("send-otlp", "Stores the spans of an OTLP ExportTraceServiceRequest.", spans),
        "/v1/logs": otlp(
            "send-otlp-logs",
            "Stores the evaluations in OTLP logs as scores, and nothing else.",
            examples.NO_LOGS,
            ANYTHING,
        ),
        "/v1/metrics": otlp(
            "send-otlp-metrics", "Accepts OTLP metrics, without storing them.", examples.NO_METRICS, ANYTHING
        ),
        "/api/public/otel/v1/traces": otlp(
            "send-langfuse-otlp", "Does the same as /v1/traces, for Langfuse SDKs.", spans
        ),
        "/api/public/otel/v1/metrics": otlp(
            "send-langfuse-metrics", "Accepts OTLP metrics, without storing them.", examples.NO_METRICS, ANYTHING
        ),
        "/v1/traces/ingest": ingestion(
            "send-agents-sdk-traces",
            "Stores traces of the OpenAI Agents SDK.",
            json_of(AGENTS_SDK, examples.agents_sdk()),
            json_of(OTLP_ANSWER),
            examples.agents_sdk(),
            all_rejected=OTLP_ANSWER,
        ),
        "/api/public/scores": ingestion(
            "send-langfuse-score",
            "Stores a score of a Langfuse SDK, or a list of them.",
            json_of(ANY_SCORE, examples.LANGFUSE_SCORE),
            json_of(ANY_OBJECT),
            examples.LANGFUSE_SCORE,
        ),
        "/api/public/ingestion": ingestion(
            "send-langfuse-events",
            "Stores the events of Langfuse's SDK 2 and of tools that speak its protocol, or names them under errors.",
            json_of(LANGFUSE_EVENTS, examples.langfuse_ingestion()),
            json_of(LANGFUSE_ANSWER),
            examples.langfuse_ingestion(),
            status=207,
        ),
    }


# --- The document ---


def other_operations() -> list[Callable[[], Schema]]:
    """Returns what the apps above this one add: each names its functions in `api_operations` of its AppConfig."""
    names = (name for app in apps.get_app_configs() for name in getattr(app, "api_operations", ()))
    return [import_string(name) for name in names]


making = Lock()


def openapi_document() -> Schema:
    """Returns the document, which takes a second to make. Those who ask meanwhile wait for it."""
    with making:
        return made_document()


@cache
def made_document() -> Schema:
    return {
        "openapi": "3.1.0",
        "info": {"title": "Agent observability", "version": "1"},
        "paths": paths(),
        "security": [{"key": []}],
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Problem": PROBLEM},
        },
    }


def paths() -> Schema:
    operations: Schema = {f"/api/v1/{metric.route}": metric_operations(metric) for metric in METRICS.values()}
    operations["/api/v1/scores"] = {"get": list_scores()}
    operations["/api/v1/query"] = {"get": ask_query()}
    operations["/api/v1/insights/forecast"] = {"get": ask_forecast()}
    for path, operation in ingestion_operations().items():
        operations.setdefault(path, {})["post"] = operation
    operations["/api/public/projects"] = {"get": projects()}
    for make_operations in other_operations():
        for path, of_path in make_operations().items():
            operations.setdefault(path, {}).update(of_path)
    return operations


@cache
def served_document() -> bytes:
    return as_json(with_shared_parts(openapi_document()))


@public
@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(served_document(), content_type="application/json")
