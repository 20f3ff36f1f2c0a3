"""Describes the endpoints below `/api/v1/insights/experiments` for the API document."""

from functools import partial
from typing import Any

from analytics.endpoints import ListQuery
from analytics.openapi import WITH_BODY, WORKSPACE, Schema
from analytics.operation_parts import also_created, body, describe, in_path, query_of, without_answer
from insights.experiments.bodies import ExperimentChanges, NewExperiment
from insights.experiments.items import ExperimentDetail, ExperimentItem, ExperimentList

PATH = "/api/v1/insights/experiments"
NEW: dict[str, Any] = {
    "id": "0d8c6f3a-52a1-4b57-8a57-0f2f2a1f6c11",
    "name": "Shorter prompt",
    "slices": [
        {"dimension": "label.variant", "value": "long prompt"},
        {"dimension": "label.variant", "value": "short prompt"},
    ],
    "filters": {"agent_id": ["support"]},
    "measures": ["cost_per_call_usd", "error_rate"],
    "end": {"on_verdict": True},
}
CHANGES: dict[str, Any] = {"end": {"on_verdict": False, "calls": 5000}}
ID = in_path("experiment_id", "The experiment's id.")
EXAMPLE_PATH = {"experiment_id": NEW["id"]}


def operations() -> dict[str, Schema]:
    """Returns the operations by path. What deletes the example comes last, since a test runs them in this order."""
    return {
        PATH: {"get": listing(), "post": create()},
        f"{PATH}/{{experiment_id}}": {"get": one(), "patch": change(), "delete": delete()},
    }


operation = partial(describe, "insights")


def listing() -> Schema:
    return operation(
        "list-experiments",
        "The experiments of the workspace, the newest first, 50 at once, and what they show.",
        ExperimentList,
        parameters=[WORKSPACE, *query_of(ListQuery)],
    )


def create() -> Schema:
    made = operation(
        "create-experiment",
        "Begins to compare slices while calls arrive, with a verdict that may be looked at any number of times.",
        ExperimentItem,
        *(*WITH_BODY, 409),
        description="It assigns nothing: your code decides which call is of which slice, and labels it. The sums begin "
        "at `started_at`; a worker adds calls 15 minutes after they began. Below 100 calls of a slice there is no "
        "verdict.",
        requestBody=body(NewExperiment, NEW),
        **{"x-example": {"body": NEW}},
    )
    return also_created(made, "The experiment, which is new.")


def one() -> Schema:
    return operation(
        "one-experiment",
        "One experiment with the history of its verdict.",
        ExperimentDetail,
        404,
        parameters=[ID, WORKSPACE],
        **{"x-example": {"path": EXAMPLE_PATH}},
    )


def change() -> Schema:
    return operation(
        "change-experiment",
        "Renames an experiment, changes when it ends, or ends it now.",
        ExperimentItem,
        *(*WITH_BODY, 404),
        parameters=[ID, WORKSPACE],
        requestBody=body(ExperimentChanges, CHANGES, is_update=True),
        **{"x-example": {"path": EXAMPLE_PATH, "body": CHANGES}},
    )


def delete() -> Schema:
    gone = operation(
        "delete-experiment",
        "Deletes an experiment with its sums and history.",
        ExperimentItem,
        404,
        parameters=[ID, WORKSPACE],
        **{"x-example": {"path": EXAMPLE_PATH}},
    )
    return without_answer(gone)
