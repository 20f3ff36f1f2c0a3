"""Text as the template reads it: it never becomes markup, breaks within long names, and runs in its own direction."""

import re
from typing import Any

from reports.pdf.letters import is_right_to_left, pieces, readable

Flowing = str | dict[str, Any]
"""A text that runs from left to right and has no long words is itself; others are pieces and their direction."""


BEFORE_UNIT = re.compile(r"(?<=\d) (?=(?:%|ms|s|min|h|d|M|B|T)(?!\w))")
NO_BREAK_SPACE = "\u00a0"


def flowing(text: str) -> Flowing:
    """Returns a text that may take several lines. No line breaks between a number and its unit."""
    text = BEFORE_UNIT.sub(NO_BREAK_SPACE, text)
    parts, is_rtl = pieces(text), is_right_to_left(text)
    words = [part for part in parts if part]
    has_long_word = any(not one.endswith(" ") for one in words[:-1])
    if not has_long_word and not is_rtl:
        return text
    return {"pieces": joined(words), "isRtl": is_rtl}


def joined(words: list[str]) -> list[str]:
    """Joins words that are separated by spaces: lines break there anyway."""
    found: list[str] = []
    for word in words:
        if found and found[-1].endswith(" "):
            found[-1] += word
        else:
            found.append(word)
    return found


def with_readable_text(value: Any) -> Any:
    """Returns a copy of the document, or of a part of it, in which every text can be typeset."""
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, tuple) and hasattr(value, "_make"):
        return value._make(map(with_readable_text, value))
    if isinstance(value, list | tuple):
        return list(map(with_readable_text, value))
    return value
