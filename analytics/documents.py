"""Serves the documents of docs/ as pages, so that an empty panel can link to the one that helps, and searches them."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from django.views.decorators.http import require_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from analytics.openapi import openapi_document
from web.declared_access import public

EXAMPLE_BASE = re.compile(r"http://(127\.0\.0\.1|localhost):8000(?=/)|https://traces\.example\.com")
"""The address of the product in examples. Where a proxy passes requests to, it has no slash."""
FOLDER = Path(settings.BASE_DIR) / "docs"
DECISIONS = FOLDER / "decisions"
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Send traces", ("clients", "ingestion", "labels")),
    ("Look and ask", ("traces", "entities", "query", "dashboards", "insights", "comparison", "methods")),
    ("Cost, budgets and alerts", ("cost", "budgets", "savings", "alerts")),
    ("Take it along", ("reports", "schedules", "exports", "sql", "grafana", "mcp")),
    ("Run it", ("deployment", "access", "settings", "accounts", "mail", "operations")),
    ("How it is built", ("storage", "performance", "dependencies", "decisions")),
)
"""The documents by what one wants to do. What is in no group comes last."""
DECISION = "decision-"
LONGEST_SEARCH = 256
EXCERPT = 160
# Each block of code has a button that copies it.
SNIPPET = (
    '<div class="snippet"><pre id="code-{number}" tabindex="0"><code>{code}</code></pre>'
    '<button type="button" data-copy="code-{number}">Copy</button></div>\n'
)


class Section(NamedTuple):
    """What stands below one heading of a document, as plain text."""

    heading: str
    anchor: str
    text: str


class Document(NamedTuple):
    name: str
    title: str
    summary: str
    """The first sentence, for the list of documents; empty where it begins with a command."""
    html: SafeString
    sections: Sequence[Section]


class Found(NamedTuple):
    """A place that a search has found."""

    title: str
    heading: str
    address: str
    excerpt: str


@public
@require_safe
def documents(request: HttpRequest) -> HttpResponse:
    search = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
    places = [place._replace(excerpt=here(place.excerpt, request)) for place in found(search)] if search else []
    context = {"groups": groups(), "is_index": not search, "search": search, "found": places}
    return render(request, "documents.html", context)


@public
@require_safe
def document(request: HttpRequest, name: str) -> HttpResponse:
    if name not in all_documents():
        raise Http404
    shown = all_documents()[name]
    html = here(shown.html, request)
    # The product's own documents.
    context = {"groups": groups(), "current": shown._replace(html=mark_safe(html))}  # noqa: S308
    return render(request, "documents.html", context)


def here(text: str, request: HttpRequest) -> str:
    """Puts the address of this installation into the examples."""
    base = escape(f"{request.scheme}://{request.get_host()}")
    return EXAMPLE_BASE.sub(lambda _: base, text)


def groups() -> list[tuple[str, list[Document]]]:
    """Returns the documents by task. Decisions are named by one of them only."""
    grouped = [name for _, names in GROUPS for name in names]
    others = [name for name in all_documents() if name not in grouped and not name.startswith(DECISION)]
    named = [(title, [all_documents()[name] for name in names]) for title, names in (*GROUPS, ("More", others))]
    return [(title, found) for title, found in named if found]


# --- Search ---


def found(search: str) -> list[Found]:
    """Returns the places that have all words: first headings, then texts, then calls of the API."""
    words = search.lower().split()
    places = [
        (not has_all(f"{document.title} {section.heading}", words), document, section)
        for document in all_documents().values()
        for section in document.sections
        if has_all(f"{document.title} {section.heading} {section.text}", words)
    ]
    places.sort(key=lambda place: place[0])
    return [*(found_section(document, section, words) for _, document, section in places), *found_calls(words)]


def has_all(text: str, words: Sequence[str]) -> bool:
    lowered = text.lower()
    return all(word in lowered for word in words)


def found_section(document: Document, section: Section, words: Sequence[str]) -> Found:
    address = reverse("document", args=[document.name])
    place = f"{address}#{section.anchor}" if section.anchor else address
    return Found(document.title, section.heading, place, excerpt(section.text, words))


def found_calls(words: Sequence[str]) -> Iterator[Found]:
    for path, methods in openapi_document()["paths"].items():
        for method, operation in methods.items():
            call = f"{method.upper()} {path}"
            if has_all(f"{call} {operation['summary']}", words):
                address = reverse("operation", args=[operation["operationId"]])
                yield Found("API", call, address, operation["summary"])


def excerpt(text: str, words: Sequence[str]) -> str:
    """Returns the part of the text around the first of the words that it has."""
    at = min((place for word in words if (place := text.lower().find(word)) >= 0), default=0)
    start = max(0, at - EXCERPT // 2)
    part = text[start : start + EXCERPT]
    return f"{'… ' if start else ''}{part}{' …' if start + EXCERPT < len(text) else ''}"


def first_sentence(tokens: Sequence[Token]) -> str:
    kinds = ("paragraph_open", "fence", "code_block")
    first = next((place for place, token in enumerate(tokens) if token.type in kinds), None)
    if first is None or tokens[first].type != "paragraph_open":
        return ""
    return re.split(r"(?<=\.)\s|:", plain(tokens[first + 1]), maxsplit=1)[0]


# --- From Markdown to pages ---


@cache
def all_documents() -> dict[str, Document]:
    paths = [*sorted(FOLDER.glob("*.md")), *sorted(DECISIONS.glob("*.md"))]
    return {name_of(path): render_document(path) for path in paths}


def name_of(path: Path) -> str:
    """Returns the name of the document's page; the decisions have one page each, and a list."""
    if path.parent != DECISIONS:
        return path.stem
    return "decisions" if path.stem == "README" else f"{DECISION}{path.stem}"


