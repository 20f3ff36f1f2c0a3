"""Writes rows as CSV, in which no cell is a formula to a spreadsheet."""

import csv
from collections.abc import Iterable
from datetime import datetime
from io import StringIO
from typing import Any

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def written(lines: Iterable[Iterable[str]]) -> bytes:
    text = StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(lines)
    return text.getvalue().encode()


def cell(value: Any) -> str:
    """Formats a value. A text that a spreadsheet would run as a formula gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, list):
        return guarded("; ".join(map(plain, value)))
    if isinstance(value, dict):
        return guarded("; ".join(f"{name}={one}" for name, one in value.items()))
    return guarded(value) if isinstance(value, str) else str(value)


def plain(value: Any) -> str:
    """Formats an item of a list."""
    return ", ".join(f"{name}={one}" for name, one in value.items()) if isinstance(value, dict) else str(value)


def guarded(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
