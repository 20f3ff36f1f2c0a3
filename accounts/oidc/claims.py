"""Checks what the provider says about a person: its signature, and that it is meant for this sign-in."""

from typing import Any

import jwt
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.utils.crypto import constant_time_compare

from accounts.oidc import discovery
from accounts.oidc.provider import provider

# Never "none" or a symmetric one: the secret is known to both sides, and the keys are public.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
REQUIRED = ["iss", "aud", "exp", "iat", "sub"]
LEEWAY_SECONDS = 60

Claims = dict[str, Any]


def id_token_claims(id_token: str, config: Claims, nonce: str | None) -> Claims:
    """Returns the claims of an ID token. Raises OAuth2Error for one that is forged, old, or meant for somebody else.

    `nonce` is that of the sign-in that asked for the token; None where nobody is signing in.
    """
    try:
        claims = jwt.decode(
            id_token,
            signing_key(id_token, config),
            algorithms=ALGORITHMS,
            audience=provider().client_id,
            issuer=provider().issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": REQUIRED},
        )
    except jwt.PyJWTError as error:
        raise OAuth2Error(f"The ID token is refused: {error}") from error
    check_party(claims)
    if nonce is not None and not (nonce and constant_time_compare(str(claims.get("nonce", "")), nonce)):
        raise OAuth2Error("The ID token was made for another sign-in.")
    return claims


def signing_key(id_token: str, config: Claims) -> jwt.PyJWK:
    """Returns the provider's key that the token names. Without a name it is the only key."""
    response = discovery.fetch("GET", config["jwks_uri"])
    response.raise_for_status()
    keys = [key for key in jwt.PyJWKSet.from_dict(response.json()).keys if key.public_key_use in (None, "sig")]
    name = jwt.get_unverified_header(id_token).get("kid")
    found = [key for key in keys if name is None or key.key_id == name]
    if len(found) != 1:
        raise OAuth2Error("The provider has no key of this name.")
    return found[0]


def check_party(claims: Claims) -> None:
    """Raises OAuth2Error for a token that was made for several clients, where another one asked for it."""
    has_others = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (has_others or "azp" in claims) and claims.get("azp") != provider().client_id:
        raise OAuth2Error("The ID token was made for another client.")


def userinfo(access_token: str, config: Claims, subject: str) -> Claims:
    """Returns what the provider says about the owner of the token; nothing where it has no such address."""
    if "userinfo_endpoint" not in config:
        return {}
    headers = {"Authorization": f"Bearer {access_token}"}
    response = discovery.fetch("GET", config["userinfo_endpoint"], headers=headers)
    response.raise_for_status()
    found = response.json()
    if not isinstance(found, dict) or found.get("sub") != subject:
        raise OAuth2Error("The provider answered about somebody else.")
    return found


def together(claims: Claims, more: Claims) -> Claims:
    """Adds to the claims of the token. An address and whether it is verified come from the same answer."""
    if "email" in claims:
        more = {name: value for name, value in more.items() if name not in ("email", "email_verified")}
    return {**more, **claims}


def verified_email(claims: Claims) -> str:
    """Returns the address where the provider has verified it; else nothing."""
    # Some providers write booleans as text.
    is_verified = claims.get("email_verified") in (True, "true")
    email = claims.get("email")
    return email if is_verified and isinstance(email, str) and len(email) <= 254 and "@" in email else ""


def groups_of(claims: Claims) -> frozenset[str] | None:
    """Returns the groups of a person; None where the claims say nothing about groups."""
    found = claims.get(provider().groups_claim)
    if found is None:
        return None
    return frozenset(group for group in (found if isinstance(found, list) else [found]) if isinstance(group, str))
