"""A prepared statement is planned once. That is right for inserts, and wrong for lookups in a table that grows."""

import pytest
from django.db import connections

from tests.tenant import Tenant, a_row
from traces import writer

pytestmark = pytest.mark.django_db(databases="__all__")


def test_only_inserts_are_prepared_however_often_others_run(tenant: Tenant) -> None:
    for _ in range(8):
        [row] = tenant.calls(1)
        with writer.writing(tenant.workspace.id) as cursor:
            writer.correct(cursor, tenant.workspace.id, [row])
            writer.move(cursor, tenant.workspace.id, [(a_row(row.timestamp, trace_id="other"), row.timestamp)])
    with connections["analytics"].cursor() as cursor:
        cursor.execute(r"SELECT statement FROM pg_prepared_statements WHERE statement ~ '\mtraces\M'")
        statements = [statement for (statement,) in cursor.fetchall()]
    assert statements
    assert all("INSERT INTO traces" in sql and "RETURNING" in sql and "UPDATE traces" not in sql for sql in statements)
