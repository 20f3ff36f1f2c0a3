"""The background work of accounts."""

from datetime import timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db.models import Q
from django.utils import timezone

from accounts.adapters import SECOND_FACTORS
from accounts.mails import RESET
from accounts.models import EmailChange, Profile, ProviderAccess, SignedInSession
from accounts.oidc import renewal
from accounts.tokens import CONFIRMATION_LASTS
from web import mail
from web.clock import check_clocks
from web.queue import for_each, task

RESETS_EVERY = timedelta(minutes=2)
SEALED = ("secret", "seed")
"""What is encrypted in a second factor: the secret of an authenticator app, the seed of recovery codes."""


@task("accounts.send_resets")
def send_resets(address: str) -> None:
    """Sends a link for a new password to each account with this address."""
    accounts = get_user_model().objects.filter(email__iexact=address, is_active=True).exclude(email="")
    for_each([user for user in accounts if user.has_usable_password()], send_reset)


def send_reset(user: Any) -> None:
    """Sends one at most every two minutes. It goes to the address of the account, never to the one that was typed."""
    now = timezone.now()
    Profile.objects.get_or_create(user=user)
    due = Profile.objects.filter(Q(reset_sent_at=None) | Q(reset_sent_at__lt=now - RESETS_EVERY), user=user)
    if due.update(reset_sent_at=now):
        mail.send(RESET, to=user.email, key=f"reset-{user.pk}-{now.timestamp():.0f}", user_id=user.pk)


@task("accounts.renew_groups")
def renew_groups(due_at: str) -> None:
    """Asks the provider of the sign-in whether people are still in the groups that give them access."""
    for_each(list(renewal.to_ask_about()), renewal.ask_again)


@task("accounts.delete_old_records")
def delete_old_records(due_at: str) -> None:
    """Deletes ended sessions from people's lists, and changes of addresses that nobody has confirmed."""
    check_clocks(due_at)
    SignedInSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    EmailChange.objects.filter(created_at__lt=timezone.now() - CONFIRMATION_LASTS).delete()


@task("accounts.encrypt_secrets")
def encrypt_secrets(due_at: str) -> None:
    """Encrypts second factors and tokens anew that one of SECRET_KEY_FALLBACKS has encrypted."""
    for_each(Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN).iterator(), encrypt_factor)
    for_each(ProviderAccess.objects.exclude(sealed_tokens="").iterator(), encrypt_tokens)


def encrypt_factor(factor: Authenticator) -> None:
    for name in SEALED:
        if name in factor.data and SECOND_FACTORS.is_of_older_key(factor.data[name]):
            factor.data[name] = SECOND_FACTORS.close(SECOND_FACTORS.open(factor.data[name]))
            factor.save(update_fields=["data"])


def encrypt_tokens(access: ProviderAccess) -> None:
    if renewal.TOKENS.is_of_older_key(access.sealed_tokens):
        access.sealed_tokens = renewal.TOKENS.close(renewal.TOKENS.open(access.sealed_tokens))
        access.save(update_fields=["sealed_tokens"])
