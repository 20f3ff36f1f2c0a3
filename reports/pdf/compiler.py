"""Reads an order from the standard input, and writes a PDF to the standard output. It runs as a process of its own.

It imports nothing of ours, so that it starts fast.
"""

import resource
import sys
import tempfile
from typing import Any

import orjson
import typst


def main() -> None:
    order = orjson.loads(sys.stdin.buffer.read())
    limit(resource.RLIMIT_AS, order["most_bytes"])
    limit(resource.RLIMIT_CPU, order["most_seconds"])
    sys.stdout.buffer.write(compiled(order))


def limit(kind: int, most: int) -> None:
    resource.setrlimit(kind, (most, most))


def compiled(order: dict[str, Any]) -> bytes:
    """Compiles main.typ. The root is an empty folder, which is also where packages would be."""
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=order["font_folders"])
    files = {name: order["files"].pop(name).encode() for name in list(order["files"])}
    with tempfile.TemporaryDirectory() as empty:
        body: bytes = typst.compile(  # type: ignore[call-overload]  # its types know one file only
            files,
            root=empty,
            font_paths=fonts,
            package_path=empty,
            package_cache_path=empty,
            format="pdf",
            pdf_standards=["ua-1"],
            timestamp=order["made_at"],
        )
    return body


if __name__ == "__main__":
    main()
