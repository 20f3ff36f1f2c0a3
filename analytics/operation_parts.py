"""What most operations of the API document have in common: their form, parameters, bodies and answers."""

from typing import Any

from pydantic import BaseModel

from analytics.openapi import (
    WORKSPACE,
    Schema,
    json_of,
    parameter,
    problems,
    schema_of,
    success_response,
    update_body,
    with_inlined_types,
)

UUID: Schema = {"type": "string", "format": "uuid"}


def describe(tag: str, name: str, summary: str, answer: Any, *statuses: int, **parts: Any) -> Schema:
    """Returns an operation whose answer is JSON. `statuses` are the problems that not every operation has."""
    return {
        "operationId": name,
        "summary": summary,
        "tags": [tag],
        "parameters": [WORKSPACE],
        "responses": {"200": success_response(json_of(schema_of(answer)), "Cache-Control"), **problems(*statuses)},
        "x-example": {},
        **parts,
    }


def body(model: type[BaseModel], example: Any, is_update: bool = False) -> Schema:
    schema = update_body(model) if is_update else model.model_json_schema(by_alias=True)
    inlined: Schema = with_inlined_types(schema, schema.pop("$defs", {}))
    return {"required": True, "content": json_of(inlined, example)}


def query_of(model: type[BaseModel]) -> list[Schema]:
    fields = model.model_json_schema(by_alias=True)["properties"]
    return [{"name": name, "in": "query", **parameter(field)} for name, field in fields.items()]


def in_path(name: str, description: str, schema: Schema = UUID) -> Schema:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def also_created(operation: Schema, description: str) -> Schema:
    """Returns the operation with the status 201 for what is new, beside 200 for what was sent again."""
    operation["responses"]["201"] = operation["responses"]["200"] | {"description": description}
    return operation


def with_status(operation: Schema, status: int, description: str) -> Schema:
    """Returns the operation with this status in place of 200."""
    operation["responses"][str(status)] = operation["responses"].pop("200") | {"description": description}
    return operation


def without_answer(operation: Schema, description: str = "It is deleted.") -> Schema:
    """Returns the operation with the status 204, which has no body, in place of 200."""
    operation["responses"]["204"] = {"description": description}
    del operation["responses"]["200"]
    return operation
