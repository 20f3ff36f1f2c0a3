"""Makes, revokes and rotates the API keys of a workspace, and records who did it."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from web.problems import Problem
from workspaces import audit
from workspaces.models import ApiKey, Workspace

MOST_VALID = 500
"""Of a workspace, so that no program fills the table."""
MOST_ENDED = 200
"""How many revoked or expired keys are listed: the newest ones."""
DEFAULT_OVERLAP_HOURS = 24
MOST_OVERLAP_HOURS = 30 * 24


class NewKey(NamedTuple):
    key: ApiKey
    secret: str
    """It is stored nowhere, so this is the only time that anybody sees it."""


def valid_keys(workspace: Workspace) -> QuerySet[ApiKey]:
    return workspace.api_keys.filter(revoked_at=None).filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()))


def listed_keys(workspace: Workspace) -> list[ApiKey]:
    """Returns all keys that work, then the newest of those that do not."""
    valid = list(valid_keys(workspace).select_related("replaced_by"))
    ended = workspace.api_keys.exclude(pk__in=[key.pk for key in valid]).select_related("replaced_by")
    return [*valid, *ended[:MOST_ENDED]]


def find_key(workspace: Workspace, key_id: UUID) -> ApiKey:
    key = workspace.api_keys.filter(pk=key_id).select_related("replaced_by").first()
    if key is None:
        raise Problem(404, "There is no such key in this workspace.")
    return key


@transaction.atomic
def create_key(workspace: Workspace, name: str, scopes: list[str], expires_at: datetime | None, actor: str) -> NewKey:
    check_room(workspace)
    made = NewKey(*ApiKey.objects.issue(workspace, name, scopes, expires_at, created_by=actor))
    audit.record(workspace, actor, "key.create", subject_of(made.key), None, facts_of(made.key))
    return made


def check_room(workspace: Workspace) -> None:
    # The row of the workspace is the lock: otherwise two requests could go past the limit together.
    Workspace.objects.select_for_update().get(pk=workspace.pk)
    if valid_keys(workspace).count() >= MOST_VALID:
        raise Problem(409, f"A workspace has at most {MOST_VALID} valid keys. Revoke some that nobody uses.")


@transaction.atomic
def change_key(workspace: Workspace, key_id: UUID, changes: dict[str, Any], actor: str) -> ApiKey:
    """Changes the name or the end of a key that works. Scopes never change: make another key."""
    key = locked(workspace, key_id)
    check_valid(key)
    before = facts_of(key)
    for name, value in changes.items():
        setattr(key, name, value)
    key.save(update_fields=[*changes])
    audit.record(workspace, actor, "key.change", subject_of(key), before, facts_of(key))
    return find_key(workspace, key_id)


@transaction.atomic
def revoke_key(workspace: Workspace, key_id: UUID, actor: str) -> ApiKey:
    """Revokes the key from now on. A second time it changes nothing."""
    key = locked(workspace, key_id)
    if key.revoked_at is None:
        before = facts_of(key)
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])
        audit.record(workspace, actor, "key.revoke", subject_of(key), before, facts_of(key))
    return find_key(workspace, key_id)


@transaction.atomic
def rotate_key(workspace: Workspace, key_id: UUID, overlap: timedelta, actor: str) -> NewKey:
    """Makes a key that takes the place of this one, which works until the overlap is over.

    The new key has the same name and scopes, and is valid as long as this one was from its start.
    """
    check_room(workspace)
    old = locked(workspace, key_id)
    check_valid(old)
    if old.replaced_by is not None and old.replaced_by.is_valid:
        raise Problem(409, f"{subject_of(old.replaced_by)} takes the place of this key already. Rotate that one.")
    now, before = timezone.now(), facts_of(old)
    expires_at = now + (old.expires_at - old.created_at) if old.expires_at else None
    made = NewKey(*ApiKey.objects.issue(workspace, old.name, sorted(old.scopes), expires_at, created_by=actor))
    old.expires_at, old.replaced_by = min(filter(None, (old.expires_at, now + overlap))), made.key
    old.save(update_fields=["expires_at", "replaced_by"])
    audit.record(workspace, actor, "key.rotate", subject_of(old), before, facts_of(made.key))
    return made


def locked(workspace: Workspace, key_id: UUID) -> ApiKey:
    """Returns the key, which nobody else changes until the transaction ends."""
    key = workspace.api_keys.select_for_update().filter(pk=key_id).first()
    if key is None:
        raise Problem(404, "There is no such key in this workspace.")
    return key


def check_valid(key: ApiKey) -> None:
    if not key.is_valid:
        raise Problem(409, f"This key is {key.state}. Make a new one.")


def subject_of(key: ApiKey) -> str:
    return f"{key.name} ({key.prefix}…)"


def facts_of(key: ApiKey) -> dict[str, Any]:
    """Returns what the audit shows of a key: never its secret or digest."""
    return {
        "name": key.name,
        "prefix": key.prefix,
        "scopes": sorted(key.scopes),
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }
