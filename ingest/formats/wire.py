"""Walks protobuf's wire format without parsing it: finds the messages inside a message by their field numbers."""

import sys
from collections.abc import Iterator, Mapping

Part = tuple[str, int, int]
"""The kind of a message, and the positions in the body where it begins and ends."""
MessageFields = Mapping[str, Mapping[int, str]]
"""For each kind of message: the numbers of the fields that are messages, and the kinds of these messages."""

MAX_VARINT_BYTES = 10
"""Bytes of a number with 64 bits."""
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class TooManyParts(Exception):
    """The walk met more messages than its caller allows."""


def walk(
    body: bytes,
    message: Part,
    structure: MessageFields,
    contents: MessageFields | None = None,
    max_parts: int = sys.maxsize,
) -> Iterator[Part]:
    """Yields the messages directly inside each message of `structure`, beginning with `message`.

    The messages of `contents` are only counted. More than `max_parts` messages in all raise TooManyParts.
    A broken message of `structure` raises IndexError or ValueError. A broken message of `contents` only ends the walk
    through this message; up to 16 bytes behind `message` may be read then, so the body must have them.

    It is one loop without calls, because a request has tens of thousands of such messages.
    """
    fields = {**structure, **(contents or {})}
    messages = [message]
    remaining = max_parts
    while messages:
        kind, position, end = messages.pop()
        inner_kinds = fields[kind]
        is_structure = kind in structure
        while position < end:
            tag = body[position]
            position += 1
            if tag >= 0x80:
                tag, position = varint(body, position - 1)
            wire_type = tag & 7
            if wire_type == BYTES:
                length = body[position]
                position += 1
                if length >= 0x80:
                    length, position = varint(body, position - 1)
                inner = inner_kinds.get(tag >> 3)
                if inner:
                    if is_structure:
                        yield inner, position, position + length
                    remaining -= 1
                    if remaining < 0:
                        raise TooManyParts
                    if length and inner in fields:
                        messages.append((inner, position, min(position + length, end)))
                position += length
            elif wire_type == VARINT:
                start = position
                while body[position] >= 0x80:
                    position += 1
                position += 1
                if is_structure and position - start > MAX_VARINT_BYTES:
                    raise ValueError("a number is longer than 64 bits")
            elif wire_type in (FIXED64, FIXED32):
                position += 8 if wire_type == FIXED64 else 4
            elif is_structure:
                raise ValueError("groups are not used by OTLP")
            elif wire_type > FIXED32:
                break  # The parser will stop here too, and this one span is rejected.
        if position > end and is_structure:
            raise ValueError("a length reaches beyond the end")


def varint(body: bytes, position: int) -> tuple[int, int]:
    """Returns the number that begins at `position`, and the position after it."""
    value = 0
    for shift in range(0, 7 * MAX_VARINT_BYTES, 7):
        byte = body[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("a number is longer than 64 bits")
