"""Runs the compiler in a process of its own, with limits of time and memory.

So the memory of the process that wants the PDF stays as it is, and a document that would take forever ends.
"""

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import orjson

ROOT = Path(__file__).resolve().parents[2]
MOST_SECONDS = 30


class PdfError(Exception):
    """The PDF could not be made. The text says why."""


def typeset(files: dict[str, bytes], made_at: datetime) -> bytes:
    """Compiles the first of the files, which may read the others and nothing else."""
    order = orjson.dumps(
        {"files": {name: body.decode() for name, body in files.items()}, "seconds": int(made_at.timestamp())}
    )
    try:
        done = subprocess.run(
            [sys.executable, "-m", "reports.pdf"],
            input=order,
            capture_output=True,
            cwd=ROOT,
            timeout=MOST_SECONDS,
            env={},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PdfError(
            f"The PDF was not ready after {MOST_SECONDS} seconds. Choose a shorter window or fewer rows."
        ) from error
    if done.returncode:
        raise PdfError(done.stderr.decode(errors="replace"))
    return done.stdout
