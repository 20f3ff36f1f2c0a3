"""Reads the variables of the sign-in by OpenID Connect. Settings that cannot work stop the start.

No error shows the secret.
"""

import re
from typing import Annotated

from django.core.exceptions import ImproperlyConfigured
from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from accounts.oidc.provider import GroupRule, ProviderSettings
from observability.variables import Variables

THIS_MACHINE = r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?(/[!-~]*)?"
EXAMPLE = '{"observability-finance": {"workspace": "<id>", "role": "viewer"}}'


def as_list(value: object) -> object:
    return [value] if isinstance(value, dict) else value


Rules = Annotated[tuple[GroupRule, ...], BeforeValidator(as_list), Field(min_length=1)]
Groups = TypeAdapter(dict[Annotated[str, Field(min_length=1, max_length=200)], Rules])


def oidc_settings(env: Variables) -> ProviderSettings | None:
    """Returns the provider; None where none is set."""
    needed = {"OIDC_ISSUER": env.OIDC_ISSUER, "OIDC_CLIENT_ID": env.OIDC_CLIENT_ID}
    needed["OIDC_CLIENT_SECRET"] = env.OIDC_CLIENT_SECRET
    missing = [name for name, value in needed.items() if not value]
    if len(missing) == len(needed):
        check_nothing_needs_it(env)
        return None
    if missing:
        raise ImproperlyConfigured(f"{', '.join(missing)} must be set too: the sign-in by a provider needs all three.")
    return ProviderSettings(
        issuer=checked_issuer(env),
        client_id=env.OIDC_CLIENT_ID,
        client_secret=env.OIDC_CLIENT_SECRET,
        name=env.OIDC_NAME or "single sign-on",
        scopes=checked_scopes(env),
        groups_claim=env.OIDC_GROUPS_CLAIM,
        groups=group_rules(env.OIDC_GROUPS),
    )


def check_nothing_needs_it(env: Variables) -> None:
    if not env.LOCAL_PASSWORDS:
        raise ImproperlyConfigured("LOCAL_PASSWORDS=false needs OIDC_ISSUER: otherwise nobody could sign in.")
    if env.OIDC_GROUPS:
        raise ImproperlyConfigured("OIDC_GROUPS needs OIDC_ISSUER.")


def checked_issuer(env: Variables) -> str:
    issuer = env.OIDC_ISSUER
    if re.fullmatch(r"https://[A-Za-z0-9.:\[\]-]+(/[^?#\s]*)?", issuer):
        return issuer
    if env.ENVIRONMENT != "production" and re.fullmatch(THIS_MACHINE, issuer):
        return issuer
    raise ImproperlyConfigured("OIDC_ISSUER must begin with https:// and have no ? and no #.")


def checked_scopes(env: Variables) -> tuple[str, ...]:
    if "openid" not in env.OIDC_SCOPES:
        raise ImproperlyConfigured("OIDC_SCOPES must contain openid.")
    return tuple(env.OIDC_SCOPES)


def group_rules(text: str) -> dict[str, tuple[GroupRule, ...]]:
    if not text:
        return {}
    try:
        return Groups.validate_json(text)
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise ImproperlyConfigured(
            f"OIDC_GROUPS must be JSON like {EXAMPLE}. {place}: {fault['msg']}.".replace(". :", ".")
        ) from None
