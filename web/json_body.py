"""Checks the size and depth of JSON bodies, and then parses them.

Without the checks a body of empty objects takes seconds to parse, and thirty times its size in memory.
"""

import json
import re
from array import array
from itertools import accumulate
from typing import Any

import orjson

from web.problems import Problem

DEEPEST = 64
"""Levels of lists and objects in an item."""
MOST_LEVELS = 2 * DEEPEST
"""Levels of a body of items. An item that is a little too deep is still parsed, and then refused without the others."""
MOST_OTLP_LEVELS = 8 * DEEPEST
"""Levels of a body of OTLP, which writes one level of a value as up to four."""

MOST_VALUES = 400_000
"""Objects and lists of a body. 8 MiB of real spans have fewer."""
MOST_QUOTES = 2_000_000

TEXT = re.compile(rb'"[^"]*"')
STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b'"[]{}'))


def parsed(body: bytes, most_levels: int = MOST_LEVELS) -> Any:
    """Raises 400 for a body that is not JSON or is nested too deep, 413 for one with too many values."""
    check_size(body)
    check_levels(body, most_levels)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    # The standard parser accepts NaN and lone surrogates. It would accept UTF-16 too, in which check_levels finds no
    # brackets: so the body is decoded first.
    try:
        return json.loads(body.decode("utf-8-sig", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise Problem(400, f"The body is not JSON: {error}.") from error


def check_size(body: bytes) -> None:
    """Raises 413 for a body with more objects, lists and texts than 8 MiB of real spans have."""
    if body.count(b"{") + body.count(b"[") > MOST_VALUES or body.count(b'"') > MOST_QUOTES:
        raise too_many_values()


def too_many_values() -> Problem:
    return Problem(413, f"More than {MOST_VALUES} values in a request; send smaller batches.")


def check_levels(body: bytes, most: int = DEEPEST) -> None:
    """Raises 400 for lists and objects that are nested deeper than `most` levels."""
    if body.count(b"[") + body.count(b"{") <= most:
        return
    brackets = body.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, ALL_BUT_BRACKETS).replace(b'""', b"")
    steps = array("b", TEXT.sub(b"", brackets).translate(STEPS))  # 1 where a list or an object begins, -1 where it ends
    if max(accumulate(steps), default=0) > most:
        raise Problem(400, f"The body is nested deeper than {most} levels.")
