"""Finds what a workspace has, so that templates fit it: its labels, agents, models and releases of the last 30 days."""

from collections.abc import Mapping
from typing import Any

import orjson
from django.db import DatabaseError
from django.http import QueryDict

from analytics import query_parameters
from analytics.budget_pages import choices, label_names
from analytics.query_view import cached_answer
from traces.filters import LABEL_PREFIX
from web.problems import transient_cause
from workspaces.models import Workspace
from workspaces.request_slots import request_slot

USUAL_LABEL = "customer"
MOST_LABELS = 5
"""Of those that are compared by their number of values."""
MOST_RELEASES = 20


def facts(workspace: Workspace) -> dict[str, str]:
    """Returns values by the names that templates write after @. What the workspace does not have is left out.

    While the database of traces does not answer, nothing is known.
    """
    try:
        with request_slot(workspace.pk):
            return {name: value for name, value in known(workspace).items() if value}
    except DatabaseError as error:
        if transient_cause(error) is None:
            raise
        return {}


def known(workspace: Workspace) -> dict[str, str]:
    label = chosen_label(workspace)
    agents, models = (names(workspace, dimension) for dimension in ("agent_id", "model"))
    releases = newest_releases(workspace)
    return {
        "label": f"{LABEL_PREFIX}{label}" if label else "",
        "label_name": label,
        "agent": at(agents, 0),
        "model": at(models, 0),
        "other_model": at(models, 1),
        "release": at(releases, 0),
        "previous_release": at(releases, 1),
    }


def at(values: list[str], place: int) -> str:
    return values[place] if place < len(values) else ""


def names(workspace: Workspace, dimension: str) -> list[str]:
    """Returns the values of a dimension, those with the most calls first."""
    return [choice["value"] for choice in choices(workspace, dimension)]


def chosen_label(workspace: Workspace) -> str:
    """Returns customer if calls have it, else the label with the most values; empty without labels."""
    labels = label_names(workspace)
    if USUAL_LABEL in labels:
        return USUAL_LABEL
    return max(labels[:MOST_LABELS], key=lambda label: number_of_values(workspace, label), default="")


def number_of_values(workspace: Workspace, label: str) -> int:
    """Returns how many values a label has, up to 100."""
    name = f"{LABEL_PREFIX}{label}".replace(",", "\\,")
    return len(answer(workspace, {"by": name, "limit": "100"})["data"])


def newest_releases(workspace: Workspace) -> list[str]:
    """Returns the releases, the one that came last first."""
    found = answer(workspace, {"by": "release", "granularity": "daily", "limit": str(MOST_RELEASES)})
    first_days: dict[str, str] = {}
    for line in found["data"]:
        if line["release"] and line["calls"]:
            first_days[line["release"]] = min(line["timestamp"], first_days.get(line["release"], line["timestamp"]))
    return sorted(first_days, key=lambda release: (first_days[release], release), reverse=True)


def answer(workspace: Workspace, parameters: Mapping[str, str]) -> Any:
    query = QueryDict(mutable=True)
    query.update({"range": "30d", "measures": "calls", **parameters})
    asked, filters = query_parameters.parse(query, workspace.pk, zone=workspace.zone)
    return orjson.loads(cached_answer(asked, filters, workspace).body)
