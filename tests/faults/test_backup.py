"""The commands of docs/operations.md, on PostgreSQL: a dump that was made while traces arrived restores all of them."""

import subprocess
from pathlib import Path
from uuid import UUID

import pytest

from observability.launcher import embedded
from tests.faults.ledger import load
from tests.faults.product import Product

pytestmark = pytest.mark.faults


def tool(product: Product, name: str, *arguments: str) -> None:
    path = product.postgres.server.programs / name
    host = embedded.socket_directory(product.postgres.data)
    subprocess.run([path, "-h", host, "-U", "postgres", *arguments], check=True, capture_output=True, text=True)


def test_a_backup_under_load_is_whole(product: Product, tmp_path: Path) -> None:
    with load(product, "dumped under load") as clients:
        tool(product, "pg_dump", "-Fc", "-f", f"{tmp_path}/analytics.dump", "observability_analytics")
        tool(product, "pg_dump", "-Fc", "-f", f"{tmp_path}/metadata.dump", "observability")
    tool(product, "createdb", "restored_analytics")
    tool(product, "createdb", "restored")
    restore = ["--exit-on-error", "--no-owner", "-d"]
    tool(product, "pg_restore", *restore, "restored_analytics", f"{tmp_path}/analytics.dump")
    tool(product, "pg_restore", *restore, "restored", f"{tmp_path}/metadata.dump")
    with product.postgres.connect("restored_analytics") as connection:
        rows = dict(connection.execute("SELECT workspace_id, count(*) FROM traces GROUP BY 1").fetchall())
        sums = dict(connection.execute("SELECT workspace_id, sum(calls) FROM totals_minutely GROUP BY 1").fetchall())
    assert rows == sums
    assert 200 <= rows[UUID(clients.tenant.workspace_id)] <= len(clients.ledger.acknowledged)
    with product.postgres.connect("restored") as connection:
        known = {workspace_id for (workspace_id,) in connection.execute("SELECT id FROM workspaces_workspace")}
    assert set(rows) <= known
