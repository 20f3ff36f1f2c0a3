"""Text as PostgreSQL can keep it."""

import re
from hashlib import sha256
from typing import Any

from web.json_body import DEEPEST

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
MARK = "…[cut {digest}]"
MARK_LENGTH = len(MARK.format(digest="12345678"))
MARK_EXTRA_BYTES = len(MARK.encode()) - len(MARK)

ID_LENGTH = 256
NAME_LENGTH = 256
MESSAGE_LENGTH = 8 * 1024
ATTRIBUTE_LENGTH = 64 * 1024


def clean(text: str, length: int) -> str:
    """NUL and lone surrogates become U+FFFD; what is over-long is cut and marked with a digest of the whole.

    The digest keeps two long ids with the same beginning apart. Of ids and names bytes count, not characters: an index
    entry of `traces` holds eight, and PostgreSQL refuses one above 2,704 bytes, with it the batch, whenever it is sent.
    """
    if len(text) <= length and text.isascii() and "\0" not in text:
        return text
    kept = UNSTORABLE.sub("\ufffd", text if len(text) <= length else text[: length - MARK_LENGTH] + mark_of(text))
    if length <= NAME_LENGTH and len(whole := kept.encode()) > length + MARK_EXTRA_BYTES:
        return whole[: length - MARK_LENGTH].decode("utf-8", "ignore") + mark_of(text)
    return kept


def mark_of(text: str) -> str:
    return MARK.format(digest=sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8])


def clean_json(value: Any, depth: int = DEEPEST) -> Any:
    """Every text in it cleaned. Raises ValueError for what JSON or PostgreSQL cannot hold."""
    if depth == 0:
        raise ValueError(f"nested deeper than {DEEPEST} levels")
    if isinstance(value, str):
        return clean(value, ATTRIBUTE_LENGTH)
    if isinstance(value, dict):
        return {clean(key, ID_LENGTH): clean_json(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [clean_json(item, depth - 1) for item in value]
    if isinstance(value, float) and not -float("inf") < value < float("inf"):
        raise ValueError("NaN and infinity are not numbers that can be stored")
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise ValueError("a whole number is beyond 64 bits")
    return value
