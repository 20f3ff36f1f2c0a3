"""`migrate` lets the database compress new values by lz4, where the server can."""

import pytest
from django.db import DatabaseError, connections, transaction

from traces.apps import complete_schema

pytestmark = pytest.mark.django_db(databases="__all__")

CHOSEN = """
SELECT EXISTS (
    SELECT
    FROM pg_db_role_setting
    JOIN pg_database ON pg_database.oid = setdatabase
    WHERE datname = current_database() AND 'default_toast_compression=lz4' = ANY (setconfig)
)
"""
CAN_LZ4 = "SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression'"
# It is found before the view of the server, which may not have lz4.
PRETEND = """
CREATE SCHEMA pretended;
CREATE VIEW pretended.pg_settings AS
SELECT 'default_toast_compression' AS name, '{source}' AS source, ARRAY{methods} AS enumvals;
GRANT USAGE ON SCHEMA pretended TO public;
GRANT SELECT ON pretended.pg_settings TO public;
SET LOCAL search_path = pretended, pg_catalog, public
"""
SOMEBODY_ELSE = "CREATE ROLE somebody_else; SET LOCAL ROLE somebody_else"


def execute(sql: str) -> None:
    with connections["analytics"].cursor() as cursor:
        cursor.execute(sql)


def value(sql: str) -> object:
    with connections["analytics"].cursor() as cursor:
        cursor.execute(sql)
        [(found,)] = cursor.fetchall()
        return found


@pytest.fixture(autouse=True)
def nobody_has_chosen() -> None:
    execute(f'ALTER DATABASE "{connections["analytics"].settings_dict["NAME"]}" RESET default_toast_compression')


def pretend(source: str = "default", methods: tuple[str, ...] = ("pglz", "lz4")) -> None:
    execute(PRETEND.format(source=source, methods=list(methods)))


def lz4_is_wanted() -> bool:
    """Returns whether `migrate` asks for lz4. A server without it refuses."""
    try:
        with transaction.atomic(using="analytics"):
            complete_schema("analytics")
    except DatabaseError as error:
        return "default_toast_compression" in str(error)
    return bool(value(CHOSEN))


def test_lz4_is_chosen_exactly_where_the_server_has_it() -> None:
    complete_schema("analytics")
    assert value(CHOSEN) == value(CAN_LZ4)


def test_lz4_is_chosen_where_nobody_has_chosen() -> None:
    pretend()
    assert lz4_is_wanted()


@pytest.mark.parametrize("source", ["configuration file", "database", "user"])
def test_the_choice_of_an_operator_stays(source: str) -> None:
    pretend(source)
    assert not lz4_is_wanted()


def test_a_server_without_lz4_is_left_as_it_is() -> None:
    pretend(methods=("pglz",))
    assert not lz4_is_wanted()


def test_a_database_of_somebody_else_is_left_as_it_is() -> None:
    pretend()
    execute(SOMEBODY_ELSE)
    assert not lz4_is_wanted()
