"""The messages of accounts. Links hold tokens that are made when the message is sent; the queue holds ids only."""

from typing import Any

from django.contrib.auth import get_user_model

from accounts.models import EmailChange
from accounts.tokens import confirmation_token, reset_token
from web.addresses import public_address
from web.mail.templates import Context, MailTemplate, register

NOTICES = {
    "password_changed": "Your password was changed",
    "email_changed": "Your email address was changed",
    "totp_activated": "An authenticator app was added",
    "totp_deactivated": "The authenticator app was removed",
    "webauthn_added": "A passkey was added",
    "webauthn_removed": "A passkey was removed",
    "recovery_codes_generated": "New recovery codes were made",
    "account_connected": "A sign-in with the company's provider was connected",
}
"""What a message about a change says, by the name that django-allauth gives the change."""


def link(route: str, token: str) -> str:
    return public_address(route, token=token)


def active_user(user_id: int) -> Any:
    return get_user_model().objects.filter(pk=user_id, is_active=True).first()


def reset_context(user_id: int) -> Context | None:
    user = active_user(user_id)
    if user is None or not user.has_usable_password():
        return None
    return {"name": user.get_username(), "url": link("reset-password", reset_token(user))}


def confirmation_context(change_id: str, side: str) -> Context | None:
    change = EmailChange.objects.select_related("user").filter(pk=change_id).first()
    if change is None:
        return None
    url = link("confirm-email", confirmation_token(change, side))
    return shown_confirmation(change.user.get_username(), change.new_address, side, url)


def shown_confirmation(name: str, new_address: str, side: str, url: str) -> Context:
    return {"name": name, "new_address": new_address, "is_old": side == "old", "url": url}


def notice_context(user_id: int, change: str) -> Context | None:
    user = active_user(user_id)
    return None if user is None else shown_notice(user.get_username(), change)


def shown_notice(name: str, change: str) -> Context:
    return {"name": name, "change": NOTICES[change], "url": public_address("settings-security")}


RESET = register(
    MailTemplate(
        "reset_password",
        "Password reset",
        context=reset_context,
        sample=lambda: {"name": "ada", "url": link("reset-password", "sample")},
    )
)
CONFIRM = register(
    MailTemplate(
        "confirm_email",
        "Change of the email address",
        context=confirmation_context,
        sample=lambda: shown_confirmation("ada", "ada@example.com", "new", link("confirm-email", "sample")),
    )
)
NOTICE = register(
    MailTemplate(
        "account_notice",
        "Change of an account",
        context=notice_context,
        sample=lambda: shown_notice("ada", "password_changed"),
    )
)
