"""Makes the tokens in the links of invitations.

A token is a keyed hash of the invitation and its salt. So the worker that sends the link can make it again, while the
database holds only a hash of the token: who reads the database without SECRET_KEY can accept nothing.
"""

import hmac
import secrets
from hashlib import sha256

from django.conf import settings

from workspaces.models import Invitation

# It begins like a key, so that everything that masks keys in logs masks it too.
START = "aop_invite-"


def new_token(invitation: Invitation) -> str:
    """Gives the invitation a new token, and returns it. An older one opens nothing any more."""
    invitation.salt = secrets.token_hex(16)
    token = token_under(invitation, settings.SECRET_KEY)
    invitation.digest = digest(token)
    return token


def token_of(invitation: Invitation) -> str | None:
    """Returns the token that opens the invitation now; None where the SECRET_KEY that made it is listed no more."""
    candidates = (token_under(invitation, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))
    return next((token for token in candidates if digest(token) == invitation.digest), None)


def token_under(invitation: Invitation, secret_key: str) -> str:
    message = f"{invitation.pk}:{invitation.salt}".encode()
    return START + hmac.new(f"workspaces.Invitation:{secret_key}".encode(), message, sha256).hexdigest()


def digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
