"""Makes, sends, revokes and accepts invitations."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from web import mail
from web.problems import Problem
from workspaces.audit import record
from workspaces.invitation_tokens import digest, new_token
from workspaces.mails import INVITED
from workspaces.members import lock, lock_as_owner, rank
from workspaces.models import RANKS, Invitation, Membership, Role, Workspace

DEFAULT_DAYS, MOST_DAYS = 7, 30
MOST_OPEN = 100
"""Of a workspace."""
MOST_A_DAY, MOST_TIMES_SENT = 50, 5
"""Messages of a workspace in 24 hours, and of an invitation, so that nobody floods strangers."""
NOT_VALID = "This invitation is not valid. Ask for a new one."


class InvitationRefused(Exception):
    """The invitation cannot be accepted. The text says why in a sentence."""


# --- What owners do ---


def find(workspace: Workspace, invitation_id: UUID) -> Invitation:
    """Returns the invitation, or raises the same 404 Problem whether another workspace has it or none."""
    invitation = Invitation.objects.filter(workspace=workspace, pk=invitation_id).first()
    if invitation is None:
        raise Problem(404, "There is no such invitation in this workspace.")
    return invitation


@transaction.atomic
def create(workspace: Workspace, email: str, role: str, days: int, user: Any) -> tuple[Invitation, str | None]:
    """Makes an invitation. With an address it sends the link there, else it returns the token for the inviter."""
    lock_as_owner(workspace, user)
    check_rank(workspace, role, user)
    check_address(workspace, email)
    if open_invitations(workspace).count() >= MOST_OPEN:
        raise Problem(422, f"A workspace has at most {MOST_OPEN} open invitations. Revoke some first.")
    expires_at = timezone.now() + timedelta(days=days)
    invitation = Invitation(workspace=workspace, email=email, role=role, invited_by=user, expires_at=expires_at)
    token = new_token(invitation)
    invitation.save(force_insert=True)
    record(workspace, user.get_username(), "invitation.create", str(invitation), after=values_of(invitation))
    if not email:
        return invitation, token
    send(invitation)
    return invitation, None


@transaction.atomic
def send_again(workspace: Workspace, invitation_id: UUID, user: Any) -> tuple[Invitation, str | None]:
    """Makes a new link, which works as long again as the first one did. The link before stops working."""
    lock_as_owner(workspace, user)
    invitation = find(workspace, invitation_id)
    if invitation.state not in ("open", "expired"):
        raise Problem(409, f"The invitation is {invitation.state}. Make a new one.")
    check_rank(workspace, invitation.role, user)
    now = timezone.now()
    invitation.expires_at = now + (invitation.expires_at - invitation.created_at)
    invitation.created_at, invitation.invited_by = now, user
    token = new_token(invitation)
    invitation.save()
    record(workspace, user.get_username(), "invitation.send", str(invitation), after=values_of(invitation))
    if not invitation.email:
        return invitation, token
    send(invitation)
    return invitation, None


@transaction.atomic
def revoke(workspace: Workspace, invitation_id: UUID, user: Any) -> Invitation:
    lock_as_owner(workspace, user)
    invitation = find(workspace, invitation_id)
    if invitation.state == "accepted":
        raise Problem(409, "The invitation is accepted already. Remove the member instead.")
    if invitation.revoked_at is None:
        invitation.revoked_at = timezone.now()
        invitation.save()
        record(workspace, user.get_username(), "invitation.revoke", str(invitation), before=values_of(invitation))
    return invitation


def send(invitation: Invitation) -> None:
    """Puts the message into the queue, or raises a 409 or 429 Problem."""
    if not mail.is_on():
        raise Problem(409, "This server sends no email. Leave out the address, and pass the link on yourself.")
    day = timezone.now() - timedelta(days=1)
    sent = Invitation.objects.filter(workspace=invitation.workspace_id, sent_at__gt=day)
    if (sent.aggregate(messages=Sum("times_sent"))["messages"] or 0) >= MOST_A_DAY:
        detail = f"A workspace sends at most {MOST_A_DAY} invitations in 24 hours. Try again tomorrow."
        raise Problem(429, detail, headers={"Retry-After": "3600"})
    if invitation.times_sent >= MOST_TIMES_SENT:
        raise Problem(429, f"It was sent {MOST_TIMES_SENT} times. Revoke it, and pass a link on yourself.")
    invitation.sent_at, invitation.times_sent = timezone.now(), invitation.times_sent + 1
    invitation.save()
    key = f"invitation-{invitation.pk}-{invitation.times_sent}"
    mail.send(INVITED, to=invitation.email, key=key, invitation_id=str(invitation.pk))


def check_rank(workspace: Workspace, role: str, user: Any) -> None:
    if RANKS[role] > rank(user, workspace):
        raise Problem(403, "Nobody invites a member with more rights than their own.")


def check_address(workspace: Workspace, email: str) -> None:
    if not email:
        return
    if Membership.objects.filter(workspace=workspace, user__email__iexact=email).exists():
        raise invalid("email", "a member has this address already")
    if open_invitations(workspace).filter(email__iexact=email).exists():
        raise invalid("email", "there is an open invitation for this address: send it again, or revoke it")


def invalid(field: str, message: str) -> Problem:
    return Problem(422, "The invitation is not valid.", [{"loc": ["body", field], "msg": message}])


def open_invitations(workspace: Workspace) -> Any:
    return Invitation.objects.filter(
        workspace=workspace, accepted_at=None, revoked_at=None, expires_at__gt=timezone.now()
    )


def values_of(invitation: Invitation) -> dict[str, Any]:
    return {"email": invitation.email, "role": invitation.role, "expires_at": invitation.expires_at}


# --- What the invited do ---


def find_by_token(token: str) -> Invitation:
    """Returns the invitation that the token opens, or raises InvitationRefused."""
    found = Invitation.objects.select_related("workspace", "invited_by").filter(digest=digest(token)).first()
    if found is None:
        raise InvitationRefused(NOT_VALID)
    check_open(found)
    return found


def check_open(invitation: Invitation) -> None:
    """Raises InvitationRefused where it is accepted, revoked or expired, or its inviter may not invite any more."""
    if invitation.state == "accepted":
        raise InvitationRefused("This invitation was accepted already: it works once. Ask for a new one.")
    if invitation.state == "revoked":
        raise InvitationRefused("This invitation was revoked. Ask for a new one.")
    if invitation.state == "expired":
        raise InvitationRefused("This invitation has expired. Ask for a new one.")
    # Owners alone invite, and nobody invites a member with more rights than their own.
    if rank(invitation.invited_by, invitation.workspace) < RANKS[Role.OWNER]:
        raise InvitationRefused("Whoever invited you is no owner of the workspace any more. Ask for a new invitation.")


@transaction.atomic
def accept(token: str, user: Any) -> Membership:
    """Makes the user a member, or raises InvitationRefused. Of two requests at once only one is served."""
    invitation = find_by_token(token)
    lock(invitation.workspace)
    invitation = find_by_token(token)
    if Membership.objects.filter(workspace=invitation.workspace, user=user).exists():
        raise InvitationRefused("You are a member of this workspace already. The invitation was not used.")
    member = Membership.objects.create(workspace=invitation.workspace, user=user, role=invitation.role)
    invitation.accepted_at, invitation.accepted_by = timezone.now(), user
    invitation.save()
    record(
        *(invitation.workspace, user.get_username(), "invitation.accept", str(invitation)),
        after={"user": user.get_username(), "role": invitation.role},
    )
    return member
