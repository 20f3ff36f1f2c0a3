"""Says whether prompts and answers are stored, how long, and who reads them; and changes it."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.conf import settings
from django.db import transaction
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from workspaces import audit
from workspaces.keys import valid_keys
from workspaces.models import Workspace

VisibleTo = Literal["members", "editors", "nobody"]
FIELDS = {"store_content": "store_content", "visible_to": "content_visible_to"}


class ContentSettings(TypedDict):
    store_content: bool
    """Whether the workspace stores the content of spans that arrive."""
    is_stored: bool
    """False too where the installation stores none, whatever the workspace says."""
    visible_to: VisibleTo
    """Who of the members reads stored content. A key also needs the scope content."""
    content_retention_days: int
    """Content is deleted after so many days, in the time zone of the workspace."""
    retention_days: int
    """Spans are deleted after so many days."""
    deleted_until: datetime | None
    """Content of spans before this moment is deleted already; null where that never happened."""
    keys_with_content: int
    """Valid keys that read content, while members do."""


class ContentChanges(BaseModel):
    """The fields to change. A field that is left out keeps its value."""

    model_config = ConfigDict(extra="forbid", strict=True)
    store_content: Annotated[bool, Field(description="Counts for spans that arrive from now on.")] = True
    visible_to: Annotated[VisibleTo, Field(description="Counts from the next request on.")] = "members"


def content_settings(workspace: Workspace) -> ContentSettings:
    return {
        "store_content": workspace.store_content,
        "is_stored": settings.STORE_CONTENT and workspace.store_content,
        "visible_to": workspace.content_visible_to,  # type: ignore[typeddict-item]
        "content_retention_days": settings.CONTENT_RETENTION_DAYS,
        "retention_days": settings.RETENTION_DAYS,
        "deleted_until": workspace.contents_deleted_until,
        "keys_with_content": valid_keys(workspace).filter(can_read_content=True).count(),
    }


@transaction.atomic
def change_content(workspace: Workspace, changes: ContentChanges, actor: str) -> Workspace:
    found = Workspace.objects.select_for_update().get(pk=workspace.pk)
    before = facts_of(found)
    for name, value in changes.model_dump(exclude_unset=True).items():
        setattr(found, FIELDS[name], value)
    found.save()
    audit.record(found, actor, "content.change", "content and privacy", before, facts_of(found))
    return found


def facts_of(workspace: Workspace) -> dict[str, Any]:
    return {name: getattr(workspace, field) for name, field in FIELDS.items()}
