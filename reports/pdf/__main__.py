"""Reads templates and data from the standard input, and writes the PDF to the standard output."""

import resource
import sys
import tempfile

import orjson
import typst

from reports.pdf.fonts import folders

MOST_BYTES = 2 * 1024**3
"""Of addresses: the program and its fonts take 300 MB of them, most of which are never memory."""
MOST_PROCESSOR_SECONDS = 25


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_PROCESSOR_SECONDS, MOST_PROCESSOR_SECONDS))
    order = orjson.loads(sys.stdin.buffer.read())
    files = {name: body.encode() for name, body in order["files"].items()}
    sys.stdout.buffer.write(compiled(files, order["seconds"]))


def compiled(files: dict[str, bytes], seconds: int) -> bytes:
    """Compiles main.typ. The root is an empty folder, which is also where packages would be."""
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders())
    with tempfile.TemporaryDirectory() as empty:
        body: bytes = typst.compile(  # type: ignore[call-overload]  # its types know one file only
            files,
            root=empty,
            font_paths=fonts,
            package_path=empty,
            package_cache_path=empty,
            format="pdf",
            pdf_standards=["ua-1"],
            timestamp=seconds,
        )
    return body


if __name__ == "__main__":
    main()
