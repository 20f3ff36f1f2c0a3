"""Describes the endpoints of labels for the API document."""

from typing import Any

from analytics import examples
from analytics.openapi import WITH_BODY, WORKSPACE, Schema
from analytics.operation_parts import body, with_status
from settings.document_parts import operation
from settings.labels.api import ChosenLabels, LabelSettings, NewLabel
from settings.rows_updates import UpdateItem
from workspaces.label_limits import LABEL_LENGTH

LABELS = "/api/v1/settings/labels"
RENAMED = examples.LABEL | {"label": "client"}
ATTRIBUTE: Schema = {
    "name": "attribute",
    "in": "query",
    "required": True,
    "description": "The chosen attribute.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LABEL_LENGTH},
}


def operations() -> dict[str, Schema]:
    return {
        LABELS: {"get": list_labels(), "post": add_label(), "patch": rename_label(), "delete": remove_label()},
        f"{LABELS}/refill": {"post": refill()},
    }


def list_labels() -> Schema:
    return operation(
        "list-labels", "The attributes that become labels, and those that arrive and could.", LabelSettings
    )


def add_label() -> Schema:
    return with_label(
        "add-label",
        "Chooses an attribute whose values become a label of the spans that arrive from now on.",
        examples.LABEL,
    )


def rename_label() -> Schema:
    return with_label(
        "rename-label",
        "Gives the label of a chosen attribute another name. Stored spans keep the old one until they are refilled.",
        RENAMED,
        404,
    )


def with_label(name: str, summary: str, example: Any, *statuses: int) -> Schema:
    return operation(
        name,
        summary,
        ChosenLabels,
        *(*WITH_BODY, *statuses),
        requestBody=body(NewLabel, example),
        **{"x-example": {"body": example}},
    )


def remove_label() -> Schema:
    return operation(
        "remove-label",
        "Removes the choice of an attribute. Stored spans keep their labels until they are refilled.",
        ChosenLabels,
        404,
        parameters=[WORKSPACE, ATTRIBUTE],
        **{"x-example": {"query": f"attribute={examples.LABEL['attribute']}"}},
    )


def refill() -> Schema:
    ordered = operation(
        "refill-labels",
        "Orders a job that gives stored spans the labels of today's choice; the list of labels says how far it is.",
        UpdateItem,
        409,
    )
    return with_status(ordered, 202, "The job, which waits.")
