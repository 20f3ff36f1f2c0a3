"""Reads `.env`."""

import os
from pathlib import Path

from dotenv import dotenv_values

FILE = Path(__file__).resolve().parent.parent / ".env"


def load_env_file(file: Path = FILE) -> None:
    """Puts what `.env` says into the environment, which wins where it has a variable already.

    `$` is an ordinary character here. Docker compose reads the same file and replaces `$NAME`, except in '…'.
    """
    for name, value in dotenv_values(file, interpolate=False).items():
        if value:
            os.environ.setdefault(name, value)
