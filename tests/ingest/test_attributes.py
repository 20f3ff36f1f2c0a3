"""What the tables find in a span is remembered by the names of its attributes, never by their values."""

from collections.abc import Iterator

import pytest

from ingest import attributes
from ingest import conventions as c
from ingest.attributes import LONGEST_SHAPE, MOST_SHAPES, Attributes


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    attributes.shapes.clear()
    yield
    attributes.shapes.clear()


def test_spans_with_the_same_names_are_searched_once_and_keep_their_own_values() -> None:
    one, other = Attributes({"user.id": "ann"}), Attributes({"user.id": "bob"})
    assert (one.text(c.USER), other.text(c.USER)) == ("ann", "bob")
    assert list(attributes.shapes) == [("user.id",)]


def test_the_first_name_of_the_table_wins_in_whatever_order_they_come() -> None:
    later_first = {"enduser.id": "bob", "user.id": "ann"}
    assert Attributes(later_first).text(c.USER) == "ann"
    assert Attributes(dict(reversed(later_first.items()))).text(c.USER) == "ann"


def test_no_more_shapes_are_remembered_than_a_bound() -> None:
    for number in range(3 * MOST_SHAPES):
        assert Attributes({"user.id": "ann", f"own.{number}": 1}).text(c.USER) == "ann"
    assert len(attributes.shapes) <= MOST_SHAPES


def test_names_too_long_to_be_remembered_are_read_all_the_same() -> None:
    assert Attributes({"user.id": "ann", "x" * LONGEST_SHAPE: 1}).text(c.USER) == "ann"
    assert not attributes.shapes
