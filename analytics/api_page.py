"""Renders the API document as a page for people."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from analytics import examples
from analytics.openapi import Schema, openapi_document
from analytics.query_string import NOT
from web.declared_access import public
from workspaces.demo import DEMO_WORKSPACE_ID

LIMITS = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to"}
EXCLUDING = (
    f"{NOT}<filter>",
    "like the filter",
    f"Leaves out what the filter selects, as in {NOT}environment=staging. What has no value passes.",
)
FORMATS = {"date-time": "time (RFC 3339)", "uuid": "UUID"}


@public
@require_safe
def api_page(request: HttpRequest) -> HttpResponse:
    base = f"{request.scheme}://{request.get_host()}"
    operations = [
        operation_context(method.upper(), path, operation, base)
        for path, methods in openapi_document()["paths"].items()
        for method, operation in methods.items()
    ]
    return render(request, "analytics/docs.html", {"operations": operations, "example": DEMO_WORKSPACE_ID})


def operation_context(method: str, path: str, operation: Schema, base: str) -> dict[str, Any]:
    """Returns the template's variables for one operation."""
    example = operation["x-example"]
    called = path.format_map(example.get("path", {}))
    return {
        "method": method,
        "path": path,
        "parts": path.removeprefix("/api/v1").strip("/").split("/"),
        "operation": operation,
        "curl": examples.curl(method, called, example.get("query", ""), example.get("body"), base),
        "tables": [table for table in tables(operation) if table.rows],
    }


class Table(NamedTuple):
    caption: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def tables(operation: Schema) -> Iterator[Table]:
    yield Table("Parameters", ("Name", "Type", "Description"), parameter_rows(operation["parameters"]))
    yield Table("Body", ("Field", "Type", "Description"), field_rows(body_schema(operation)))
    yield Table("Answer", ("Field", "Type", "Description"), field_rows(response_schema(operation)))
    statuses = [(status, response["description"]) for status, response in operation["responses"].items()]
    yield Table("Status", ("Status", "When"), statuses)


def parameter_rows(parameters: Sequence[Schema]) -> list[tuple[str, str, str]]:
    """Returns name, type and description of each parameter, with one row for all that exclude."""
    excluding = [parameter for parameter in parameters if parameter["name"].startswith(NOT)]
    table_rows = [
        (parameter["name"], parameter_words(parameter["schema"]), parameter["description"])
        for parameter in parameters
        if parameter not in excluding
    ]
    return [*table_rows, *([EXCLUDING] if excluding else [])]


def parameter_words(schema: Schema) -> str:
    """Describes the type of a parameter, also of one that may be given several times."""
    if "patternProperties" in schema:
        [values] = schema["patternProperties"].values()
        return parameter_words(values)
    return f"{type_words(schema['items'])}; up to {schema['maxItems']}" if "items" in schema else type_words(schema)


def body_schema(operation: Schema) -> Schema:
    """Returns the schema of the body: that of one trace if the body may also be a batch."""
    if "requestBody" not in operation:
        return {}
    body: Schema = operation["requestBody"]["content"]["application/json"]["schema"]
    first: Schema = body.get("anyOf", [body])[0]
    return first


def response_schema(operation: Schema) -> Schema:
    answer = next(response for status, response in operation["responses"].items() if status.startswith("2"))
    # What is deleted has an answer without a body.
    schema: Schema = answer["content"]["application/json"]["schema"] if "content" in answer else {}
    return schema


def field_rows(schema: Schema, prefix: str = "") -> list[tuple[str, str, str]]:
    """Returns name, type and description of each field. The fields of a list or object follow it."""
    table_rows = []
    for name, field in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        table_rows.append((path, type_words(field), field.get("description", "")))
        is_list = "items" in field
        table_rows += field_rows(field["items"] if is_list else field, f"{path}{'[]' if is_list else ''}.")
    return table_rows


def type_words(schema: Schema) -> str:
    """Describes a type and its limits: integer from 1 to 100."""
    if "anyOf" in schema:
        return " or ".join(type_words(choice) for choice in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(str(value) for value in schema["enum"])
    limits = (f"{word} {schema[name]:,}" for name, word in LIMITS.items() if name in schema)
    return " ".join((FORMATS.get(schema.get("format", ""), str(schema["type"])), *limits))
