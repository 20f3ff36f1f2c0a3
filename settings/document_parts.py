"""Describes, for the API document, what the endpoints of settings have in common."""

from typing import Any

from analytics.openapi import WORKSPACE, Schema, json_of, problems, schema_of, success_response

ONLY_OWNERS = "Only owners of the workspace may do this, signed in: no API key may."


def operation(name: str, summary: str, answer: Any, *statuses: int, **parts: Any) -> Schema:
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["settings"],
        "parameters": [WORKSPACE],
        "responses": {"200": success_response(json_of(schema_of(answer)), "Cache-Control"), **problems(*statuses)},
        "x-example": {},
        **parts,
    }


UUID: Schema = {"type": "string", "format": "uuid"}


def in_path(name: str, description: str, schema: Schema = UUID) -> Schema:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def is_created(described: Schema) -> Schema:
    described["responses"]["201"] = described["responses"].pop("200")
    return described


def is_deleted(described: Schema) -> Schema:
    del described["responses"]["200"]
    described["responses"]["204"] = {"description": "It is done."}
    return described
