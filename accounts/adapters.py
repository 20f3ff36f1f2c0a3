"""Adapts django-allauth to the product: where it leads, what it encrypts, and which messages it sends."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.notices import send_notice
from web.sealing import Seal
from workspaces.access import client_address

BACKEND = "django.contrib.auth.backends.ModelBackend"
RECENT_SECONDS = 300
SECOND_FACTORS = Seal(b"accounts.second_factors")


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Returns False: people are invited, or come from the provider."""
        return False

    def is_safe_url(self, url: str) -> bool:
        """Allows only this host. ALLOWED_HOSTS and CSRF_TRUSTED_ORIGINS may name hosts of somebody else."""
        request = context.request
        return url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())

    def login(self, request: HttpRequest, user: Any) -> None:
        user.backend = BACKEND
        super().login(request, user)

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Adds none: the pages say themselves what has changed."""

    def send_notification_mail(self, template_prefix: str, user: Any, *args: Any, **kwargs: Any) -> None:
        send_notice(user, template_prefix.rpartition("/")[2])

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request) or "unknown"

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        methods = super().get_reauthentication_methods(user)
        if not settings.LOCAL_PASSWORDS:
            methods = [method for method in methods if method["id"] != "reauthenticate"]
        if settings.OIDC and user.is_authenticated and user.socialaccount_set.exists():
            name = settings.OIDC.name
            methods.append({"id": "provider", "description": f"Use {name}", "url": reverse("provider-again")})
        return methods

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Returns whether the last proof of who this is, at the sign-in or later, is older than five minutes."""
        request = context.request
        records = get_authentication_records(request, request.user)
        latest = max((record["at"] for record in records), default=0.0)
        return bool(timezone.now().timestamp() - latest > RECENT_SECONDS)


class SecondFactorAdapter(DefaultMFAAdapter):
    def get_totp_issuer(self) -> str:
        return "Agent observability"

    def get_totp_label(self, user: Any) -> str:
        return str(user.get_username())

    def encrypt(self, text: str) -> str:
        return SECOND_FACTORS.close(text.encode())

    def decrypt(self, encrypted_text: str) -> str:
        return SECOND_FACTORS.open(encrypted_text).decode()

    def generate_authenticator_name(self, user: Any, type: Authenticator.Type) -> str:
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return "Passkey" if not count else f"Passkey {count + 1}"
