"""Offers templates: documents in which @agent, @label and others stand for what the workspace has.

Each file of this folder is one. A panel with `needs` is left out where the workspace lacks one of them, and where it
has `otherwise`, a panel with that text takes its place.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from dashboards import checking
from dashboards.document import DashboardDocument
from web.problems import Problem

ORDER = ("on_call", "finance", "releases", "migration", "agent")
FOLDER = Path(__file__).parent


class Template(NamedTuple):
    name: str
    title: str
    why: str
    """What it answers, in a sentence."""
    document: dict[str, Any]


@cache
def templates() -> dict[str, Template]:
    return {name: template(name) for name in ORDER}


def template(name: str) -> Template:
    document = orjson.loads((FOLDER / f"{name}.json").read_bytes())
    return Template(name, document["name"], document.pop("why"), document)


def find(name: str) -> Template:
    if name not in templates():
        raise Problem(422, "There is no such template.")
    return templates()[name]


def fitted(template: Template, facts: Mapping[str, str]) -> DashboardDocument:
    """Returns the document of a template for a workspace with these facts."""
    parts = {name: fit(part, facts) for name, part in template.document.items() if name not in ("panels", "variables")}
    variables = [fit(one, facts) for one in template.document.get("variables", []) if has_needs(one, facts)]
    panels = [fitted_panel(panel, facts) for panel in template.document["panels"]]
    return checking.parse(
        parts | {"variables": [bare(one) for one in variables], "panels": [panel for panel in panels if panel]}
    )


def fitted_panel(panel: dict[str, Any], facts: Mapping[str, str]) -> dict[str, Any] | None:
    if has_needs(panel, facts):
        return bare(fit(panel, facts))
    if "otherwise" not in panel:
        return None
    return {"kind": "text", "text": panel["otherwise"]} | {name: panel[name] for name in ("id", "title", "place")}


def has_needs(part: Mapping[str, Any], facts: Mapping[str, str]) -> bool:
    return all(name in facts for name in part.get("needs", []))


def bare(part: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name not in ("needs", "otherwise")}


def fit(part: Any, facts: Mapping[str, str]) -> Any:
    """Replaces each text that is a name after @, also as the name of a field."""
    if isinstance(part, str):
        return facts.get(part[1:], part) if part.startswith("@") else part
    if isinstance(part, list):
        return [fit(item, facts) for item in part]
    if isinstance(part, dict):
        return {fit(name, facts): fit(value, facts) for name, value in part.items()}
    return part
