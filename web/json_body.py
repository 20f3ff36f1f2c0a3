"""JSON bodies: checked for size and depth before they are parsed.

A body of empty objects takes thirty times its size in memory to parse, and seconds.
"""

import json
import re
from array import array
from itertools import accumulate
from typing import Any

import orjson

from web.problems import Problem

DEEPEST = 64
"""Levels of lists and objects that an item may have."""
MOST_LEVELS = 2 * DEEPEST
"""Of items: one that is a little too deep can still be told from its neighbours, and is refused alone."""
MOST_OTLP_LEVELS = 8 * DEEPEST
"""OTLP takes up to four levels to say one of a value."""

MOST_VALUES = 400_000
"""Objects and lists. 8 MiB of real spans have fewer."""
MOST_QUOTES = 2_000_000

TEXT = re.compile(rb'"[^"]*"')
STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b'"[]{}'))


def parsed(body: bytes, most_levels: int = MOST_LEVELS) -> Any:
    """Raises 400 for what is no JSON or is nested too deep, 413 for too much of it."""
    check_size(body)
    check_levels(body, most_levels)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    # The lenient parser takes NaN and lone surrogates; left to itself also UTF-16, in which no brackets are counted.
    try:
        return json.loads(body.decode("utf-8-sig", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise Problem(400, f"The body is not JSON: {error}.") from error


def check_size(body: bytes) -> None:
    """Raises 413 for more objects, lists and texts than 8 MiB of real spans have."""
    if body.count(b"{") + body.count(b"[") > MOST_VALUES or body.count(b'"') > MOST_QUOTES:
        raise too_many_values()


def too_many_values() -> Problem:
    return Problem(413, f"More than {MOST_VALUES} values in a request; send smaller batches.")


def check_levels(body: bytes, most: int = DEEPEST) -> None:
    """Raises 400 for more lists and objects within each other."""
    if body.count(b"[") + body.count(b"{") <= most:
        return
    brackets = body.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, ALL_BUT_BRACKETS).replace(b'""', b"")
    steps = array("b", TEXT.sub(b"", brackets).translate(STEPS))  # 1 into a list or an object, -1 out of it
    if max(accumulate(steps), default=0) > most:
        raise Problem(400, f"The body is nested deeper than {most} levels.")
