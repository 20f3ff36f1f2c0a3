"""The rollups of `traces`: `catalogue.py` says what they are, `sql/` holds the statements made from it."""

from pathlib import Path

SQL = Path(__file__).parent / "sql"


def statement(engine: str, name: str) -> str:
    """The text of a checked-in statement."""
    return (SQL / engine / f"{name}.sql").read_text()
