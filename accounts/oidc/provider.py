"""The provider of the sign-in, as the settings describe it. `observability/oidc_settings.py` reads them."""

from typing import Literal, NamedTuple
from uuid import UUID

from django.conf import settings
from pydantic import BaseModel, ConfigDict


class GroupRule(BaseModel):
    """The role that a group of the provider has in a workspace."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    workspace: UUID
    role: Literal["viewer", "editor", "owner"]


class ProviderSettings(NamedTuple):
    issuer: str
    client_id: str
    client_secret: str
    name: str
    scopes: tuple[str, ...]
    groups_claim: str
    groups: dict[str, tuple[GroupRule, ...]]


class NoProvider(Exception):
    """The settings name no provider."""


def provider() -> ProviderSettings:
    if settings.OIDC is None:
        raise NoProvider
    return settings.OIDC
