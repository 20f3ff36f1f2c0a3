"""The alert rules and the documents name metrics that exist."""

import re
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from observability import scrape
from web import problems

pytestmark = pytest.mark.django_db(databases="__all__")

DOCS = Path(__file__).resolve().parents[2] / "docs"
NAME = re.compile(r"\bobservability_\w+")


def families() -> dict[str, str]:
    """Returns the types of all metrics by their names, as Prometheus sees them."""
    collected = [*REGISTRY.collect(), *scrape.CurrentState().collect()]
    found = {family.name: family.type for family in collected if family.name.startswith("observability")}
    return {name + ("_total" if kind == "counter" else ""): kind for name, kind in found.items()}


def test_every_alert_uses_a_metric_that_exists() -> None:
    known = {name + ("_bucket" if kind == "histogram" else "") for name, kind in families().items()}
    named = {
        name
        for line in (DOCS / "alerts.yml").read_text().splitlines()
        if "expr:" in line
        for name in NAME.findall(line)
    }
    assert named - known == set()
    assert len(named) >= 8


def test_every_metric_is_explained() -> None:
    explained = set(re.findall(r"^\| `(observability_\w+)` \|", (DOCS / "operations.md").read_text(), re.MULTILINE))
    assert explained == set(families())


def test_every_alert_is_explained() -> None:
    alerts = set(re.findall(r"alert: (\w+)", (DOCS / "alerts.yml").read_text()))
    explained = set(re.findall(r"^\| `([A-Z]\w+)` \|", (DOCS / "operations.md").read_text(), re.MULTILINE))
    assert alerts == explained


def test_every_cause_is_explained() -> None:
    causes = {*problems.CAUSES.values(), "pool", "deadline", "connection", "clock", "sign_in", "large_answers", "other"}
    text = (DOCS / "operations.md").read_text()
    table = text[text.index("| Cause of a 503") : text.index("## Backup")]
    explained = {
        name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1] if row else "")
    }
    assert causes == explained
