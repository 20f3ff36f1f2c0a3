"""Makes workspaces, and changes their name and time zone."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import transaction

from web.problems import FieldError, Problem
from workspaces.access import may_create
from workspaces.audit import record
from workspaces.members import lock_as_owner
from workspaces.models import Membership, Role, Workspace


@transaction.atomic
def change(workspace: Workspace, user: Any, **values: str) -> Workspace:
    """Gives the workspace a new `name` or `time_zone`, or raises a 422 Problem."""
    lock_as_owner(workspace, user)
    found = Workspace.objects.get(pk=workspace.pk)
    before = values_of(found)
    for name, value in values.items():
        setattr(found, name, value)
    if values_of(found) == before:
        return found  # Saving would make everything stale that is cached.
    check(found)
    found.save()
    record(found, user.get_username(), "workspace.change", found.name, before, values_of(found))
    return found


@transaction.atomic
def create(user: Any, name: str, time_zone: str) -> Workspace:
    """Makes a workspace, whose owner the user is. Raises a 403 Problem for a user who may not make another one."""
    # Two requests at once must not make one workspace too many.
    get_user_model().objects.select_for_update(no_key=True).get(pk=user.pk)
    if not may_create(user):
        raise Problem(403, "You may not make another workspace. Ask an administrator of this installation.")
    workspace = Workspace(name=name, time_zone=time_zone, created_by=user)
    check(workspace)
    workspace.save(force_insert=True)
    Membership.objects.create(workspace=workspace, user=user, role=Role.OWNER)
    record(workspace, user.get_username(), "workspace.create", workspace.name, after=values_of(workspace))
    return workspace


def check(workspace: Workspace) -> None:
    try:
        workspace.full_clean(exclude=["created_by"])
    except ValidationError as error:
        errors: list[FieldError] = [
            {"loc": ["body", name], "msg": " ".join(messages)} for name, messages in error.message_dict.items()
        ]
        raise Problem(422, "The workspace is not valid.", errors) from error


def values_of(workspace: Workspace) -> dict[str, str]:
    return {"name": workspace.name, "time_zone": workspace.time_zone}
