from typing import Any

import factory
from django.contrib.auth import get_user_model

from workspaces.models import ApiKey, Membership, Workspace

PASSWORD = "a long and winding password"


class WorkspaceFactory(factory.django.DjangoModelFactory[Workspace]):
    class Meta:
        model = Workspace

    name = factory.Sequence(lambda number: f"Workspace {number}")


class UserFactory(factory.django.DjangoModelFactory[Any]):
    class Meta:
        model = get_user_model()

    username = factory.Sequence(lambda number: f"user{number}")
    password = factory.django.Password(PASSWORD)


class MembershipFactory(factory.django.DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    workspace = factory.SubFactory(WorkspaceFactory)
    user = factory.SubFactory(UserFactory)


def an_api_key(*scopes: str, **values: Any) -> tuple[ApiKey, str]:
    """Makes a key, and returns it with its secret."""
    workspace = values.pop("workspace", None) or WorkspaceFactory()
    key, secret = ApiKey.objects.issue(workspace, "test", scopes)
    ApiKey.objects.filter(pk=key.pk).update(**values) if values else None
    return key, secret
