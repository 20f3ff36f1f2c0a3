"""The rollups of `traces`: `catalogue.py` defines them, `sql/` holds the statements that are made from it."""

from pathlib import Path

STATEMENTS_FOLDER = Path(__file__).parent / "sql"


def read_statement(engine: str, name: str) -> str:
    """Returns the text of a checked-in statement."""
    return (STATEMENTS_FOLDER / engine / f"{name}.sql").read_text()
