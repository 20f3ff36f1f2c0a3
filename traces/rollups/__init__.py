"""The rollups of `traces`: `catalogue.py` defines them, `sql/` holds the statements that are made from it."""

from pathlib import Path

STATEMENTS_FOLDER = Path(__file__).parent / "sql"
ORIGIN = "-- Made by `python -m traces.rollups`"


def read_statement(engine: str, name: str) -> str:
    """Returns the text of a checked-in statement: with its title, for logs, and without the note of its origin."""
    lines = (STATEMENTS_FOLDER / engine / f"{name}.sql").read_text().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(ORIGIN))
