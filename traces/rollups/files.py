"""The text of the checked-in SQL files. A test compares the files with it."""

from pathlib import Path

from traces.rollups import STATEMENTS_FOLDER, statements, verification

STATEMENTS = {
    "postgresql": statements.postgresql_statements,
    "timescaledb": statements.timescaledb_statements,
    "verification": verification.statements,
}


def expected_files() -> dict[Path, str]:
    """Returns the text of each file by its path.

    The files of the schema are not among them: databases have run them, so they stay as they are.
    """
    return {
        STATEMENTS_FOLDER / engine / f"{name}.sql": text
        for engine, statements_of in STATEMENTS.items()
        for name, text in statements_of().items()
    }
