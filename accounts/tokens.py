"""Makes and reads the tokens of links that are sent by email. Each is for one purpose, once, and for a time.

They stand in the query string of a link, which no log shows.
"""

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core import signing
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import EmailChange

RESET_LASTS = timedelta(hours=1)
CONFIRMATION_LASTS = timedelta(days=1)
SIGN_IN_LINK_LASTS = timedelta(minutes=15)


def state_digest(user: Any) -> str:
    """Digests the password, the address and the last sign-in: a token is of no use once one of them has changed."""
    state = f"{user.pk}\n{user.password}\n{user.email}\n{user.last_login}"
    return salted_hmac("accounts.tokens", state, algorithm="sha256").hexdigest()[:40]


def reset_token(user: Any) -> str:
    return token_of(user, "accounts.reset")


def user_to_reset(token: str) -> Any | None:
    return user_of(token, "accounts.reset", RESET_LASTS)


def sign_in_token(user: Any) -> str:
    return token_of(user, "accounts.sign_in")


def user_to_sign_in(token: str) -> Any | None:
    return user_of(token, "accounts.sign_in", SIGN_IN_LINK_LASTS)


def token_of(user: Any, purpose: str) -> str:
    return signing.dumps([user.pk, state_digest(user)], salt=purpose)


def user_of(token: str, purpose: str, lasts: timedelta) -> Any | None:
    """Returns the active user of a valid token that is not used yet."""
    try:
        user_id, digest = signing.loads(token, salt=purpose, max_age=lasts)
    except (signing.BadSignature, ValueError):
        return None
    user = get_user_model().objects.filter(pk=user_id, is_active=True).first()
    return user if user and constant_time_compare(state_digest(user), digest) else None


def confirmation_token(change: EmailChange, side: str) -> str:
    return signing.dumps([str(change.pk), side], salt="accounts.confirm_email")


def change_to_confirm(token: str) -> tuple[EmailChange, str] | None:
    """Returns the change with the side, `old` or `new`, that the token confirms.

    None where somebody else, like an administrator, has changed the address meanwhile.
    """
    try:
        change_id, side = signing.loads(token, salt="accounts.confirm_email", max_age=CONFIRMATION_LASTS)
    except (signing.BadSignature, ValueError):
        return None
    change = EmailChange.objects.select_related("user").filter(pk=change_id).first()
    return (change, side) if change and change.user.email == change.old_address else None
