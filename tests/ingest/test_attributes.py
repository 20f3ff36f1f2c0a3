"""The places found in a span are remembered by the names of its attributes, never by their values."""

from collections.abc import Iterator

import pytest

from ingest import attributes, fields
from ingest.attributes import MAX_SHAPE_LENGTH, MAX_SHAPES, Attributes


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    attributes.shapes.clear()
    yield
    attributes.shapes.clear()


def test_spans_with_the_same_names_are_searched_once_and_keep_their_own_values() -> None:
    ann, bob = Attributes({"user.id": "ann"}), Attributes({"user.id": "bob"})
    assert (ann.text(fields.USER), bob.text(fields.USER)) == ("ann", "bob")
    assert list(attributes.shapes) == [("", ("user.id",))]


def test_the_first_name_of_a_field_wins_in_every_order_of_the_attributes() -> None:
    later_first = {"enduser.id": "bob", "user.id": "ann"}
    assert Attributes(later_first).text(fields.USER) == "ann"
    assert Attributes(dict(reversed(later_first.items()))).text(fields.USER) == "ann"


def test_the_number_of_remembered_shapes_is_bounded() -> None:
    for number in range(3 * MAX_SHAPES):
        assert Attributes({"user.id": "ann", f"own.{number}": 1}).text(fields.USER) == "ann"
    assert len(attributes.shapes) <= MAX_SHAPES


def test_names_that_are_too_long_to_be_remembered_are_still_read() -> None:
    assert Attributes({"user.id": "ann", "x" * MAX_SHAPE_LENGTH: 1}).text(fields.USER) == "ann"
    assert not attributes.shapes
