"""Reads values of attributes: JSON inside a text, and token counts in every form in which clients write them."""

import ast
from typing import Any

import orjson

from ingest.fields import Path

MAX_LITERAL_LENGTH = 16 * 1024
MAX_TOKENS = 10**9
"""No call has more tokens. A sum has 64 bits: it holds nine billion such calls, more than a week can bring."""
MAX_LATENCY_MS = 1e12
"""More than thirty years means a mistaken unit, and every average would be useless."""
MAX_COST_USD = 10**9
"""More than a billion dollars for a call means a mistaken unit, and every total would be useless."""
NO_IDENTIFIERS = frozenset({"", "null", "undefined", "none", "nil", "nan", "[object object]"})
"""Texts that clients write for a user or a session that they do not know."""


def is_identifier(text: str) -> bool:
    """Returns whether the text can name a user or a session."""
    return text.strip().lower() not in NO_IDENTIFIERS


def unquoted(text: str) -> str:
    """Returns the text inside JSON quotes, as MLflow and Langfuse write texts; other texts stay as they are."""
    if text[:1] != '"':
        return text
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return value if isinstance(value, str) else text


def structure(value: Any) -> Any:
    """Parses a text that is JSON or the repr of a Python dict; other values stay as they are."""
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return python_literal(value)


def python_literal(text: str) -> Any:
    if not text.startswith("{") or len(text) > MAX_LITERAL_LENGTH:
        return None
    try:
        value = ast.literal_eval(text)
        str(value)  # fails for a hexadecimal number with thousands of digits, which no later code can write
        return value
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None


def value_at(value: Any, path: Path) -> Any:
    """Returns the value that the keys lead to, or None."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def token_count(value: Any) -> int | None:
    """Reads a count that is a whole number, also one that is written as a text or a float."""
    if type(value) is int:
        return value if 0 <= value <= MAX_TOKENS else None
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        if not value.isdecimal() or len(value) > 16:
            return None
        value = int(value)
    if isinstance(value, float):
        if not value.is_integer():
            return None
        value = int(value)
    return token_count(value) if type(value) is int else None
