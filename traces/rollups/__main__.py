"""Writes the SQL that is made from the catalogue: `python -m traces.rollups`.

With the names of new rollups it prints their tables on each engine, for a migration: `python -m traces.rollups tools`.
"""

import sys
from collections.abc import Container

from traces.rollups.catalogue import ROLLUPS
from traces.rollups.files import expected_files
from traces.rollups.schema import tables


def print_tables(names: Container[str]) -> None:
    for rollup in ROLLUPS:
        if rollup.name in names:
            print(tables(rollup))


def write_files() -> None:
    for path, text in expected_files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(path)


if __name__ == "__main__":
    print_tables(sys.argv[1:]) if sys.argv[1:] else write_files()