def render_document(path: Path) -> Document:
    # HTML in Markdown is off: all markup of the result comes from the renderer.
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(path.read_text())
    sections, summary = [*sections_of(tokens)], first_sentence(tokens)
    for number, token in enumerate(tokens):
        if token.type in ("code_block", "fence"):
            token.type, token.content = "html_block", SNIPPET.format(number=number, code=escape(token.content.rstrip()))
        if token.type == "table_open":
            token.attrSet("tabindex", "0")  # the keyboard can scroll a wide table
        for child, following in pairwise(token.children or ()):
            link_to_page(child, following, path.parent)
    html = markdown.renderer.render(tokens, markdown.options, {})
    # The product's own documents.
    return Document(name_of(path), sections[0].heading or path.stem, summary, mark_safe(html), sections)  # noqa: S308


def sections_of(tokens: Sequence[Token]) -> Iterator[Section]:
    """Yields the sections, and gives each heading an id. The first has no anchor: it is the whole page."""
    heading, anchor = "", ""
    texts: list[str] = []
    for token, before in zip(tokens, [None, *tokens], strict=False):
        if before is not None and before.type == "heading_open":
            if heading:
                yield Section(heading, anchor, " ".join(texts))
            heading, texts = plain(token), []
            anchor = "" if before.tag == "h1" else slugify(heading)
            before.attrs |= {"id": anchor} if anchor else {}
        elif token.type in ("inline", "code_block", "fence"):
            texts.append(plain(token))
    yield Section(heading, anchor, " ".join(texts))


def plain(token: Token) -> str:
    """Returns the text of a token, without its markup."""
    parts = [" " if child.type == "softbreak" else child.content for child in token.children or ()]
    return " ".join("".join(parts).split()) if token.children else token.content.strip()


def link_to_page(token: Token, following: Token, folder: Path) -> None:
    """Turns a link to another document into a link to its page, and the name of its file into its title.

    A link to a file without a page becomes plain text.
    """
    target = str(token.attrs.get("href", ""))
    if token.type != "link_open" or target.startswith(("#", "https:", "http:")):
        return
    name, _, anchor = target.partition("#")
    path = (folder / name).resolve()
    if path.suffix == ".md" and path.parent in (FOLDER, DECISIONS):
        token.attrs["href"] = reverse("document", args=[name_of(path)]) + (f"#{anchor}" if anchor else "")
        if following.content == path.name:
            following.content = path.read_text().partition("\n")[0].removeprefix("# ")
    else:
        del token.attrs["href"]
