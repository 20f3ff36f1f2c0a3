"""A server is ready when the databases have every migration that it ships."""

from collections.abc import Iterator

import pytest
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from observability.health import checks, shipped_migrations


@pytest.fixture(autouse=True)
def no_earlier_check() -> Iterator[None]:
    checks.forget()
    yield
    checks.forget()


def test_the_files_are_the_migrations_that_django_loads() -> None:
    assert shipped_migrations() == set(MigrationLoader(None).disk_migrations)


@pytest.mark.django_db(databases=["default", "analytics"])
def test_migrated_databases_are_ready(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["default"], answer.json()["analytics"]) == (200, "ok", "ok")


@pytest.mark.parametrize("alias", ["default", "analytics"])
@pytest.mark.django_db(databases=["default", "analytics"])
def test_a_migration_that_is_missing_is_pending(client: Client, alias: str) -> None:
    MigrationRecorder(connections[alias]).record_unapplied("traces", "0001_initial")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()[alias]) == (503, "migrations pending")
