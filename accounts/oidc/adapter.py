"""Leads a sign-in by the provider through django-allauth, with the checks that it does not make itself."""

import logging
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from accounts.oidc import claims as checked
from accounts.oidc import discovery, groups, people, renewal
from accounts.oidc.provider import provider

logger = logging.getLogger(__name__)

MOST_SECONDS_SINCE_PROOF = 300


def error_page(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/provider_error.html", {"provider": settings.OIDC}, status=403)


class ProviderAdapter(DefaultSocialAccountAdapter):
    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[SocialApp]:
        """Returns the provider of the settings. What the database may hold is no provider."""
        if settings.OIDC is None:
            return []
        chosen = settings.OIDC
        return [
            SocialApp(
                provider="openid_connect",
                # Part of the key of people's accounts: the same name at another issuer is somebody else.
                provider_id=chosen.issuer,
                name=chosen.name,
                client_id=chosen.client_id,
                secret=chosen.client_secret,
                settings={"server_url": chosen.issuer, "oauth_pkce_enabled": True},
            )
        ]

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Finds or makes the account, and gives it the memberships of its groups."""
        if sociallogin.state.get("process") == AuthProcess.CONNECT:
            return
        claims = sociallogin.claims
        if not sociallogin.is_existing:
            user = people.account_for(claims)
            if user is None:
                raise ImmediateHttpResponse(render(request, "accounts/not_linked.html", status=403))
            sociallogin.connect(request, user)
        groups.synchronize(sociallogin.user, checked.groups_of(claims) or frozenset())
        renewal.remember(sociallogin.user, sociallogin.tokens)

    def on_authentication_error(self, request: HttpRequest, provider: Any, *args: Any, **kwargs: Any) -> None:
        """Shows the product's page, which does not say what was wrong: the log does."""
        logger.warning("a sign-in by the provider was refused: %s", kwargs.get("exception") or kwargs.get("error"))
        raise ImmediateHttpResponse(error_page(request))

    def get_connect_redirect_url(self, request: HttpRequest, socialaccount: Any) -> str:
        return reverse("settings-security")


class CheckedAdapter(OpenIDConnectOAuth2Adapter):
    """Checks issuer, audience, time, signature and nonce of each ID token, wherever it comes from."""

    nonce = ""
    needs_new_proof = False

    @property
    def openid_config(self) -> dict[str, Any]:
        if not hasattr(self, "_openid_config"):
            self._openid_config: dict[str, Any] = discovery.configuration()
        return self._openid_config

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return request.build_absolute_uri(reverse("provider-callback"))

    def complete_login(self, request: HttpRequest, app: SocialApp, token: Any, **kwargs: Any) -> SocialLogin:
        response = kwargs["response"]
        claims = self.claims(response)
        found: Any = self.get_provider()  # type: ignore[no-untyped-call]
        login: Any = found.sociallogin_from_response(request, {"id_token": claims})
        login.account.extra_data = {"email": checked.verified_email(claims)}
        login.claims, login.tokens = claims, response
        made: SocialLogin = login
        return made

    def claims(self, response: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(response.get("id_token"), str):
            raise OAuth2Error("The provider sent no ID token.")
        claims = checked.id_token_claims(response["id_token"], self.openid_config, self.nonce)
        if self.needs_new_proof:
            self.check_proof(claims)
        if "email" in claims and (checked.groups_of(claims) is not None or not provider().groups):
            return claims
        return checked.together(claims, checked.userinfo(response["access_token"], self.openid_config, claims["sub"]))

    def check_proof(self, claims: dict[str, Any]) -> None:
        """Raises OAuth2Error where the provider did not ask the person again who they are."""
        proved_at = claims.get("auth_time")
        age = timezone.now().timestamp() - proved_at if isinstance(proved_at, int | float) else float("inf")
        if age > MOST_SECONDS_SINCE_PROOF:
            raise OAuth2Error("The provider did not ask for a new sign-in.")
