"""Describes the endpoints of keys for the API document."""

from typing import Any

from analytics.openapi import WITH_BODY, WORKSPACE, Schema
from analytics.operation_parts import body, in_path, with_status, without_answer
from settings.document_parts import ONLY_OWNERS, operation
from settings.keys.items import KeyBody, KeyChanges, KeyItem, KeyList, MadeKey, Rotation

KEYS = "/api/v1/settings/keys"
SOME_KEY = "5f0c7f0e-3b7e-4d39-8a55-0d3f6f0c2b01"
ID = in_path("key_id", "The key's id.")
NEW_KEY = {"name": "checkout agent, production", "scopes": ["ingest"], "expires_in_days": 365}
EXAMPLE: dict[str, Any] = {"path": {"key_id": SOME_KEY}}
FROM_NOW_ON = "A program can use it from now on. Only this answer shows the secret."


def operations() -> dict[str, Schema]:
    """Returns the operations by path. The one that revokes the example comes last, since a test runs them in order."""
    return {
        KEYS: {"get": list_keys(), "post": create_key()},
        f"{KEYS}/{{key_id}}/rotate": {"post": rotate_key()},
        f"{KEYS}/{{key_id}}": {"get": one_key(), "patch": change_key(), "delete": revoke_key()},
    }


def list_keys() -> Schema:
    return operation("list-keys", "The keys of the workspace, without their secrets, and when they were used.", KeyList)


def create_key() -> Schema:
    made = operation(
        "create-key",
        "Makes a key.",
        MadeKey,
        *(*WITH_BODY, 409),
        description=f"{FROM_NOW_ON} {ONLY_OWNERS}",
        requestBody=body(KeyBody, NEW_KEY),
        **{"x-example": {"body": NEW_KEY}},
    )
    return with_status(made, 201, "The key, which is new.")


def rotate_key() -> Schema:
    rotated = operation(
        "rotate-key",
        "Makes a key that takes the place of this one, which still works for some hours.",
        MadeKey,
        *(*WITH_BODY, 404, 409),
        description=f"The new key has the same name and scopes. {FROM_NOW_ON} {ONLY_OWNERS}",
        parameters=[ID, WORKSPACE],
        requestBody=body(Rotation, {"overlap_hours": 24}),
        **{"x-example": EXAMPLE | {"body": {"overlap_hours": 24}}},
    )
    return with_status(rotated, 201, "The key, which is new.")


def one_key() -> Schema:
    return operation("one-key", "One key.", KeyItem, 404, parameters=[ID, WORKSPACE], **{"x-example": EXAMPLE})


def change_key() -> Schema:
    return operation(
        "change-key",
        "Changes the name or the end of a key that works; what is left out keeps its value.",
        KeyItem,
        *(*WITH_BODY, 404, 409),
        description=ONLY_OWNERS,
        parameters=[ID, WORKSPACE],
        requestBody=body(KeyChanges, {"name": "checkout agent"}, is_update=True),
        **{"x-example": EXAMPLE | {"body": {"name": "checkout agent"}}},
    )


def revoke_key() -> Schema:
    revoked = operation(
        "revoke-key",
        "Revokes a key: from the next request on it is refused.",
        KeyItem,
        404,
        description=ONLY_OWNERS,
        parameters=[ID, WORKSPACE],
        **{"x-example": EXAMPLE},
    )
    return without_answer(revoked, "It is revoked.")
