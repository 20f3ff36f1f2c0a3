"""Roles that read the views of docs/sql.md: what they see, and what they cannot."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connections, transaction
from psycopg.errors import InsufficientPrivilege

from tests.factories import WorkspaceFactory
from tests.tenant import NOON, Tenant, a_row
from traces import engines, read_roles, writer
from traces.trace_totals import LAG

pytestmark = pytest.mark.django_db(databases="__all__")

DOCUMENT = Path(__file__).parents[2] / "docs/sql.md"


def command(*args: str) -> str:
    output = StringIO()
    call_command("read_role", *args, stdout=output)
    return output.getvalue()


@pytest.fixture
def role() -> str:
    return f"reader_{uuid4().hex}"


def ask(sql: str, *params: Any) -> list[tuple[Any, ...]]:
    with connections["analytics"].cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def acting_as(role: str) -> Iterator[None]:
    ask(f"SET LOCAL SESSION AUTHORIZATION {role}")
    try:
        yield
    finally:
        ask("SET LOCAL SESSION AUTHORIZATION DEFAULT")


def refused(role: str, sql: str) -> bool:
    with pytest.raises(ProgrammingError) as error:
        ask_as(role, sql)
    return isinstance(error.value.__cause__, InsufficientPrivilege)


@transaction.atomic(using="analytics")
def ask_as(role: str, sql: str) -> None:
    ask(f"SET LOCAL SESSION AUTHORIZATION {role}")
    ask(sql)


@pytest.fixture
def other(tenant: Tenant) -> Any:
    """Makes two calls of the tenant, $3 together, and one of another workspace."""
    labels = {"customer": "acme"}
    tenant.calls(1, cost_usd="1.00", input_tokens=10, labels=labels, attributes={"prompt": "a secret"})
    tenant.calls(1, cost_usd="2.00", status="error", error_type="late", error_message="a secret")
    tenant.calls(1, operation="execute_tool", cost_usd=None)
    other = WorkspaceFactory()
    writer.store(other.id, [a_row(cost_usd="70.00")])
    return other


def test_a_role_sees_its_workspace_alone(tenant: Tenant, other: Any, role: str) -> None:
    said = command(role, "--workspace", str(tenant.workspace.id))
    assert f"sees the workspace {tenant.workspace}" in said
    with acting_as(role):
        assert ask("SELECT count(*), sum(cost_usd) FROM observability_v1.calls") == [(2, 3)]
        assert ask("SELECT DISTINCT workspace_id FROM observability_v1.calls") == [(tenant.workspace.id,)]
        assert ask("SELECT labels ->> 'customer' FROM observability_v1.calls WHERE labels IS NOT NULL") == [("acme",)]
        days = (
            "SELECT day, sum(calls)::int, sum(errors)::int, sum(cost_usd) FROM observability_v1.spend_by_day GROUP BY 1"
        )
        assert ask(days) == [(NOON.date(), 2, 1, 3)]
        assert ask("SELECT hour, sum(cost_usd) FROM observability_v1.spend_by_hour GROUP BY 1") == [(NOON, 3)]


def test_a_role_of_all_sees_all_and_can_be_narrowed(tenant: Tenant, other: Any, role: str) -> None:
    assert "sees all workspaces" in command(role)
    with acting_as(role):
        assert ask("SELECT sum(cost_usd) FROM observability_v1.calls") == [(73,)]
    assert "password" not in command(role, "--workspace", str(other.id))
    with acting_as(role):
        assert ask("SELECT sum(cost_usd) FROM observability_v1.calls") == [(70,)]


def test_traces_are_there_when_the_worker_has_summed_them(tenant: Tenant, other: Any, role: str) -> None:
    engines.current().follow(datetime.now(UTC) + LAG)
    command(role, "--workspace", str(other.id))
    with acting_as(role):
        assert ask("SELECT count(*), sum(cost_usd), sum(spans)::int FROM observability_v1.traces") == [(1, 70, 1)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 FROM traces",
        "SELECT 1 FROM calls_hourly",
        "SELECT 1 FROM trace_totals",
        "SELECT 1 FROM contents",
        "SELECT 1 FROM observability_v1.readers",
        "UPDATE observability_v1.calls SET cost_usd = 0",
        "DELETE FROM observability_v1.calls",
        "INSERT INTO observability_v1.readers VALUES (current_user, NULL)",
        "UPDATE observability_v1.readers SET workspace_id = NULL",
        "CREATE TABLE observability_v1.mine (a int)",
        "CREATE OR REPLACE VIEW observability_v1.calls AS SELECT 1",
        "SET ROLE postgres",
    ],
)
def test_base_tables_and_writing_are_refused(tenant: Tenant, other: Any, role: str, sql: str) -> None:
    if "contents" in sql and ask("SELECT to_regclass('contents')") == [(None,)]:
        sql = sql.replace("contents", "scores")
    command(role, "--workspace", str(tenant.workspace.id))
    assert refused(role, sql)


def test_a_function_of_a_reader_sees_no_row_of_another_workspace(tenant: Tenant, other: Any, role: str) -> None:
    command(role, "--workspace", str(tenant.workspace.id))
    with acting_as(role):
        ask(
            "CREATE FUNCTION pg_temp.peek(numeric) RETURNS boolean COST 0.0001 LANGUAGE plpgsql AS $$ BEGIN "
            "IF $1 = 70 THEN RAISE EXCEPTION 'seen'; END IF; RETURN true; END $$"
        )
        assert ask("SELECT count(*) FROM observability_v1.calls WHERE pg_temp.peek(cost_usd)") == [(2,)]


def test_no_view_has_content(role: str) -> None:
    columns = ask("SELECT column_name FROM information_schema.columns WHERE table_schema = 'observability_v1'")
    assert not {("attributes",), ("error_message",), ("span_facts",), ("usage_details",), ("name",)} & {*columns}


def test_the_role_is_limited(role: str) -> None:
    command(role)
    [(settings, limit, is_superuser)] = ask(
        "SELECT rolconfig, rolconnlimit, rolsuper FROM pg_roles WHERE rolname = %s", role
    )
    assert {"default_transaction_read_only=on", "statement_timeout=30s"} <= {*settings}
    assert (limit, is_superuser) == (10, False)


def test_a_new_role_has_a_password_that_is_shown_once(role: str) -> None:
    assert "Its password" in command(role)
    before = ask("SELECT rolpassword FROM pg_authid WHERE rolname = %s", role)
    assert before[0][0].startswith("SCRAM-SHA-256$")
    command(role)
    assert ask("SELECT rolpassword FROM pg_authid WHERE rolname = %s", role) == before
    assert "Its password" in command(role, "--new-password")
    assert ask("SELECT rolpassword FROM pg_authid WHERE rolname = %s", role) != before


def test_a_role_is_deleted(tenant: Tenant, role: str) -> None:
    command(role)
    command(role, "--drop")
    assert ask("SELECT 1 FROM pg_roles WHERE rolname = %s", role) == []
    assert ask("SELECT 1 FROM observability_v1.readers WHERE role_name = %s", role) == []


def test_a_role_that_owns_something_is_deleted_too(role: str) -> None:
    """Every role of PostgreSQL may make large objects and temporary tables, which would keep it."""
    command(role)
    with acting_as(role):
        ask("SELECT lo_create(0)")
        ask("CREATE TEMP TABLE mine (a int)")
    assert f"The role {role} is deleted." in command(role, "--drop")
    assert ask("SELECT 1 FROM pg_roles WHERE rolname = %s", role) == []


def test_a_role_that_postgresql_keeps_has_lost_its_rights(role: str) -> None:
    command(role)
    fault = patch.object(read_roles, "END_SESSIONS", "SELECT 1 / 0 WHERE %s <> ''")
    with fault, pytest.raises(CommandError, match="has no rights any more and cannot sign in, but PostgreSQL keeps it"):
        command(role, "--drop")
    assert ask("SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", role) == [(False,)]
    assert ask("SELECT 1 FROM observability_v1.readers WHERE role_name = %s", role) == []
    assert refused(role, "SELECT 1 FROM observability_v1.calls")


def test_what_cannot_be_made_is_said(role: str) -> None:
    for name in ("Metabase", "pg_reader", "a-b", 'x"; DROP ROLE y', ""):
        with pytest.raises(CommandError, match="lower-case letters"):
            command(name)
    with pytest.raises(CommandError, match="exists, and this command has not made it"):
        command(ask("SELECT current_user")[0][0])
    with pytest.raises(CommandError, match="There is no workspace"):
        command(role, "--workspace", str(uuid4()))
    with pytest.raises(CommandError, match="There is no role"):
        command(role, "--drop")


def test_without_the_right_to_make_roles_it_says_which_right_is_missing(role: str) -> None:
    weak = f"{role}_weak"
    for statement in (
        f"CREATE ROLE {weak}",
        f"GRANT USAGE ON SCHEMA observability_v1 TO {weak}",
        f"GRANT SELECT ON observability_v1.readers TO {weak}",
        f"SET LOCAL ROLE {weak}",
    ):
        ask(statement)
    with pytest.raises(CommandError, match="Give it CREATEROLE"):
        command(role)
    ask("SET LOCAL ROLE NONE")


def test_a_new_column_of_a_table_leaves_the_views_as_they_are(tenant: Tenant, other: Any, role: str) -> None:
    command(role)
    ask("ALTER TABLE traces ADD COLUMN new_one text")
    with acting_as(role):
        assert len(ask("SELECT * FROM observability_v1.calls")) == 3


def test_the_document_names_every_view_and_column() -> None:
    text = DOCUMENT.read_text()
    sql = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'observability_v1'"
    for view, column in ask(sql):
        if view != "readers":
            assert f"`{view}`" in text
            assert f"`{column}`" in text, (view, column)
