"""Renders the API document as pages for people: a list of the calls, and one page of each, which tries it."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from analytics import examples
from analytics.openapi import Schema, openapi_document
from analytics.pages import uncached
from analytics.query_string import NOT
from web.declared_access import public
from workspaces.access import last_workspace, visible_workspaces
from workspaces.models import Workspace

YOUR_WORKSPACE = "YOUR_WORKSPACE_ID"
LIMITS = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to"}
EXCLUDING = (
    f"{NOT}<filter>",
    "like the filter",
    f"Leaves out what the filter selects, as in {NOT}environment=staging. What has no value passes.",
)
FORMATS = {"date-time": "time (RFC 3339)", "uuid": "UUID"}


METHODS_THAT_READ = ("GET", "HEAD")


class Field(NamedTuple):
    """A parameter in the form that tries a call."""

    name: str
    place: str
    """`path` or `query`."""
    value: str
    choices: Sequence[str]
    words: str
    description: str
    is_required: bool


@public
@require_safe
def api_page(request: HttpRequest) -> HttpResponse:
    return render(request, "analytics/docs.html", {"groups": groups(), "is_api": True})


@public
@require_safe
def operation_page(request: HttpRequest, name: str) -> HttpResponse:
    found = next((found for found in operations() if found["operation"]["operationId"] == name), None)
    if found is None:
        raise Http404
    workspaces = sorted(visible_workspaces(request), key=lambda one: str(one.id) != last_workspace(request))
    context = found | {"groups": groups(), "is_api": True, "workspaces": workspaces}
    context |= samples(found, f"{request.scheme}://{request.get_host()}", workspaces)
    # It names the reader's workspaces.
    return uncached(render(request, "analytics/operation.html", context))


def operations() -> Iterator[dict[str, Any]]:
    """Yields the template's variables for each operation."""
    for path, methods in openapi_document()["paths"].items():
        for method, operation in methods.items():
            yield operation_context(method.upper(), path, operation)


def groups() -> dict[str, list[dict[str, Any]]]:
    """Returns the operations by what they are about."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for found in operations():
        grouped.setdefault(found["operation"]["tags"][0].capitalize(), []).append(found)
    return grouped


def operation_context(method: str, path: str, operation: Schema) -> dict[str, Any]:
    return {
        "method": method,
        "path": path,
        "parts": path.strip("/").split("/"),
        "operation": operation,
        "paragraphs": filter(None, operation.get("description", "").split("\n\n")),
        "is_read": method in METHODS_THAT_READ,
        "tables": (table for table in tables(operation) if table.rows),
        "fields": (field for field in fields(operation) if field.value or field.is_required),
        "more_fields": (field for field in fields(operation) if not field.value and not field.is_required),
        "headers": operation["x-example"].get("headers", {}),
        "body": json_example(operation),
    }


def samples(found: dict[str, Any], base: str, workspaces: Sequence[Workspace]) -> dict[str, Any]:
    """Returns the same call for a shell and for Python, with the address and the workspace of the reader."""
    example = found["operation"]["x-example"]
    query = f"?{example['query']}" if example.get("query") else ""
    url = f"{base}{found['path'].format_map(example.get('path', {}))}{query}"
    workspace_id = str(workspaces[0].id) if workspaces else YOUR_WORKSPACE
    needs_key = not (workspaces and workspaces[0].is_open)
    file_name, more_headers = example.get("file", ""), example.get("headers", {})
    call = examples.Call(found["method"], url, example.get("body"), workspace_id, needs_key, file_name, more_headers)
    return {"samples": [("curl", examples.curl(call)), ("Python", examples.python(call))]}


def json_example(operation: Schema) -> str:
    body = operation["x-example"].get("body")
    return "" if body is None else json.dumps(body, indent=2)


def fields(operation: Schema) -> Iterator[Field]:
    """Yields the parameters that have a field of their own: not the workspace, and none that stand for many names."""
    example = operation["x-example"]
    known = {"query": dict(parse_qsl(example.get("query", ""))), "path": example.get("path", {})}
    for parameter in operation["parameters"]:
        name, schema = parameter["name"], parameter["schema"]
        if parameter["in"] != "header" and not name.startswith(NOT) and "patternProperties" not in schema:
            value, is_required = str(known[parameter["in"]].get(name, "")), parameter.get("required", False)
            words, description = parameter_words(schema), parameter["description"]
            yield Field(name, parameter["in"], value, choices(schema), words, description, is_required)


def choices(schema: Schema) -> Sequence[str]:
    """Returns the only values that a parameter takes; nothing if it takes others."""
    if schema.get("type") == "boolean":
        return ("true", "false")
    return [str(choice) for choice in schema.get("enum", schema.get("items", {}).get("enum", ()))]


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
    schema: Schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
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
