"""Describes the endpoints of channels and deliveries for the API document."""

from functools import partial
from typing import Any

from alerts.api import DeliveryQuery
from alerts.bodies import ChannelChanges, NewChannel, settings_schema
from alerts.changes import MOST_TESTS, TEST_PERIOD
from alerts.items import ChannelItem, ChannelList, DeliveryItem, DeliveryList
from analytics.openapi import WITH_BODY, WORKSPACE, Schema
from analytics.operation_parts import also_created, body, describe, in_path, query_of, with_status, without_answer

ID = in_path("channel_id", "The channel's id.")
NEW_CHANNEL: dict[str, Any] = {
    "id": "5f0c7f0e-3b7e-4d39-8a55-0d3f6f0c1a01",
    "name": "On call",
    "kind": "ntfy",
    "settings": {"topic": "a-topic-that-nobody-guesses"},
}
CHANGES = {"name": "On call at night", "is_active": True}
EXAMPLE_PATH = {"channel_id": NEW_CHANNEL["id"]}
CHANNELS = "/api/v1/alerts/channels"


operation = partial(describe, "alerts")


def operations() -> dict[str, Schema]:
    """Returns the operations by path. Whatever deletes the example comes last, since a test runs them in this order."""
    return {
        CHANNELS: {"get": list_channels(), "post": create()},
        f"{CHANNELS}/{{channel_id}}/test": {"post": send_test()},
        "/api/v1/alerts/deliveries": {"get": list_deliveries()},
        f"{CHANNELS}/{{channel_id}}": {"get": one(), "patch": change(), "delete": delete()},
    }


def with_settings(described: Schema) -> Schema:
    """Describes the settings of each kind."""
    properties = described["content"]["application/json"]["schema"]["properties"]
    properties["settings"] = settings_schema() | {"description": properties["settings"]["description"]}
    return described


def list_channels() -> Schema:
    return operation("list-channels", "The channels of the workspace, and whether they work.", ChannelList)


def create() -> Schema:
    made = operation(
        "create-channel",
        "Makes a channel: email, a chat, a service for people on call, or a webhook.",
        ChannelItem,
        *(*WITH_BODY, 409),
        requestBody=with_settings(body(NewChannel, NEW_CHANNEL)),
        **{"x-example": {"body": NEW_CHANNEL}},
    )
    return also_created(made, "The channel, which is new.")


def send_test() -> Schema:
    tested = operation(
        "test-channel",
        "Sends a test message, which a worker does in a moment: the list of deliveries says how it went.",
        DeliveryItem,
        *(404, 409),
        description=f"A channel takes {MOST_TESTS} tests in {TEST_PERIOD.seconds // 60} minutes. A test that fails "
        "is not repeated.",
        parameters=[ID, WORKSPACE],
        **{"x-example": {"path": EXAMPLE_PATH}},
    )
    return with_status(tested, 202, "The delivery, which waits.")


def list_deliveries() -> Schema:
    return operation(
        "list-deliveries",
        "The messages of the last 90 days and how their delivery went, the newest first, 50 at once.",
        DeliveryList,
        parameters=[WORKSPACE, *query_of(DeliveryQuery)],
        **{"x-example": {"query": "state=failed"}},
    )


def one() -> Schema:
    return operation(
        "one-channel",
        "One channel, without its secrets.",
        ChannelItem,
        404,
        parameters=[ID, WORKSPACE],
        **{"x-example": {"path": EXAMPLE_PATH}},
    )


def change() -> Schema:
    return operation(
        "change-channel",
        "Changes a channel; a field or a setting that is left out keeps its value.",
        ChannelItem,
        *(*WITH_BODY, 404, 409),
        parameters=[ID, WORKSPACE],
        requestBody=with_settings(body(ChannelChanges, CHANGES, is_update=True)),
        **{"x-example": {"path": EXAMPLE_PATH, "body": CHANGES}},
    )


def delete() -> Schema:
    gone = operation(
        "delete-channel",
        "Deletes a channel with its deliveries. Messages that wait are not sent.",
        ChannelItem,
        404,
        parameters=[ID, WORKSPACE],
        **{"x-example": {"path": EXAMPLE_PATH}},
    )
    return without_answer(gone)
