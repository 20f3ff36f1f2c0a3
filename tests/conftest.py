import gc
import os
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any
from uuid import uuid4

import pytest
from _pytest.nodeid import coerce_node_id
from django.core.cache import cache
from django.db import connections, transaction
from django.test import Client, TransactionTestCase
from hypothesis.internal.conjecture import providers
from xdist.scheduler import LoadScopeScheduling

from tests.tenant import Tenant

# Folders whose tests share one server, and so run in one worker. Other tests share the fixtures of their file.
SHARED_SERVERS = ("tests/faults", "tests/timescaledb")
# These tests begin first. Otherwise one worker would end long after the others.
SLOWEST = (*SHARED_SERVERS, "tests/analytics/test_oracle.py", "tests/observability/test_launcher.py")
# Measuring coverage makes these tests take half as long again, for few lines that no other test runs.
NOT_MEASURED = (
    *("tests/analytics/test_api_fuzz.py", "tests/analytics/test_oracle.py", "tests/browser"),
    *("tests/fuzz", "tests/ingest/test_captures.py", "tests/ingest/test_copies.py::test_any_order", "tests/security"),
    *("tests/ingest/test_pairings.py::test_parallel", "tests/prices/test_price_list.py::test_the_price_of_every"),
    "tests/timescaledb",
)
KEPT_TABLES = {"django_migrations", "django_content_type", "auth_permission"}
# Hypothesis mixes constants of all loaded modules into its cases, so they would depend on the tests before.
providers._get_local_constants = providers.Constants


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Excludes tests from coverage. Sorts the tests of parallel runs by group, because workers take whole groups."""
    make_ids_different(items)
    for item in items:
        if item.nodeid.startswith(NOT_MEASURED):
            item.add_marker("no_cover")
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: (not item.nodeid.startswith(SLOWEST), group_of(item.nodeid)))


def make_ids_different(items: list[pytest.Item]) -> None:
    """Numbers the tests that have the same id, as Schemathesis makes them: pytest-xdist runs one test of each id."""
    seen: Counter[str] = Counter()
    for item in items:
        seen[nodeid := item.nodeid] += 1
        if seen[nodeid] > 1:
            item._id = coerce_node_id(f"{nodeid}[{seen[nodeid]}]")
    assert len({item.nodeid for item in items}) == len(items), "this pytest keeps the ids of tests in another place"


def pytest_collection_finish() -> None:
    # All objects that exist now stay until the end, so the garbage collector need not visit them.
    gc.freeze()


def group_of(nodeid: str) -> str:
    file = nodeid.partition("::")[0]
    return next((folder for folder in SHARED_SERVERS if file.startswith(folder)), file)


class GroupScheduling(LoadScopeScheduling):
    """Keeps the tests of a group in one worker. The marker xdist_group of pytest-xdist does nothing with pytest 9.2."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Returns one worker more than cores: while one waits for a server that its test started, the others go on."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling:
    return GroupScheduling(config, log)


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True, scope="session")
def emptied_by_delete() -> Iterator[None]:
    """Empties the tables after a test that commits, in a tenth of the time that Django's `flush` takes.

    `flush` truncates every table and makes all permissions again, and it leaves tables of no model as they are.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: empty_tables(case._databases_names()))
        yield


def empty_tables(aliases: Collection[str]) -> None:
    """Deletes the rows of all tables but those that migrations fill: what Django knows of its models, and itself."""
    for alias in aliases:
        with transaction.atomic(alias), connections[alias].cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            tables = set(connections[alias].introspection.table_names(cursor)) - KEPT_TABLES
            cursor.execute("".join(f'DELETE FROM "{table}";' for table in sorted(tables)))


@pytest.fixture
def tenant(settings) -> Tenant:  # type: ignore[no-untyped-def]
    """Makes an open workspace, for the test to fill with rows."""
    from tests.factories import WorkspaceFactory

    workspace = WorkspaceFactory(id=uuid4())
    settings.OPEN_WORKSPACE_IDS = frozenset({workspace.id})
    return Tenant(workspace, Client(headers={"X-Workspace-ID": str(workspace.id)}))
