"""Checks the size and depth of JSON bodies, and then parses them.

Without the checks, a body of empty objects takes seconds to parse and needs thirty times its size in memory.
"""

import json
import re
from array import array
from itertools import accumulate
from typing import Any

import orjson

from web.problems import Problem

MAX_DEPTH = 64
"""Levels of lists and objects in an item."""
MAX_LEVELS = 2 * MAX_DEPTH
"""Levels of a body of items. An item that is a little too deep is still parsed, so that it alone is refused."""
MAX_OTLP_LEVELS = 8 * MAX_DEPTH
"""Levels of a body of OTLP, which writes one level of a value as up to four."""

MAX_VALUES = 400_000
"""Objects and lists of a body. 8 MiB of real spans have fewer."""
MAX_QUOTES = 2_000_000

QUOTED_TEXT = re.compile(rb'"[^"]*"')
STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b'"[]{}'))


def parse_json(body: bytes, max_levels: int = MAX_LEVELS) -> Any:
    """Returns the parsed body.

    Raises 400 for a body that is not JSON or is nested too deep, 413 for one with too many values.
    """
    check_value_count(body)
    check_levels(body, max_levels)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    # The standard parser accepts NaN and lone surrogates. It would accept UTF-16 too, in which check_levels finds no
    # brackets: so the body is decoded from UTF-8 first.
    try:
        return json.loads(body.decode("utf-8-sig", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise Problem(400, f"The body is not JSON: {error}.") from error


def check_value_count(body: bytes) -> None:
    """Raises 413 for a body with more objects, lists and texts than 8 MiB of real spans have."""
    if body.count(b"{") + body.count(b"[") > MAX_VALUES or body.count(b'"') > MAX_QUOTES:
        raise too_many_values()


def too_many_values() -> Problem:
    return Problem(413, f"More than {MAX_VALUES} values in a request; send smaller batches.")


def check_levels(body: bytes, max_levels: int = MAX_DEPTH) -> None:
    """Raises 400 for lists and objects that are nested deeper than `max_levels` levels."""
    if body.count(b"[") + body.count(b"{") <= max_levels:
        return
    brackets = body.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, ALL_BUT_BRACKETS).replace(b'""', b"")
    # 1 where a list or an object begins, -1 where it ends.
    steps = array("b", QUOTED_TEXT.sub(b"", brackets).translate(STEPS))
    if max(accumulate(steps), default=0) > max_levels:
        raise Problem(400, f"The body is nested deeper than {max_levels} levels.")
