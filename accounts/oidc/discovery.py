"""Reads what the provider says about itself: its addresses and its keys."""

from typing import Any
from urllib.parse import urlsplit

import requests
from allauth.socialaccount.providers.oauth2.client import OAuth2Error

from accounts.oidc.provider import provider

TIMEOUT_SECONDS = 5
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class CheckFailed(OAuth2Error):
    """An answer of the provider does not fit. The message may be logged: it quotes nothing of the answer."""


def fetch(method: str, url: str, **options: Any) -> requests.Response:
    """Sends a request to the provider, which must answer itself: redirects are not followed."""
    return requests.request(method, url, timeout=TIMEOUT_SECONDS, allow_redirects=False, **options)


def configuration() -> dict[str, Any]:
    """Returns the provider's document. Raises CheckFailed where it is that of another issuer."""
    issuer = provider().issuer
    response = fetch("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    response.raise_for_status()
    found: dict[str, Any] = response.json()
    if not isinstance(found, dict) or found.get("issuer") != issuer:
        raise CheckFailed("The provider's document names another issuer than OIDC_ISSUER.")
    for name in (*ENDPOINTS, *(["userinfo_endpoint"] if "userinfo_endpoint" in found else [])):
        check_endpoint(name, found.get(name))
    return found


def check_endpoint(name: str, url: object) -> None:
    """Raises CheckFailed for an address without TLS. Only an issuer without TLS, on this machine, may have such."""
    schemes = ("https",) if provider().issuer.startswith("https:") else ("https", "http")
    if not isinstance(url, str) or urlsplit(url).scheme not in schemes:
        raise CheckFailed(f"The provider's document has no safe {name}.")


def credentials(config: dict[str, Any]) -> dict[str, Any]:
    """Returns how a request shows who the product is: in the form, or as HTTP Basic where the provider wants that."""
    client_id, secret = provider().client_id, provider().client_secret
    methods = config.get("token_endpoint_auth_methods_supported", [])
    if "client_secret_basic" in methods and "client_secret_post" not in methods:
        return {"auth": (client_id, secret)}
    return {"data": {"client_id": client_id, "client_secret": secret}}
