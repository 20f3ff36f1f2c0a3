"""The documents name only endpoints, packages and files that exist."""

import re
from pathlib import Path

from django.urls import URLPattern, URLResolver, get_resolver

from analytics.catalogue import METRICS

ROOT = Path(__file__).resolve().parents[2]
# Pages for people, and endpoints that only an SDK calls: other parts of the README and docs describe them.
NOT_LISTED = re.compile(r"^(favicon|admin/|dashboard/|docs/|mail/|sign-|$|v1/|api/public/|api/v1/docs|api/v1/\w+/$)")


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
