"""Reads the lines that send traces with a key from docs/clients.md, their only home."""

from functools import cache
from itertools import pairwise
from typing import NamedTuple

from markdown_it import MarkdownIt

from analytics.documents import EXAMPLE_BASE, FOLDER

HEADING = "## Lines to paste"
KEY = "aop_..."


class Lines(NamedTuple):
    """What somebody pastes to send traces from one kind of program."""

    title: str
    text: str


def lines_with(base: str, secret: str) -> list[Lines]:
    """Returns the lines with the address of this product, which has no slash at its end, and the secret of a key."""
    return [
        Lines(title, EXAMPLE_BASE.sub(lambda _: base, text).replace(KEY, secret)) for title, text in documented_lines()
    ]


@cache
def documented_lines() -> list[Lines]:
    document = (FOLDER / "clients.md").read_text(encoding="utf-8")
    section = document.partition(f"\n{HEADING}\n")[2].partition("\n## ")[0]
    tokens = [token for token in MarkdownIt().parse(section) if token.type in ("inline", "code_block")]
    return [
        Lines(title.content, code.content.rstrip()) for title, code in pairwise(tokens) if code.type == "code_block"
    ]
