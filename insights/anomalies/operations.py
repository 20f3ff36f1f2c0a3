"""Describes the endpoints of anomalies and annotations for the API document."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from analytics.answers import SERIES_TTL_SECONDS
from analytics.endpoints import ListQuery
from analytics.openapi import WITH_BODY, WORKSPACE, Schema, json_of, parameters, schema_of, success_response
from analytics.operation_parts import also_created, body, describe, in_path, query_of, without_answer
from insights.annotations import AnnotationChanges, AnnotationItem, AnnotationList, NewAnnotation
from insights.anomalies.answers import AnomalyAnswer, AnomalyItem
from insights.anomalies.api import AnomalyChanges
from insights.anomalies.parameters import AnomalyQuery

SOME_ID = "7b0cb1e2-6f0f-4c0e-9a57-3d2a5f1c9e10"
ANNOTATION: dict[str, Any] = {
    "id": SOME_ID,
    "kind": "deploy",
    "label": "release 2.0",
    "from": datetime(2026, 11, 23, 10, tzinfo=UTC).isoformat(),
    "filters": {"environment": ["production"]},
}
DECISION = {"state": "dismissed", "reason": "a test of ours"}


def operations() -> dict[str, Schema]:
    return {
        "/api/v1/insights/anomalies": {"get": ask()},
        "/api/v1/insights/anomalies/{finding_id}": {"patch": decide()},
        "/api/v1/insights/annotations": {"get": list_annotations(), "post": create()},
        "/api/v1/insights/annotations/{annotation_id}": {"get": one(), "patch": change(), "delete": delete()},
    }


operation = partial(describe, "insights")


ANNOTATION_PARAMETERS = [in_path("annotation_id", "The annotation's id."), WORKSPACE]
ANNOTATION_PATH = {"path": {"annotation_id": SOME_ID}}


def ask() -> Schema:
    asked = operation(
        "insights-anomalies",
        "Unusual hours of spend, calls, latency and errors, told by their narrowest cause.",
        AnomalyAnswer,
        description="Computed from the sums of the window and of the 30 days before it, so also for hours that were "
        "filled later; hours that are not over are not looked at. What happens in the same hours is one anomaly. "
        "agent_id, provider, model and environment select by cause. An answer may be "
        f"{SERIES_TTL_SECONDS} seconds old.",
        parameters=parameters(AnomalyQuery),
        **{"x-example": {"query": "range=7d&measure=spend&min_usd=5"}},
    )
    asked["responses"]["200"] = success_response(json_of(schema_of(AnomalyAnswer)), "X-Cache", "Vary", "Cache-Control")
    return asked


def decide() -> Schema:
    return operation(
        "decide-anomaly",
        "Dismisses an anomaly, calls it planned, or opens it again.",
        AnomalyItem,
        *(*WITH_BODY, 404),
        description="planned makes an annotation of its hours: charts show it, and forecast and anomalies do not "
        "learn from it.",
        parameters=[in_path("finding_id", "The anomaly's id."), WORKSPACE],
        requestBody=body(AnomalyChanges, DECISION),
        **{"x-example": {"path": {"finding_id": SOME_ID}, "body": DECISION}},
    )


def list_annotations() -> Schema:
    return operation(
        "list-annotations",
        "The annotations of the workspace, 100 at once, the newest first.",
        AnnotationList,
        parameters=[WORKSPACE, *query_of(ListQuery)],
    )


def create() -> Schema:
    made = operation(
        "create-annotation",
        "Writes down a deploy, a launch, a planned load or a note, which charts over time show.",
        AnnotationItem,
        *(*WITH_BODY, 409),
        requestBody=body(NewAnnotation, ANNOTATION),
        **{"x-example": {"body": ANNOTATION}},
    )
    return also_created(made, "The annotation, which is new.")


def one() -> Schema:
    return operation(
        "one-annotation",
        "One annotation.",
        AnnotationItem,
        404,
        parameters=ANNOTATION_PARAMETERS,
        **{"x-example": ANNOTATION_PATH},
    )


def change() -> Schema:
    changes = {"label": "release 2.0.1"}
    return operation(
        "change-annotation",
        "Changes an annotation; a field that is left out keeps its value.",
        AnnotationItem,
        *(*WITH_BODY, 404),
        parameters=ANNOTATION_PARAMETERS,
        requestBody=body(AnnotationChanges, changes, is_update=True),
        **{"x-example": ANNOTATION_PATH | {"body": changes}},
    )


def delete() -> Schema:
    gone = operation(
        "delete-annotation",
        "Deletes an annotation.",
        AnnotationItem,
        404,
        parameters=ANNOTATION_PARAMETERS,
        **{"x-example": ANNOTATION_PATH},
    )
    return without_answer(gone)
