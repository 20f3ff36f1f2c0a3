"""Writes messages into a folder instead of sending them, and reads them again."""

import os
import re
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from email import policy
from email.message import EmailMessage as ParsedMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

# The older ones are deleted.
MAX_FILES = 1000
# A process that was killed has left them.
UNFINISHED = ".unfinished"
UNFINISHED_SECONDS = 3600
NAME = re.compile(r"\d{20}-[0-9a-f]{8}")


class EmailBackend(BaseEmailBackend):
    """Writes each message into a file of its own, which only the user of this process can read.

    Django's own backend for files writes under the names and modes of the moment, and not in one step.
    """

    def __init__(self, file_path: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.folder = Path(file_path or str(settings.EMAIL_FILE_PATH))

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for message in email_messages:
            write_privately(self.folder / f"{new_name()}.eml", message.message().as_bytes())
        delete_oldest(self.folder)
        delete_unfinished(self.folder)
        return len(email_messages)


def new_name() -> str:
    """Returns a name that sorts by time. Nothing of the message is in it."""
    return f"{time.time_ns():020}-{secrets.token_hex(4)}"


def write_privately(path: Path, content: bytes) -> None:
    """Writes a file that is complete whenever it can be seen."""
    unfinished = path.with_suffix(UNFINISHED)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    unfinished.rename(path)


def delete_oldest(folder: Path) -> None:
    for name in names(folder)[MAX_FILES:]:
        (folder / f"{name}.eml").unlink(missing_ok=True)


def delete_unfinished(folder: Path) -> None:
    for path in folder.glob(f"*{UNFINISHED}"):
        with suppress(FileNotFoundError):
            if NAME.fullmatch(path.stem) and path.stat().st_mtime < time.time() - UNFINISHED_SECONDS:
                path.unlink()


def names(folder: Path) -> list[str]:
    """Returns the names of the messages, the newest first."""
    return sorted((path.stem for path in folder.glob("*.eml") if NAME.fullmatch(path.stem)), reverse=True)


def read(folder: Path, name: str) -> ParsedMessage | None:
    """Returns the message of this name; None if there is none."""
    if not NAME.fullmatch(name):
        return None
    try:
        content = (folder / f"{name}.eml").read_bytes()
    except FileNotFoundError:
        return None
    return BytesParser(ParsedMessage, policy=policy.default).parsebytes(content)
