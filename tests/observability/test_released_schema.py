"""The migrations of a released version stay as they are: databases have run them."""

from hashlib import sha256
from pathlib import Path

import pytest
from django.conf import settings

HASHES = Path(__file__).parent / "schema-0.1.0.sha256"
RELEASED = [line.split("  ", 1) for line in HASHES.read_text().splitlines()]
REMEDY = (
    "belongs to the released version 0.1.0. Databases have run it and will not run it again, so take your change back "
    'and add a migration instead: CONTRIBUTING.md, "A migration".'
)


@pytest.mark.parametrize(("digest", "path"), RELEASED, ids=[path for _, path in RELEASED])
def test_a_released_migration_is_not_changed(digest: str, path: str) -> None:
    file = Path(settings.BASE_DIR, path)
    if not file.exists() or sha256(file.read_bytes()).hexdigest() != digest:
        pytest.fail(f"{path} {REMEDY}", pytrace=False)


def test_the_list_has_the_schema_of_the_analytics() -> None:
    """A later version has more migrations, and more apps."""
    paths = {path for _, path in RELEASED}
    assert {"traces/migrations/0001_initial.py", "traces/migrations/sql/0001_postgresql.sql"} <= paths
