"""The rollups of `traces`: `catalogue.py` defines them, `sql/` holds the statements that are made from it."""

from itertools import dropwhile
from pathlib import Path

STATEMENTS_FOLDER = Path(__file__).parent / "sql"


def read_statement(engine: str, name: str) -> str:
    """Returns the text of a checked-in statement, without the comments at its head: they are for those who read it."""
    lines = (STATEMENTS_FOLDER / engine / f"{name}.sql").read_text().splitlines(keepends=True)
    return "".join(dropwhile(lambda line: line.startswith("--"), lines))
