"""Makes the subject and the plain-text part of a message from its HTML part."""

import re
import unicodedata
from html.parser import HTMLParser
from typing import NamedTuple

MAX_SUBJECT_LENGTH = 200
PARAGRAPHS = {"p", "h1", "h2", "h3", "ul", "ol", "table", "pre", "blockquote", "hr"}
LINES = {"br", "div", "li", "tr"}
CELLS = {"th", "td"}
DASH = "- "
UNREAD = {"style", "script", "title"}


class TextParts(NamedTuple):
    subject: str
    text: str


def text_parts(html: str) -> TextParts:
    maker = TextMaker()
    maker.feed(html)
    maker.close()
    return TextParts(one_line(maker.title), maker.text())


def one_line(text: str) -> str:
    """Returns the text without line breaks and other control characters, so that it can be a header."""
    visible = "".join(" " if unicodedata.category(character) in ("Cc", "Cs") else character for character in text)
    line = " ".join(BIDI_CONTROLS.sub("", visible).split())
    return line if len(line) <= MAX_SUBJECT_LENGTH else line[: MAX_SUBJECT_LENGTH - 1] + "…"


# They can make a subject read as another one.
BIDI_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")


class TextMaker(HTMLParser):
    """Paragraphs get blank lines between them, items of a list a dash, and links their address: `text: url`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.line = ""
        self.lines: list[str] = []
        self.unread: str | None = None
        self.link = ""
        self.link_start = 0

    def text(self) -> str:
        self.end_line()
        return re.sub("\n{3,}", "\n\n", "\n".join(self.lines)).strip() + "\n"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in UNREAD:
            self.unread = tag
        self.break_at(tag)
        if tag == "li":
            self.line = DASH
        elif tag in CELLS and self.line.strip():
            self.line += "  "
        elif tag == "a":
            self.link, self.link_start = dict(attrs).get("href") or "", len(self.line)

    def handle_endtag(self, tag: str) -> None:
        if tag == self.unread:
            self.unread = None
        elif tag == "a":
            self.end_link()
        elif tag == "th" and self.line.strip():
            self.line = f"{self.line.rstrip()}:"
        self.break_at(tag)

    def handle_data(self, data: str) -> None:
        if self.unread == "title":
            self.title += data
        elif not self.unread:
            self.line += data

    def end_link(self) -> None:
        text = self.line[self.link_start :].strip()
        address = self.link.removeprefix("mailto:")
        if address and text != address:
            self.line = f"{self.line.rstrip()}: {address}" if text else self.line + address
        self.link = ""

    def break_at(self, tag: str) -> None:
        if self.line == DASH and tag != "li":
            return  # the item begins with a paragraph
        if tag in PARAGRAPHS:
            self.end_line()
            self.lines.append("")
        elif tag in LINES:
            self.end_line()

    def end_line(self) -> None:
        if line := " ".join(self.line.split()):
            self.lines.append(line)
        self.line = ""
