"""Changes and removes members. An owner always stays, also when two requests remove the last two at once."""

from typing import Any

from django.db import transaction

from web.problems import Problem
from workspaces.access import access_of_member
from workspaces.audit import record
from workspaces.models import RANKS, Membership, Role, Workspace

LAST_OWNER = "The last owner stays: make another member owner first."


def lock_as_owner(workspace: Workspace, user: Any) -> None:
    """Makes other changes of the members wait until the transaction ends.

    Raises a 403 Problem where the user has meanwhile lost the right to make one.
    """
    lock(workspace)
    access = access_of_member(user, workspace.pk)
    if access is None or "manage" not in access.scopes:
        raise Problem(403, "Only owners of the workspace may do this.")


def lock(workspace: Workspace) -> None:
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)


def find(workspace: Workspace, member_id: int) -> Membership:
    """Returns the member, or raises the same 404 Problem whether another workspace has it or none."""
    member = Membership.named.filter(workspace=workspace, pk=member_id).first()
    if member is None:
        raise Problem(404, "There is no such member in this workspace.")
    return member


@transaction.atomic
def change_role(workspace: Workspace, member_id: int, role: str, user: Any) -> Membership:
    lock_as_owner(workspace, user)
    member = find(workspace, member_id)
    if role != Role.OWNER:
        check_other_owner(member)
    before, member.role = member.role, role
    member.save()
    record(workspace, user.get_username(), "member.change", str(member.user), {"role": before}, {"role": role})
    return member


@transaction.atomic
def remove(workspace: Workspace, member_id: int, user: Any) -> None:
    """Removes a member, who is refused at the next request. Everybody may remove themselves."""
    lock(workspace)
    member = find(workspace, member_id)
    is_leaving = member.user_id == user.pk
    if not is_leaving:
        lock_as_owner(workspace, user)
    check_other_owner(member)
    member.delete()
    action = "member.leave" if is_leaving else "member.remove"
    record(workspace, user.get_username(), action, str(member.user), before={"role": member.role})


def check_other_owner(member: Membership) -> None:
    """Raises a 409 Problem for the last owner who can sign in."""
    owners = Membership.objects.filter(workspace=member.workspace_id, role=Role.OWNER, user__is_active=True)
    if member.role == Role.OWNER and not owners.exclude(pk=member.pk).exists():
        raise Problem(409, LAST_OWNER)


def rank(user: Any, workspace: Workspace) -> int:
    """Returns how much the user may do in the workspace now; -1 for nothing."""
    if not user or not user.is_active:
        return -1
    if user.is_superuser:
        return RANKS[Role.OWNER]
    member = Membership.objects.filter(workspace=workspace, user=user).first()
    return RANKS[member.role] if member else -1
