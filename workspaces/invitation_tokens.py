"""Makes the tokens in the links of invitations.

A token is a keyed hash of the invitation and its salt. So the worker that sends the link can make it again, while the
database holds only a hash of the token: who reads the database without SECRET_KEY can accept nothing.
"""

import secrets
from hashlib import sha256

from web.keyed_digests import keyed_digests
from workspaces.models import Invitation

# It begins like a key, so that everything that masks keys in logs masks it too.
START = "aop_invite-"


def new_token(invitation: Invitation) -> str:
    """Gives the invitation a new token, and returns it. An older one opens nothing any more."""
    invitation.salt = secrets.token_hex(16)
    token = tokens(invitation)[0]
    invitation.digest = digest(token)
    return token


def token_of(invitation: Invitation) -> str | None:
    """Returns the token that opens the invitation now; None where its SECRET_KEY is no longer listed."""
    return next((token for token in tokens(invitation) if digest(token) == invitation.digest), None)


def tokens(invitation: Invitation) -> list[str]:
    """Returns the token under SECRET_KEY, and those under older keys."""
    return [START + one for one in keyed_digests("workspaces.Invitation", f"{invitation.pk}:{invitation.salt}")]


def digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
