"""Gives people the memberships of their groups at the provider, and takes them away with the group.

A membership that somebody gave by hand stays as it is: groups neither change nor end it.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import GroupGrant
from accounts.oidc.provider import provider
from workspaces import audit
from workspaces.models import Membership, Role, Workspace

RANKS = {Role.VIEWER: 0, Role.EDITOR: 1, Role.OWNER: 2}
ACTOR = "the provider's groups"


@transaction.atomic
def synchronize(user: Any, groups: Iterable[str]) -> None:
    """Makes the memberships of a person those that the groups give."""
    wanted = roles_by_workspace(groups)
    granted = GroupGrant.objects.select_related("membership__workspace", "membership__user")
    for grant in granted.filter(membership__user=user).select_for_update(of=("self",)):
        workspace_id = grant.membership.workspace_id
        if workspace_id in wanted:
            change(grant, *wanted[workspace_id])
        else:
            remove(grant.membership)
    by_hand = Membership.objects.filter(user=user).values_list("workspace_id", flat=True)
    for workspace in Workspace.objects.filter(pk__in=wanted.keys() - set(by_hand)):
        give(user, workspace, *wanted[workspace.pk])


def roles_by_workspace(groups: Iterable[str]) -> dict[UUID, tuple[str, str]]:
    """Returns the highest role that the groups give in each workspace, with the group that gives it."""
    found: dict[UUID, tuple[str, str]] = {}
    for group in sorted(set(groups) & provider().groups.keys()):
        for rule in provider().groups[group]:
            if rule.workspace not in found or RANKS[Role(rule.role)] > RANKS[Role(found[rule.workspace][0])]:
                found[rule.workspace] = (rule.role, group)
    return found


def give(user: Any, workspace: Workspace, role: str, group: str) -> None:
    membership = Membership.objects.create(user=user, workspace=workspace, role=role)
    GroupGrant.objects.create(membership=membership, group=group)
    audit.record(workspace, ACTOR, "member.add", user.get_username(), after={"role": role, "group": group})


def change(grant: GroupGrant, role: str, group: str) -> None:
    membership = grant.membership
    before = {"role": membership.role, "group": grant.group}
    membership.role, grant.group = role, group
    membership.save(update_fields=["role"])
    grant.save(update_fields=["group"])
    name = membership.user.get_username()
    audit.record(membership.workspace, ACTOR, "member.change", name, before, {"role": role, "group": group})


def remove(membership: Membership) -> None:
    name, role = membership.user.get_username(), membership.role
    audit.record(membership.workspace, ACTOR, "member.remove", name, before={"role": role})
    membership.delete()
