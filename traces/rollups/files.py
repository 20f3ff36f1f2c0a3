"""What must stand in the checked-in SQL files; a test holds them equal."""

from pathlib import Path

from traces.rollups import SQL, schema, statements

MIGRATIONS = Path(__file__).parents[1] / "migrations" / "sql"
STATEMENTS = {"postgresql": statements.postgresql, "timescaledb": statements.timescaledb}


def expected_files() -> dict[Path, str]:
    """By path. The schema may change until version 0.1.0 is out; then its file is frozen."""
    found = {SQL / engine / f"{name}.sql": text for engine, made in STATEMENTS.items() for name, text in made().items()}
    return found | {MIGRATIONS / f"0001_{engine}.sql": text for engine, text in schema.files().items()}
