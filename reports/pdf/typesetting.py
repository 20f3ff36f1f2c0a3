"""Runs the compiler in a process of its own, with limits of time and memory.

So the memory of the process that wants the PDF stays as it is, and a document that would take forever ends.
"""

import subprocess
import sys
from datetime import datetime
from math import ceil
from pathlib import Path

import orjson

from reports.pdf.fonts import folders

# -I: it reads no variable of the environment, and imports from the installed packages only.
COMMAND = [sys.executable, "-I", str(Path(__file__).with_name("compiler.py"))]
MOST_SECONDS = 30
MOST_BYTES = 2 * 1024**3
"""Limits the address space. The program and its fonts reserve 300 MB of it, but use only a part as memory."""


class PdfError(Exception):
    """The PDF could not be made. The text says why."""


def typeset(files: dict[str, bytes], made_at: datetime) -> bytes:
    """Compiles main.typ, which may read the other files and nothing else."""
    try:
        done = subprocess.run(  # noqa: S603
            COMMAND, input=order_of(files, made_at), capture_output=True, timeout=MOST_SECONDS, env={}, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise PdfError(f"The PDF was not ready after {MOST_SECONDS} seconds: choose a shorter window.") from error
    if done.returncode:
        raise PdfError(f"The PDF could not be made: {reason(done.stderr)}")
    return done.stdout


def order_of(files: dict[str, bytes], made_at: datetime) -> bytes:
    """Returns what the compiler reads from its standard input."""
    return orjson.dumps(
        {
            "files": {name: body.decode() for name, body in files.items()},
            "font_folders": folders(),
            "made_at": int(made_at.timestamp()),
            "most_seconds": ceil(MOST_SECONDS),
            "most_bytes": MOST_BYTES,
        }
    )


def reason(errors: bytes) -> str:
    """Returns the last line of a traceback, which names the error."""
    lines = errors.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "the compiler was stopped"
