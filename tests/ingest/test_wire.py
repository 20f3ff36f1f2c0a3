"""The walker of protobuf's wire format: strict about the structure of a body, lenient about the contents of spans."""

import pytest

from ingest.formats import wire
from tests.ingest.test_large_bodies import field

STRUCTURE = {"list": {1: "item"}}
CONTENTS = {"item": {2: "pair"}}


def walked(body: bytes, contents: wire.MessageFields | None = None, max_parts: int = 100) -> list[bytes]:
    parts = wire.walk(body + bytes(16), ("list", 0, len(body)), STRUCTURE, contents, max_parts)
    return [body[start:end] for _, start, end in parts]


def test_it_yields_the_messages_of_the_structure_in_their_order() -> None:
    assert walked(field(1, b"a") + field(3, b"other") + b"\x20\x05" + field(1, b"bc")) == [b"a", b"bc"]


def test_it_counts_the_messages_inside_contents_and_does_not_yield_them() -> None:
    body = field(1, field(2, b"x") * 3)
    assert walked(body, CONTENTS, max_parts=4) == [field(2, b"x") * 3]
    with pytest.raises(wire.TooManyParts):
        walked(body, CONTENTS, max_parts=3)


@pytest.mark.parametrize(
    "broken",
    [b"\x0a\x7fshort", b"\x0b", b"\x08" + b"\xff" * 10 + b"\x01", b"\xff" * 11, b"\x09\x00"],
    ids=["length beyond the end", "group", "number above 64 bits", "tag above 64 bits", "cut off"],
)
def test_a_broken_structure_raises(broken: bytes) -> None:
    with pytest.raises((IndexError, ValueError)):
        walked(field(1, b"a") + broken)


@pytest.mark.parametrize("broken", [b"\x12\x7fshort", b"\x13", b"\x2f\x00", b"\x09\x00"])
def test_broken_contents_cost_nothing_else(broken: bytes) -> None:
    assert walked(field(1, broken) + field(1, b""), CONTENTS) == [broken, b""]
