"""The documents of docs/ as pages, so that an empty panel can link to the one that helps."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from web.declared_access import public

FOLDER = Path(settings.BASE_DIR) / "docs"


class Document(NamedTuple):
    name: str
    title: str
    html: SafeString


@public
@require_safe
def documents(request: HttpRequest) -> HttpResponse:
    return render(request, "documents.html", {"documents": everything().values()})


@public
@require_safe
def document(request: HttpRequest, name: str) -> HttpResponse:
    if name not in everything():
        raise Http404
    return render(request, "documents.html", {"documents": everything().values(), "shown": everything()[name]})


@cache
def everything() -> dict[str, Document]:
    return {path.stem: read(path) for path in sorted(FOLDER.glob("*.md"))}


def read(path: Path) -> Document:
    # HTML in Markdown is off: all markup of the result is the renderer's own.
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(path.read_text())
    title = next((tokens[place + 1].content for place, token in enumerate(tokens) if token.tag == "h1"), path.stem)
    for token in tokens:
        if token.type == "table_open":
            token.attrSet("tabindex", "0")  # the keyboard can scroll a wide table
        for child in token.children or ():
            link_to_page(child)
    html = markdown.renderer.render(tokens, markdown.options, {})
    return Document(path.stem, title, mark_safe(html))  # noqa: S308 (the product's own documents)


def link_to_page(token: Token) -> None:
    """Makes a link to another document one to its page. A file without a page is named, without a link."""
    target = str(token.attrs.get("href", ""))
    if token.type != "link_open" or target.startswith(("#", "https:", "http:")):
        return
    name, _, place = target.partition("#")
    if name.endswith(".md") and (FOLDER / name).resolve().parent == FOLDER:
        token.attrs["href"] = reverse("document", args=[Path(name).stem]) + (f"#{place}" if place else "")
    else:
        del token.attrs["href"]
