"""Describes the endpoints of rules and events for the API document."""

from typing import Any

from alerts.backtest import Preview
from alerts.operations import operation
from alerts.rule_api import EventQuery
from alerts.rule_bodies import NewRule, RuleChanges
from alerts.rule_items import EventItem, EventList, RuleItem, RuleList
from analytics.openapi import WITH_BODY, WORKSPACE, Schema
from analytics.operation_parts import also_created, body, in_path, query_of, without_answer

NEW_RULE: dict[str, Any] = {
    "id": "0d8f3f0e-6a7e-4d0b-9c55-0d3f6f0c1b02",
    "name": "Errors of support",
    "metric": "error_rate",
    "window": "15m",
    "comparison": "above",
    "warning": 5,
    "critical": 20,
    "filters": {"agent_id": ["support"]},
    "minimum_calls": 20,
}
CHANGES = {"warning": 8, "renotify": 60}
EXAMPLE_PATH = {"rule_id": NEW_RULE["id"]}
EXAMPLE_EVENT = "0d8f3f0e-6a7e-4d0b-9c55-0d3f6f0c1b03"
RULES, EVENTS = "/api/v1/alerts/rules", "/api/v1/alerts/events"


RULE_ID, EVENT_ID = in_path("rule_id", "The rule's id."), in_path("event_id", "The event's id.")


def operations() -> dict[str, Schema]:
    """Returns the operations by path. Whatever deletes the example comes last, since a test runs them in this order."""
    return {
        RULES: {"get": list_rules(), "post": create()},
        f"{RULES}/preview": {"post": preview()},
        EVENTS: {"get": list_events()},
        f"{EVENTS}/{{event_id}}": {"get": one_event()},
        f"{EVENTS}/{{event_id}}/acknowledge": {"post": acknowledge()},
        f"{RULES}/{{rule_id}}": {"get": one(), "patch": change(), "delete": delete()},
    }


def list_rules() -> Schema:
    return operation("list-rules", "The rules of the workspace, and where they stand.", RuleList)


def create() -> Schema:
    made = operation(
        "create-rule",
        "Makes a rule, which is looked at each minute.",
        RuleItem,
        *(*WITH_BODY, 409),
        requestBody=body(NewRule, NEW_RULE),
        **{"x-example": {"body": NEW_RULE}},
    )
    return also_created(made, "The rule, which is new.")


def preview() -> Schema:
    example = {name: value for name, value in NEW_RULE.items() if name != "id"}
    return operation(
        "preview-rule",
        "What a rule would have told in the last 30 days, without making it.",
        Preview,
        *WITH_BODY,
        description="It is evaluated at each minute where sums by minute have what it looks at, else each 10 minutes, "
        "for windows of more than 6 hours each hour; `every_minutes` says which. A past that takes too long to read "
        "is shorter: `is_shortened`.",
        requestBody=body(NewRule, example),
        **{"x-example": {"body": example}},
    )


def list_events() -> Schema:
    return operation(
        "list-events",
        "What rules and budgets have reached in the last 400 days, the newest first, 50 at once.",
        EventList,
        parameters=[WORKSPACE, *query_of(EventQuery)],
        **{"x-example": {"query": "open=true"}},
    )


def one_event() -> Schema:
    return operation(
        "one-event",
        "One event.",
        EventItem,
        404,
        parameters=[EVENT_ID, WORKSPACE],
        **{"x-example": {"path": {"event_id": EXAMPLE_EVENT}}},
    )


def acknowledge() -> Schema:
    return operation(
        "acknowledge-event",
        "Says that somebody looks after an event: it is not told again.",
        EventItem,
        404,
        parameters=[EVENT_ID, WORKSPACE],
        **{"x-example": {"path": {"event_id": EXAMPLE_EVENT}}},
    )


def one() -> Schema:
    return operation(
        "one-rule",
        "One rule, and where it stands.",
        RuleItem,
        404,
        parameters=[RULE_ID, WORKSPACE],
        **{"x-example": {"path": EXAMPLE_PATH}},
    )


def change() -> Schema:
    return operation(
        "change-rule",
        "Changes a rule; a field that is left out keeps its value.",
        RuleItem,
        *(*WITH_BODY, 404),
        description="A change of limits arms again only what is above the present value. A change of what the rule "
        "looks at begins anew, in ok.",
        parameters=[RULE_ID, WORKSPACE],
        requestBody=body(RuleChanges, CHANGES, is_update=True),
        **{"x-example": {"path": EXAMPLE_PATH, "body": CHANGES}},
    )


def delete() -> Schema:
    gone = operation(
        "delete-rule",
        "Deletes a rule. Its events stay, with its name.",
        RuleItem,
        404,
        parameters=[RULE_ID, WORKSPACE],
        **{"x-example": {"path": EXAMPLE_PATH}},
    )
    return without_answer(gone)
