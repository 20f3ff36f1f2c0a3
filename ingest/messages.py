"""Masks credentials in the error messages that clients send: providers repeat the key that they refuse."""

import re
from typing import Any

from traces.text import ATTRIBUTE_LENGTH, MESSAGE_LENGTH
from web.masking import without_secrets

MESSAGE_NAME = re.compile(r"error|exception|stack_?trace|status_message|failure", re.IGNORECASE)
"""Matches the names of attributes that hold an error message."""


def safe_message(text: str, length: int = MESSAGE_LENGTH) -> str:
    """Returns the text without credentials. It is cut at twice its stored length, so no credential is cut first."""
    return without_secrets(text[: 2 * length])


def holds_message(name: str) -> bool:
    return MESSAGE_NAME.search(name) is not None


def safe_attribute(name: str, value: Any) -> Any:
    """Returns the value, with credentials masked if it is an error message."""
    return safe_value(value) if holds_message(name) else value


def safe_value(value: Any) -> Any:
    if isinstance(value, str):
        return safe_message(value, ATTRIBUTE_LENGTH)
    if isinstance(value, dict):
        return {key: safe_value(item) for key, item in value.items()}
    return [safe_value(item) for item in value] if isinstance(value, list) else value
