"""A database that was made before version 0.1.0 is refused by `migrate` before anything in it is changed."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

from observability.unreleased import UNRELEASED, VARIABLES

pytestmark = pytest.mark.django_db(databases="__all__")

SENTENCE = (
    "This database was made by a version before 0.1.0, which cannot be upgraded: "
    "move var/postgres away, or name an empty database in {}."
)


def tables(alias: str) -> Any:
    connection = connections[alias]
    with connection.cursor() as cursor:
        rows = MigrationRecorder(connection).migration_qs.order_by("pk").values_list("app", "name")
        return sorted(connection.introspection.table_names(cursor)), list(rows)


@pytest.mark.parametrize(("alias", "variable"), [("default", "DATABASE_URL"), ("analytics", "ANALYTICS_DATABASE_URL")])
@pytest.mark.parametrize(("app", "name"), sorted(UNRELEASED))
def test_an_unreleased_database_is_refused_in_one_sentence_and_stays_as_it_is(
    alias: str, variable: str, app: str, name: str
) -> None:
    MigrationRecorder(connections[alias]).record_applied(app, name)
    before = tables(alias)
    with pytest.raises(CommandError) as refused:
        call_command("migrate", database=alias, verbosity=0)
    assert str(refused.value) == SENTENCE.format(variable)
    assert tables(alias) == before


def test_the_other_database_is_migrated() -> None:
    MigrationRecorder(connections["analytics"]).record_applied("analytics", "0001_traces")
    call_command("migrate", database="default", verbosity=0)


def test_a_current_database_is_not_refused() -> None:
    for alias in connections:
        assert UNRELEASED.isdisjoint(MigrationRecorder(connections[alias]).applied_migrations())


OTHER_STATES = (
    ("analytics", "COMMENT ON TABLE user_numbers IS 'schema: 0123'"),
    ("analytics", "COMMENT ON TABLE label_values IS 'schema: 0123'"),
    ("analytics", "COMMENT ON TABLE label_values IS NULL"),
    ("default", "ALTER TABLE prices_priceoverride DROP COLUMN cache_write_1h_usd_per_million CASCADE"),
)


@pytest.mark.parametrize(("alias", "statement"), OTHER_STATES)
def test_a_database_of_another_state_of_the_migrations_is_refused(alias: str, statement: str) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute(statement)
    before = tables(alias)
    with pytest.raises(CommandError) as refused:
        call_command("migrate", database=alias, verbosity=0)
    assert str(refused.value) == SENTENCE.format(VARIABLES[alias])
    assert tables(alias) == before
