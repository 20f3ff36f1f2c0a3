"""Reads what the provider says about itself: its addresses and its keys."""

from typing import Any
from urllib.parse import urlsplit

import requests
from allauth.socialaccount.providers.oauth2.client import OAuth2Error

from accounts.oidc.provider import provider

TIMEOUT_SECONDS = 5
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


def fetch(method: str, url: str, **options: Any) -> requests.Response:
    """Sends a request to the provider, which must answer itself: redirects are not followed."""
    return requests.request(method, url, timeout=TIMEOUT_SECONDS, allow_redirects=False, **options)


def configuration() -> dict[str, Any]:
    """Returns the provider's document. Raises OAuth2Error where it is that of another issuer."""
    issuer = provider().issuer
    response = fetch("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    response.raise_for_status()
    found: dict[str, Any] = response.json()
    if not isinstance(found, dict) or found.get("issuer") != issuer:
        raise OAuth2Error("The provider's document names another issuer than OIDC_ISSUER.")
    for name in (*ENDPOINTS, *(["userinfo_endpoint"] if "userinfo_endpoint" in found else [])):
        check_endpoint(name, found.get(name))
    return found


def check_endpoint(name: str, url: object) -> None:
    """Raises OAuth2Error for an address without TLS. Only an issuer without TLS, on this machine, may have such."""
    schemes = ("https",) if provider().issuer.startswith("https:") else ("https", "http")
    if not isinstance(url, str) or urlsplit(url).scheme not in schemes:
        raise OAuth2Error(f"The provider's document has no safe {name}.")
