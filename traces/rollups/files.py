"""The text of the checked-in SQL files. A test compares the files with it."""

from pathlib import Path

from traces.rollups import STATEMENTS_FOLDER, schema, statements, verification

SCHEMA_FOLDER = Path(__file__).parents[1] / "migrations" / "sql"
STATEMENTS = {
    "postgresql": statements.postgresql_statements,
    "timescaledb": statements.timescaledb_statements,
    "verification": verification.statements,
}


def expected_files() -> dict[Path, str]:
    """Returns the text of each file by its path.

    The schema may change until version 0.1.0 is released. From then on its files stay as they are.
    """
    files = {
        STATEMENTS_FOLDER / engine / f"{name}.sql": text
        for engine, statements_of in STATEMENTS.items()
        for name, text in statements_of().items()
    }
    return files | {SCHEMA_FOLDER / f"{name}.sql": text for name, text in schema.files().items()}
