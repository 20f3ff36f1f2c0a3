"""Changes the address of an account once it is confirmed at the old address and at the new one."""

from datetime import timedelta
from typing import Any, Literal

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from accounts.mails import CONFIRM
from accounts.models import EmailChange
from accounts.notices import send_notice
from accounts.tokens import CONFIRMATION_LASTS
from web import mail

Outcome = Literal["waits", "changed", "gone"]
BEGUN_EVERY = timedelta(minutes=1)


def pending(user: Any) -> EmailChange | None:
    return EmailChange.objects.filter(user=user, created_at__gt=timezone.now() - CONFIRMATION_LASTS).first()


@transaction.atomic
def begin(user: Any, address: str) -> str:
    """Sends a link to each address. Returns in words why not; nothing where it has."""
    # Of two requests at once the second one finds the change of the first.
    user = get_user_model().objects.select_for_update().get(pk=user.pk)
    if fault := fault_of(user, address):
        return fault
    EmailChange.objects.filter(user=user).delete()
    change = EmailChange.objects.create(user=user, old_address=user.email, new_address=address)
    for side, to in (("old", user.email), ("new", address)):
        if to:
            mail.send(CONFIRM, to=to, key=f"email-change-{change.pk}-{side}", change_id=str(change.pk), side=side)
    return ""


def fault_of(user: Any, address: str) -> str:
    if not mail.is_on():
        return "This installation sends no email, so an address cannot be confirmed. Its operator can set it."
    try:
        validate_email(address)
    except ValidationError:
        return "This is no email address."
    if address == user.email:
        return "This is your address already."
    newest = pending(user)
    if newest and timezone.now() - newest.created_at < BEGUN_EVERY:
        return "The messages of a minute ago are on their way. Wait a minute before you ask for others."
    return ""


@transaction.atomic
def confirm(change: EmailChange, side: str) -> Outcome:
    """Records the confirmation of one side. The last one changes the address, and the links are of no use any more."""
    user = get_user_model().objects.select_for_update().get(pk=change.user_id)
    waiting = EmailChange.objects.select_for_update().filter(pk=change.pk).first()
    if waiting is None or user.email != waiting.old_address:
        return "gone"
    change = waiting
    name = "old_confirmed_at" if side == "old" else "new_confirmed_at"
    setattr(change, name, timezone.now())
    change.save(update_fields=[name])
    if not change.new_confirmed_at or (change.old_address and not change.old_confirmed_at):
        return "waits"
    complete(change, user)
    return "changed"


def complete(change: EmailChange, user: Any) -> None:
    send_notice(user, "email_changed")  # to the old address
    user.email = change.new_address
    user.save(update_fields=["email"])
    change.delete()
