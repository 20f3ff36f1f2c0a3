"""The way to the provider and back."""

import secrets
from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.account.utils import get_next_redirect_url
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from requests import RequestException

from accounts.oidc.adapter import CheckedAdapter, error_page, log_refusal
from accounts.oidc.provider import provider
from accounts.page import signed_in
from web.declared_access import public


def begin(request: HttpRequest, process: str = AuthProcess.LOGIN, is_again: bool = False) -> HttpResponse:
    """Leads to the provider. State, nonce and the PKCE verifier of this sign-in stay in the session."""
    if settings.OIDC is None:
        raise Http404("There is no provider.")
    adapter = CheckedAdapter(request, provider().issuer)
    found: Any = get_adapter().get_provider(request, provider().issuer)
    found.get_oauth2_adapter = lambda _: adapter
    nonce = secrets.token_urlsafe(32)
    parameters = {"nonce": nonce, **({"prompt": "login", "max_age": "0"} if is_again else {})}
    try:
        response: HttpResponse = found.redirect(
            request,
            process=process,
            next_url=get_next_redirect_url(request),
            data={"nonce": nonce, "is_again": is_again},
            auth_params=parameters,
            scope=provider().scopes,
        )
        return response
    except (OAuth2Error, RequestException, ValueError) as error:
        log_refusal(error)
        return error_page(request)


# By GET: the Content-Security-Policy lets no form lead to another host. Nobody is signed in or out by it alone.
@public
@never_cache
@require_GET
def begin_page(request: HttpRequest) -> HttpResponse:
    return begin(request)


@signed_in
@never_cache
@require_GET
def again(request: HttpRequest) -> HttpResponse:
    """Proves again who is signed in, before a change of how they sign in."""
    return begin(request, is_again=True)


@signed_in
@never_cache
@require_GET
@reauthentication_required
def connect(request: HttpRequest) -> HttpResponse:
    """Connects the account of the signed-in person with their account at the provider."""
    return begin(request, AuthProcess.CONNECT)


class CallbackView(OAuth2CallbackView):
    adapter: CheckedAdapter

    def _get_state(self, request: HttpRequest, provider: Any) -> Any:
        state, response = super()._get_state(request, provider)
        data = (state or {}).get("data") or {}
        self.adapter.nonce, self.adapter.needs_new_proof = data.get("nonce", ""), data.get("is_again", False)
        return state, response


@public
@never_cache
@require_GET
def callback(request: HttpRequest) -> HttpResponseBase:
    if settings.OIDC is None:
        raise Http404("There is no provider.")
    adapter = CheckedAdapter(request, provider().issuer)
    try:
        view = CallbackView.adapter_view(adapter)  # type: ignore[no-untyped-call]
        response: HttpResponseBase = view(request)
    except ImmediateHttpResponse as error:
        return error.response
    except (ImproperlyConfigured, OAuth2Error, RequestException, KeyError, TypeError, ValueError) as error:
        log_refusal(error)
        return error_page(request)
    return response
