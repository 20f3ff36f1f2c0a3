"""Describes the endpoint of content and privacy for the API document."""

from analytics.openapi import WITH_BODY, Schema
from analytics.operation_parts import body
from settings.content.items import ContentChanges, ContentSettings
from settings.document_parts import ONLY_OWNERS, operation

EDITORS_ONLY = {"visible_to": "editors"}


def operations() -> dict[str, Schema]:
    return {"/api/v1/settings/content": {"get": read_content(), "patch": change_content()}}


def read_content() -> Schema:
    return operation(
        "content-settings", "Whether prompts and answers are stored, how long, and who reads them.", ContentSettings
    )


def change_content() -> Schema:
    return operation(
        "change-content-settings",
        "Changes whether content is stored from now on, and who reads what is stored.",
        ContentSettings,
        *WITH_BODY,
        description=ONLY_OWNERS,
        requestBody=body(ContentChanges, EDITORS_ONLY, is_update=True),
        **{"x-example": {"body": EDITORS_ONLY}},
    )
