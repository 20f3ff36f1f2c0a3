from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client

from tests.given import Given


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def given(settings) -> Given:  # type: ignore[no-untyped-def]
    """An open workspace of its own to fill with rows."""
    from tests.factories import WorkspaceFactory

    workspace = WorkspaceFactory(id=uuid4())
    settings.OPEN_WORKSPACE_IDS = frozenset({workspace.id})
    return Given(workspace, Client(headers={"X-Workspace-ID": str(workspace.id)}))
