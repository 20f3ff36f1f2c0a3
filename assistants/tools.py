"""Makes tools for assistants from the API document: each read that answers in JSON is one."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import NamedTuple

from django.urls import Resolver404, resolve

from analytics.openapi import Schema, openapi_document
from web.declared_access import View

LEFT_OUT = frozenset({"settings", "exports", "ingestion"})
"""Tags of operations that are no tools: files, and what people set."""
LABELS = "label.<name>"
LEAVES_OUT = (
    "Times are RFC 3339. A filter takes one value or several; not_<filter> leaves out what the filter selects, and "
    "labels takes values by the name of a label."
)
SOME_IDS = ("1", "00000000-0000-0000-0000-000000000000")
"""One of them fits the placeholders of each path."""
NO_INSTANCE = re.compile(r"(\w+?)s?/\{\w+\}")


class Tool(NamedTuple):
    """A read of the API, as assistants see it."""

    name: str
    path: str
    """Like `/api/v1/traces/{trace_id}`."""
    summary: str
    description: str
    parameters: Mapping[str, Schema]
    """Of the path and the query, by name."""
    in_path: tuple[str, ...]
    required: tuple[str, ...]
    view: View
    """The only one that it calls, whatever the ids in its path are."""

    @property
    def takes_labels(self) -> bool:
        return LABELS in self.parameters

    def described(self) -> Schema:
        """Returns the tool as `tools/list` lists it."""
        return {
            "name": self.name,
            "title": self.summary,
            "description": self.description,
            "inputSchema": {
                "type": "object",
                "properties": {"labels" if name == LABELS else name: part for name, part in self.parameters.items()},
                **({"required": list(self.required)} if self.required else {}),
            },
            "annotations": {"readOnlyHint": True, "openWorldHint": False},
        }


@cache
def tools() -> dict[str, Tool]:
    """Returns the tools by their names."""
    return {tool.name: tool for tool in documented_tools()}


def documented_tools() -> Iterator[Tool]:
    for path, methods in openapi_document()["paths"].items():
        operation = methods.get("get")
        if operation and LEFT_OUT.isdisjoint(operation["tags"]) and answers_json(operation):
            view = view_of(path)
            # Some reads are for owners who are signed in only.
            if view and is_read(view):
                yield tool_of(path, operation, view)


def answers_json(operation: Schema) -> bool:
    return "application/json" in operation["responses"]["200"]["content"]


def view_of(path: str) -> View | None:
    for some_id in SOME_IDS:
        with suppress(Resolver404):
            return resolve(re.sub(r"\{\w+\}", some_id, path)).func
    return None


def is_read(view: View) -> bool:
    """Returns whether a key with the scope read opens it."""
    return str(getattr(view, "access", "")).startswith("read")


def tool_of(path: str, operation: Schema, view: View) -> Tool:
    # Where an id of the path has the name of a filter, the filter is no parameter: the path decides.
    listed = sorted(filter(is_listed, operation["parameters"]), key=lambda one: str(one["in"]) == "path")
    parameters = {one["name"]: one for one in listed}
    filters = LEAVES_OUT if LABELS in parameters else ""
    return Tool(
        name=name_of(path),
        path=path,
        summary=operation["summary"],
        description=" ".join(filter(None, (operation["summary"], operation.get("description", ""), filters))),
        parameters={name: brief(one) for name, one in parameters.items()},
        in_path=tuple(name for name, one in parameters.items() if one["in"] == "path"),
        required=tuple(name for name, one in parameters.items() if one.get("required")),
        view=view,
    )


def is_listed(parameter: Schema) -> bool:
    """Leaves out what would repeat every filter, and what makes another answer than JSON."""
    name = parameter["name"]
    return parameter["in"] != "header" and name != "format" and not name.startswith("not_")


def name_of(path: str) -> str:
    """Returns `trace` for `/api/v1/traces/{trace_id}`, and `budgets_check` for `/api/v1/budgets/check`."""
    name = NO_INSTANCE.sub(r"\1", path.removeprefix("/api/v1/").replace("{span_id}", "{id}"))
    return re.sub(r"\W+", "_", name)


def brief(parameter: Schema) -> Schema:
    """Returns the schema without what the API checks itself: assistants read all of it before each conversation."""
    schema = parameter["schema"]
    text = parameter.get("description", "").removesuffix(" Several: any of them.")
    if parameter["name"] == LABELS:
        return {"type": "object", "description": 'Like {"customer": ["acme"]}.'}
    if schema.get("type") == "array":
        items = {name: schema["items"][name] for name in ("type", "enum") if name in schema["items"]}
        return {"type": "array", "items": items, "description": text}
    return {name: value for name, value in schema.items() if name not in ("pattern", "minLength", "maxLength")} | (
        {"description": text} if text else {}
    )
