"""Describes the endpoints of sessions, users, agents and tools for the API document."""

from typing import Any

from analytics.answers import SERIES_TTL_SECONDS
from analytics.openapi import (
    WORKSPACE,
    Schema,
    json_of,
    or_csv,
    parameter,
    parameters,
    problems,
    schema_of,
    success_response,
)
from analytics.query_string import NOT, Query
from explorer.agents import AgentAnswer, AgentList
from explorer.entity_api import ENTITIES, Entity, TracePage
from explorer.operations import ID
from explorer.sessions import SessionAnswer, SessionList
from explorer.tools import ToolAnswer, ToolList
from explorer.users import UserAnswer, UserList

LISTS: dict[str, Any] = {"sessions": SessionList, "users": UserList, "agents": AgentList, "tools": ToolList}
ANSWERS: dict[str, Any] = {"sessions": SessionAnswer, "users": UserAnswer, "agents": AgentAnswer, "tools": ToolAnswer}
OF_ONE = {
    "sessions": "One session over all stored time, with its traces, the oldest first.",
    "users": "One user: figures with their change, a series, models, agents, sessions and newest traces.",
    "agents": "One agent: figures, a series, models, tools, releases, errors, users and newest traces.",
    "tools": "One tool: figures of its calls, a series, who calls it, failures with samples, and newest traces.",
}
EXAMPLES = {"sessions": "session-1", "users": "ada", "agents": "support", "tools": "search"}


def operations() -> dict[str, Schema]:
    found: dict[str, Schema] = {}
    for name, entity in ENTITIES.items():
        found[f"/api/v1/{name}"] = {"get": list_operation(entity)}
        found[f"/api/v1/{name}/{{{entity.id_name}}}"] = {"get": one_operation(entity)}
    return found


def parameters_of_one(entity: Entity) -> list[Schema]:
    """Returns the parameters of a window and filters, without those that an answer about one refuses."""
    refused = ("format", entity.dimension, f"{NOT}{entity.dimension}")
    return [parameter for parameter in parameters(Query) if parameter["name"] not in refused]


def list_operation(entity: Entity) -> Schema:
    return {
        "operationId": f"list-{entity.name}",
        "summary": f"The {entity.name} of the window, with totals and their change, page by page.",
        "description": f"An answer may be {SERIES_TTL_SECONDS} seconds old. A cursor keeps the first page's window.",
        "tags": [entity.name],
        "parameters": parameters(entity.kind.model),
        "responses": {
            "200": success_response(
                or_csv(json_of(schema_of(LISTS[entity.name]))), "X-Cache", "Age", "Vary", "Cache-Control"
            ),
            **problems(),
        },
        "x-example": {"query": f"range=7d&sort={entity.kind.default}&limit=20"},
    }


def one_operation(entity: Entity) -> Schema:
    path = {"name": entity.id_name, "in": "path", "required": True, "description": "It may hold slashes.", "schema": ID}
    fields = TracePage.model_json_schema()["properties"]
    of_session = [WORKSPACE, *({"name": name, "in": "query", **parameter(field)} for name, field in fields.items())]
    return {
        "operationId": f"one-{entity.word}",
        "summary": OF_ONE[entity.name],
        "tags": [entity.name],
        "parameters": [path, *(parameters_of_one(entity) if entity.one else of_session)],
        "responses": {
            "200": success_response(json_of(schema_of(ANSWERS[entity.name])), "Vary", "Cache-Control"),
            **problems(404),
        },
        "x-example": {
            "query": "range=7d" if entity.one else "",
            "path": {entity.id_name: EXAMPLES[entity.name]},
        },
    }
