"""Describes the endpoints of general settings, members, invitations and the audit for the API document."""

from typing import Any

from analytics.openapi import WITH_BODY, WORKSPACE, Schema, or_csv
from analytics.operation_parts import body, in_path, query_of, with_status, without_answer
from settings.api import MemberQuery
from settings.audit import AuditList, AuditQuery
from settings.bodies import GeneralChanges, MemberChanges, NewInvitation
from settings.document_parts import ONLY_OWNERS, operation
from settings.items import General, InvitationItem, InvitationList, Member, MemberList, NewInvitationItem

SETTINGS = "/api/v1/settings"
CHANGES = {"name": "Acme", "time_zone": "Europe/Berlin"}
INVITATION: dict[str, Any] = {"role": "editor", "expires_in_days": 7}


MEMBER_ID = in_path("member_id", "The member's id.", {"type": "integer", "minimum": 1})
INVITATION_ID = in_path("invitation_id", "The invitation's id.")
EXAMPLE_MEMBER: dict[str, Any] = {"path": {"member_id": 1_000_001}}
EXAMPLE_INVITATION = {"path": {"invitation_id": "5f0c7f0e-3b7e-4d39-8a55-0d3f6f0c1a25"}}


def operations() -> dict[str, Schema]:
    """Returns the operations by path. Whatever deletes the example comes last, since a test runs them in this order."""
    return {
        SETTINGS: {"get": read_general(), "patch": change_general()},
        f"{SETTINGS}/members": {"get": list_members()},
        f"{SETTINGS}/members/{{member_id}}": {"patch": change_member(), "delete": remove_member()},
        f"{SETTINGS}/invitations": {"get": list_invitations(), "post": invite()},
        f"{SETTINGS}/invitations/{{invitation_id}}/send": {"post": send_again()},
        f"{SETTINGS}/invitations/{{invitation_id}}": {"delete": revoke()},
        f"{SETTINGS}/audit": {"get": list_audit()},
    }


def read_general() -> Schema:
    return operation("general-settings", "The workspace: its name, its zone, and what arrives from where.", General)


def change_general() -> Schema:
    return operation(
        "change-general-settings",
        "Changes the name or the zone of the workspace.",
        General,
        *WITH_BODY,
        description=ONLY_OWNERS,
        requestBody=body(GeneralChanges, CHANGES, is_update=True),
        **{"x-example": {"body": CHANGES}},
    )


def list_members() -> Schema:
    return operation(
        "list-members",
        "The members of the workspace and their roles, 100 at once.",
        MemberList,
        description="Only owners see addresses.",
        parameters=[WORKSPACE, *query_of(MemberQuery)],
    )


def change_member() -> Schema:
    return operation(
        "change-member",
        "Changes the role of a member. The last owner stays owner.",
        Member,
        *(*WITH_BODY, 404, 409),
        description=ONLY_OWNERS,
        parameters=[MEMBER_ID, WORKSPACE],
        requestBody=body(MemberChanges, {"role": "editor"}),
        **{"x-example": EXAMPLE_MEMBER | {"body": {"role": "editor"}}},
    )


def remove_member() -> Schema:
    removed = operation(
        "remove-member",
        "Removes a member, who is refused from the next request on. The last owner stays.",
        Member,
        *(404, 409),
        description="Owners remove anybody, everybody removes themselves. Both sign in for it: no API key is enough.",
        parameters=[MEMBER_ID, WORKSPACE],
        **{"x-example": EXAMPLE_MEMBER},
    )
    return without_answer(removed, "The member is removed.")


def list_invitations() -> Schema:
    return operation(
        "list-invitations",
        "The invitations to the workspace and what became of them.",
        InvitationList,
        description=ONLY_OWNERS,
    )


def invite() -> Schema:
    made = operation(
        "create-invitation",
        "Invites somebody: by email, or by a link that the answer shows once.",
        NewInvitationItem,
        *(*WITH_BODY, 409, 429),
        description=ONLY_OWNERS,
        requestBody=body(NewInvitation, INVITATION),
        **{"x-example": {"body": INVITATION}},
    )
    return with_status(made, 201, "The invitation, which is new.")


def send_again() -> Schema:
    return operation(
        "send-invitation",
        "Makes a new link for an invitation and sends it again. The link before stops working.",
        NewInvitationItem,
        *(404, 409, 429),
        description=ONLY_OWNERS,
        parameters=[INVITATION_ID, WORKSPACE],
        **{"x-example": EXAMPLE_INVITATION},
    )


def revoke() -> Schema:
    revoked = operation(
        "revoke-invitation",
        "Revokes an invitation: its link stops working at once.",
        InvitationItem,
        *(404, 409),
        description=ONLY_OWNERS,
        parameters=[INVITATION_ID, WORKSPACE],
        **{"x-example": EXAMPLE_INVITATION},
    )
    return without_answer(revoked, "It is revoked.")


def list_audit() -> Schema:
    listed = operation(
        "list-audit",
        "Who changed what in the workspace, the newest first, with the values before and after.",
        AuditList,
        description="Owners read it, and keys with the scope read.",
        parameters=[WORKSPACE, *query_of(AuditQuery)],
        **{"x-example": {"query": "action=member&limit=20"}},
    )
    listed["responses"]["200"]["content"] = or_csv(listed["responses"]["200"]["content"])
    return listed
