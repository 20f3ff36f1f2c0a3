"""The documents name only endpoints, packages and files that exist."""

import re
from html import unescape
from pathlib import Path

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from analytics import documents
from analytics.catalogue import METRICS

ROOT = Path(__file__).resolve().parents[2]
# Pages for people, and endpoints that only an SDK calls: other parts of the README and docs describe them.
NOT_LISTED = re.compile(
    r"^(favicon|admin/|dashboard/|d/|docs/|mail/|settings/|invitations/|sign-|$|v1/|api/public/|api/v1/docs"
    r"|api/v1/settings/|api/v1/\w+/$)"
)


def routes(resolver: URLResolver, prefix: str = "") -> set[str]:
    paths: set[str] = set()
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        paths |= {path} if isinstance(pattern, URLPattern) else routes(pattern, path)
    return paths


def test_the_readme_lists_every_endpoint() -> None:
    """It has one row for the metrics of a domain, which the API page lists."""
    listed = set(re.findall(r"^\| `[A-Z|]+ /([\w/.*{}-]*)` \|", (ROOT / "README.md").read_text(), re.MULTILINE))
    domains = {f"api/v1/{metric.domain}/*" for metric in METRICS.values()}
    assert {row for row in listed if row.endswith("*")} == domains
    listed -= domains
    served = {re.sub(r"<\w+:(\w+)>", r"{\1}", route) for route in routes(get_resolver())}
    served = {re.sub(r"^api/v1/exports/\w+\.\w+$", "api/v1/exports/{rows}.{format}", route) for route in served}
    served = {re.sub(r"^api/v1/reports/[a-z]+\.[a-z]+$", "api/v1/reports/{kind}.{format}", route) for route in served}
    served = {re.sub(r"^(api/v1/reports/runs/{run_id})\.\w+$", r"\1.{format}", route) for route in served}
    assert listed - served == set()
    missing = {route for route in served - listed if not NOT_LISTED.match(route)}
    assert missing <= {f"api/v1/{route}" for route in METRICS}


def test_every_dependency_has_its_reason() -> None:
    reasons = set(re.findall(r"^\| ([\w-]+) \|", (ROOT / "docs/dependencies.md").read_text(), re.MULTILINE))
    pinned = {
        name
        for file in ROOT.glob("requirements*.in")
        for name in re.findall(r"^([\w-]+)(?:\[[\w,]+\])?==", file.read_text(), re.MULTILINE)
    }
    assert reasons - {"Package"} == pinned


def test_links_between_documents_lead_somewhere() -> None:
    for document in [ROOT / "README.md", ROOT / "SECURITY.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_every_document_is_listed_by_task_and_its_page_names_no_other_address() -> None:
    index = Client().get("/docs/").content.decode()
    for path in (ROOT / "docs").glob("*.md"):
        assert f'href="/docs/{path.stem}"' in index
        page = unescape(Client().get(f"/docs/{path.stem}", HTTP_HOST="testserver").content.decode())
        assert not re.search(r"(127\.0\.0\.1|localhost):8000/|https://traces\.example\.com", page), path
    for path in (ROOT / "docs/decisions").glob("[a-z]*.md"):
        assert Client().get(f"/docs/decision-{path.stem}").status_code == 200
    assert '/docs/decision-layers"' in Client().get("/docs/decisions").content.decode()
    tasks = [title for title, _ in documents.GROUPS]
    assert re.findall(r"<h2>(.*?)</h2>", index)[: len(tasks)] == tasks


def test_a_document_that_is_in_no_group_is_listed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "GROUPS", documents.GROUPS[1:])
    assert 'href="/docs/clients"' in Client().get("/docs/").content.decode()


def test_links_and_search_results_lead_to_headings_that_exist() -> None:
    pages = {f"/docs/{name}": document.html for name, document in documents.all_documents().items()}
    links = [link for page in pages.values() for link in re.findall(r'href="(/docs/[\w-]+)#([^"]+)"', page)]
    links += [place.address.split("#") for place in documents.found("the") if "#" in place.address]
    assert links
    for address, anchor in links:
        assert f'id="{anchor}"' in pages[address], (address, anchor)


def test_a_link_names_the_document_and_not_its_file() -> None:
    for document in documents.all_documents().values():
        assert not re.search(r"<a [^>]*>[\w-]+\.md</a>", document.html), document.name


def test_each_block_of_code_can_be_copied() -> None:
    page = Client().get("/docs/clients").content.decode()
    copied = re.findall(r'data-copy="(code-\d+)"', page)
    assert len(copied) == page.count("<pre") > 1
    assert len(set(copied)) == len(copied)
    assert all(f'<pre id="{name}"' in page for name in copied)


def test_the_search_finds_headings_texts_and_calls_of_the_api() -> None:
    page = unescape(Client().get("/docs/", {"q": "Budget RAISE"}).content.decode())
    assert 'href="/docs/budgets#a-raise-for-some-time"' in page
    assert 'href="/api/v1/docs/raise-budget"' in page
    first = documents.found("environment release")[0]
    assert "release" in f"{first.heading} {first.excerpt}".lower()
    nothing = Client().get("/docs/", {"q": "<b>zzyzx"}).content.decode()
    assert "No document and no call" in nothing
    assert "<b>zzyzx" not in nothing


def test_every_document_is_named_by_its_first_heading_and_begins_with_a_sentence() -> None:
    for name, document in documents.all_documents().items():
        assert document.title[0].isupper() or document.title[0].isdigit(), name
        assert len(document.summary) < 200, name
