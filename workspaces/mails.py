"""The message that invites somebody to a workspace."""

from datetime import UTC, datetime

from web.addresses import public_address
from web.mail.templates import Context, MailTemplate, register
from workspaces.invitation_tokens import token_of
from workspaces.models import Invitation


def context(invitation_id: str) -> Context | None:
    """Returns what the message shows; None where the invitation does not work any more."""
    found = Invitation.objects.select_related("workspace", "invited_by").filter(pk=invitation_id).first()
    token = token_of(found) if found and found.state == "open" else None
    if found is None or token is None:
        return None
    inviter = found.invited_by.get_username() if found.invited_by else ""
    return shown(found.workspace.name, found.role, inviter, token, found.expires_at)


def shown(workspace: str, role: str, inviter: str, token: str, expires_at: datetime) -> Context:
    return {
        "workspace": workspace,
        "role": role,
        "inviter": inviter,
        "url": public_address("invitation", token),
        # As text, since a message has no reader whose zone is known.
        "expires": f"{expires_at.astimezone(UTC):%-d %b %Y, %H:%M} UTC",
    }


def sample() -> Context:
    return shown("Acme", "editor", "ada", "aop_invite-sample", datetime(2026, 12, 4, 9, 30, tzinfo=UTC))


INVITED = register(MailTemplate("invited", "Invitation", context=context, sample=sample))
