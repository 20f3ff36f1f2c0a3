"""Finds or makes the account of a person who signs in by the provider for the first time."""

import re
import unicodedata
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from accounts import sessions
from accounts.oidc.claims import Claims, verified_email

NAME_LENGTH, USERNAME_LENGTH = 150, 150


@transaction.atomic
def account_for(claims: Claims) -> Any | None:
    """Returns the account to link: the one with this verified address, or a new one.

    None where an account has the address but must not be linked: the address is not verified, several have it, it is
    switched off, or its rights are more than those of a member.
    """
    named = accounts_with(claims.get("email"))
    if not named:
        return new_account(claims)
    [account, *others] = named
    if others or not verified_email(claims) or not account.is_active or account.is_staff or account.is_superuser:
        return None
    take_over(account)
    return account


def accounts_with(email: object) -> list[Any]:
    if not isinstance(email, str) or not email or "\0" in email:
        return []
    users = get_user_model().objects.select_for_update().filter(email__iexact=email)
    # PostgreSQL ignores the case of more letters than mail does: some look like ASCII and are not.
    return [user for user in users if folded(user.email) == folded(email)]


def folded(email: str) -> str:
    return unicodedata.normalize("NFKC", email).casefold()


def take_over(account: Any) -> None:
    """Ends what somebody may have prepared who made the account with an address that was not theirs."""
    account.set_unusable_password()
    account.save(update_fields=["password"])
    sessions.end_all(account)


def new_account(claims: Claims) -> Any:
    user = get_user_model()(username=free_username(claims), email=verified_email(claims))
    user.first_name, user.last_name = (short(claims.get(name)) for name in ("given_name", "family_name"))
    if not user.first_name and not user.last_name:
        user.first_name = short(claims.get("name"))
    user.set_unusable_password()
    user.save()
    return user


def short(text: object) -> str:
    return text.replace("\0", "")[:NAME_LENGTH] if isinstance(text, str) else ""


def free_username(claims: Claims) -> str:
    wanted = next((text for name in ("preferred_username", "email") if (text := short(claims.get(name)))), "")
    base = re.sub(r"[^\w.@+-]", "", wanted)[: USERNAME_LENGTH - 8] or "user"
    taken = set(get_user_model().objects.filter(username__istartswith=base).values_list("username", flat=True))
    names = (base if number == 1 else f"{base}{number}" for number in range(1, len(taken) + 2))
    lower = {name.lower() for name in taken}
    return next(name for name in names if name.lower() not in lower)
