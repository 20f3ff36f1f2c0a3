"""Asks the provider again about people who are signed in: a group that was taken away ends access within an hour.

A job asks every ten minutes about those whose last answer is older than 25 minutes. Where it gets no answer, because
the provider is away or gives no tokens for that, the middleware ends the session an hour after the last answer.
"""

import logging
from datetime import timedelta
from typing import Any

import orjson
import requests
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import sessions
from accounts.models import GroupGrant, ProviderAccess, SignedInSession
from accounts.oidc import discovery, groups
from accounts.oidc.claims import groups_of, id_token_claims, together, userinfo
from accounts.oidc.provider import provider
from web.sealing import Seal, Unreadable

logger = logging.getLogger(__name__)

ASKED_AGAIN_AFTER = timedelta(minutes=25)
LASTS = timedelta(hours=1)
TOKENS = Seal(b"accounts.provider_tokens")
STORED = ("access_token", "refresh_token")


class Refused(Exception):
    """The provider no longer knows the sign-in: the person is gone, or was signed out there."""


def remember(user: Any, tokens: dict[str, Any]) -> None:
    """Stores that the provider has just answered, and the tokens to ask it again. Only groups need them."""
    kept = {name: tokens[name] for name in STORED if isinstance(tokens.get(name), str)}
    sealed = TOKENS.close(orjson.dumps(kept)) if kept and provider().groups else ""
    values = {"sealed_tokens": sealed, "checked_at": timezone.now()}
    ProviderAccess.objects.update_or_create(user=user, defaults=values)


def end_if_stale(request: HttpRequest) -> None:
    """Signs out who has access by a group that the provider has not confirmed for an hour."""
    if settings.OIDC is None or not provider().groups or not request.user.is_authenticated:
        return
    if depends_on_groups(request.user) and not is_fresh(request.user):
        logout(request)


def depends_on_groups(user: Any) -> bool:
    return GroupGrant.objects.filter(membership__user=user).exists()


def is_fresh(user: Any) -> bool:
    return ProviderAccess.objects.filter(user=user, checked_at__gt=timezone.now() - LASTS).exists()


def to_ask_about() -> QuerySet[ProviderAccess]:
    """Returns those who are signed in, have access by a group, and were not asked about for a while."""
    keys = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    signed_in = SignedInSession.objects.filter(session_key__in=keys).values("user")
    granted = GroupGrant.objects.values("membership__user")
    old = ProviderAccess.objects.filter(checked_at__lt=timezone.now() - ASKED_AGAIN_AFTER)
    return old.exclude(sealed_tokens="").filter(user__in=signed_in).filter(user__in=granted).select_related("user")


def ask_again(access: ProviderAccess) -> None:
    """Asks the provider for the groups of a person, and changes the memberships accordingly."""
    try:
        found, tokens = groups_now(access)
    except Refused:
        end_access(access)
    except (OAuth2Error, Unreadable, requests.RequestException, ValueError) as error:
        logger.warning("the provider did not answer about the groups of a person: %s", type(error).__name__)
    else:
        if found is not None:
            groups.synchronize(access.user, found)
            remember(access.user, tokens)


def groups_now(access: ProviderAccess) -> tuple[frozenset[str] | None, dict[str, Any]]:
    tokens: dict[str, Any] = orjson.loads(TOKENS.open(access.sealed_tokens))
    config = discovery.configuration()
    subject = SocialAccount.objects.get(user=access.user, provider=provider().issuer).uid
    claims: dict[str, Any] = {}
    if "refresh_token" in tokens:
        tokens |= refreshed(tokens["refresh_token"], config)
        if isinstance(tokens.get("id_token"), str):
            claims = same_person(id_token_claims(tokens["id_token"], config, nonce=None), subject)
    if groups_of(claims) is None:
        claims = together(claims, userinfo(tokens["access_token"], config, subject))
    return groups_of(claims), tokens


def refreshed(refresh_token: str, config: dict[str, Any]) -> dict[str, Any]:
    credentials = {"client_id": provider().client_id, "client_secret": provider().client_secret}
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **credentials}
    response = discovery.fetch("POST", config["token_endpoint"], data=form)
    if response.status_code in (400, 401) and error_of(response) == "invalid_grant":
        raise Refused
    response.raise_for_status()
    found: dict[str, Any] = response.json()
    return found


def error_of(response: requests.Response) -> object:
    try:
        found = response.json()
    except ValueError:
        return None
    return found.get("error") if isinstance(found, dict) else None


def same_person(claims: dict[str, Any], subject: str) -> dict[str, Any]:
    if claims["sub"] != subject:
        raise OAuth2Error("The provider answered about somebody else.")
    return claims


def end_access(access: ProviderAccess) -> None:
    groups.synchronize(access.user, ())
    ProviderAccess.objects.filter(pk=access.pk).update(sealed_tokens="")
    sessions.end_all(access.user)
