"""Serves the documents of docs/ as pages, so that an empty panel can link to the one that helps."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from web.declared_access import public

EXAMPLE_BASES = ("http://127.0.0.1:8000/", "http://localhost:8000/")
"""With their slash: the address that a proxy passes to has none."""
FOLDER = Path(settings.BASE_DIR) / "docs"


class Document(NamedTuple):
    name: str
    title: str
    html: SafeString


@public
@require_safe
def documents(request: HttpRequest) -> HttpResponse:
    return render(request, "documents.html", {"documents": all_documents().values()})


@public
@require_safe
def document(request: HttpRequest, name: str) -> HttpResponse:
    if name not in all_documents():
        raise Http404
    context = {"documents": all_documents().values(), "current": here(all_documents()[name], request)}
    return render(request, "documents.html", context)


def here(document: Document, request: HttpRequest) -> Document:
    """Puts the address of this installation into the examples."""
    base = f"{request.scheme}://{request.get_host()}/"
    html = document.html
    for example in EXAMPLE_BASES:
        html = mark_safe(html.replace(example, escape(base)))  # noqa: S308 (the product's own documents)
    return document._replace(html=html)


@cache
def all_documents() -> dict[str, Document]:
    return {path.stem: render_document(path) for path in sorted(FOLDER.glob("*.md"))}


def render_document(path: Path) -> Document:
    # HTML in Markdown is off: all markup of the result comes from the renderer.
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(path.read_text())
    title = next((tokens[index + 1].content for index, token in enumerate(tokens) if token.tag == "h1"), path.stem)
    for token in tokens:
        if token.type == "table_open":
            token.attrSet("tabindex", "0")  # the keyboard can scroll a wide table
        for child in token.children or ():
            link_to_page(child)
    html = markdown.renderer.render(tokens, markdown.options, {})
    return Document(path.stem, title, mark_safe(html))  # noqa: S308 (the product's own documents)


def link_to_page(token: Token) -> None:
    """Turns a link to another document into a link to its page. A link to a file without a page becomes plain text."""
    target = str(token.attrs.get("href", ""))
    if token.type != "link_open" or target.startswith(("#", "https:", "http:")):
        return
    name, _, anchor = target.partition("#")
    if name.endswith(".md") and (FOLDER / name).resolve().parent == FOLDER:
        token.attrs["href"] = reverse("document", args=[Path(name).stem]) + (f"#{anchor}" if anchor else "")
    else:
        del token.attrs["href"]
