from typing import TypedDict

import pytest

from traces.db import row, rows

pytestmark = pytest.mark.django_db(databases="__all__")


class Point(TypedDict):
    x: int
    y: int


def test_rows_are_dictionaries_by_alias() -> None:
    assert rows(
        "SELECT x, %(y)s AS y FROM {numbers} ORDER BY x", {"y": 3}, row_type=Point, numbers="(VALUES (1), (2)) AS v (x)"
    ) == [
        {"x": 1, "y": 3},
        {"x": 2, "y": 3},
    ]


@pytest.mark.parametrize("columns", ["1 AS x", "1 AS x, 2 AS y, 3 AS z", "1 AS x, 2 AS z", "1 AS x, 2 AS x, 3 AS y"])
def test_a_query_whose_aliases_are_not_the_fields_of_its_type_fails(columns: str) -> None:
    with pytest.raises(TypeError, match="Point has x, y"):
        row(f"SELECT {columns}", {}, row_type=Point)


def test_a_wrong_query_also_fails_when_it_returns_no_row() -> None:
    with pytest.raises(TypeError, match="The query names x; Point has x, y"):
        rows("SELECT 1 AS x WHERE false", {}, row_type=Point)
