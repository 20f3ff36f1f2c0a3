"""Makes text and JSON such that PostgreSQL can store them."""

import re
from hashlib import sha256
from typing import Any

from web.json_body import MAX_DEPTH

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
CUT_SUFFIX = "…[cut {digest}]"
CUT_SUFFIX_LENGTH = len(CUT_SUFFIX.format(digest="12345678"))
CUT_SUFFIX_EXTRA_BYTES = len(CUT_SUFFIX.encode()) - len(CUT_SUFFIX)

ID_LENGTH = 256
NAME_LENGTH = 256
MESSAGE_LENGTH = 8 * 1024
ATTRIBUTE_LENGTH = 64 * 1024


def clean(text: str, length: int) -> str:
    """Returns the text with U+FFFD for NUL and lone surrogates, and cut if it is too long.

    A cut text ends with a digest of the whole text, so that two long ids with the same beginning stay different. The
    length of ids and names is limited in bytes, not in characters: an index entry of `traces` holds eight of them.
    PostgreSQL refuses an entry above 2,704 bytes, and the whole batch with it, each time it is sent.
    """
    if len(text) <= length and text.isascii() and "\0" not in text:
        return text
    cut = text if len(text) <= length else text[: length - CUT_SUFFIX_LENGTH] + cut_suffix(text)
    storable = UNSTORABLE.sub("\ufffd", cut)
    if length <= NAME_LENGTH and len(encoded := storable.encode()) > length + CUT_SUFFIX_EXTRA_BYTES:
        return encoded[: length - CUT_SUFFIX_LENGTH].decode("utf-8", "ignore") + cut_suffix(text)
    return storable


def cut_suffix(text: str) -> str:
    return CUT_SUFFIX.format(digest=sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8])


def clean_json(value: Any, depth: int = MAX_DEPTH) -> Any:
    """Returns the value with every text in it cleaned. Raises ValueError if JSON or PostgreSQL cannot hold it."""
    if depth == 0:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
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
