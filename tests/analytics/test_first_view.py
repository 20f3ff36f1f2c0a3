"""Tests that a page has the answers of its panels, and what it does about those that it cannot wait for."""

import re
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connections, transaction
from django.test import Client

from analytics import first_view
from analytics.catalogue import METRICS, PAGES, metrics_of
from analytics.first_view import FirstView
from tests.tenant import Tenant
from web import prometheus
from web.problems import Problem

pytestmark = pytest.mark.django_db(databases="__all__")

GZIP = 31
"""For zlib: a file with the head of gzip."""
SECTION = r'<section class="panel[^>]*?id="panel-{}".*?</section>'


def section(html: str, metric: str) -> str:
    found = re.search(SECTION.format(metric), html, re.DOTALL)
    assert found
    return found[0]


def page(tenant: Tenant, name: str, query: str = "", **headers: str) -> Any:
    return tenant.client.get(f"/dashboard/{name}?workspace={tenant.workspace.id}{query}", headers=headers)


@pytest.fixture(autouse=True)
def time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets pages wait for all panels, however busy the machine is."""
    monkeypatch.setattr(first_view, "SECONDS", 60)


@pytest.fixture
def calls(tenant: Tenant) -> None:
    tenant.calls(3, datetime.now(UTC), user_id="ada", model="gpt-4o", cost_usd="2", latency_ms=900.0)


@pytest.mark.parametrize("name", [page.domain for page in PAGES])
def test_a_page_has_the_answers_that_its_panels_get_later(tenant: Tenant, calls: None, name: str) -> None:
    html = page(tenant, name, "&range=7d").content.decode()
    shown = next(page for page in PAGES if page.domain == name)
    for metric in metrics_of(shown):
        own = section(html, metric.name)
        assert 'aria-busy="false"' in own
        assert 'hx-trigger="poll"' in own
        assert "skeleton" not in own
    assert "range=7d" in section(html, f"{name}-overview")


def test_a_panel_in_the_page_is_that_of_its_own_address(tenant: Tenant, calls: None) -> None:
    html = page(tenant, "usage", "&model=gpt-4o").content.decode()
    address = f"http://testserver/dashboard/usage?workspace={tenant.workspace.id}&model=gpt-4o"
    headers = {"HX-Request": "true", "HX-Current-URL": address, "X-Workspace-ID": str(tenant.workspace.id)}
    body = tenant.client.get("/api/v1/usage/top-users?model=gpt-4o", headers=headers).content.decode()
    assert body.strip() in section(html, "usage-top-users")


def test_a_split_page_has_the_split_answers(tenant: Tenant, calls: None) -> None:
    html = page(tenant, "usage", "&split=model").content.decode()
    own = section(html, "usage-calls-over-time")
    assert 'aria-busy="false"' in own
    assert re.search(r"<h2>.*by model</h2>", own)
    assert '"gpt-4o"' in own


def test_a_panel_that_fails_asks_for_itself_and_the_page_is_whole(
    tenant: Tenant, calls: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*arguments: Any) -> None:
        raise Problem(503, "The database does not answer right now.")

    metric = METRICS["usage/tokens"]
    monkeypatch.setattr("analytics.panel_extras.previous", fails)
    html = page(tenant, "usage").content.decode()
    assert 'aria-busy="false"' in section(html, "usage-overview")
    assert "skeleton" in section(html, metric.name)
    assert 'hx-trigger="load, poll"' in section(html, metric.name)
    assert html.rstrip().endswith("</html>")


def test_a_page_waits_no_longer_for_its_panels_than_it_may(
    tenant: Tenant, calls: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_view, "SECONDS", 0)
    html = page(tenant, "usage").content.decode()
    assert html.count('hx-trigger="load, poll"') == len(metrics_of(PAGES[0]))


def test_a_panel_whose_question_takes_too_long_asks_for_itself_as_do_those_behind_it(
    tenant: Tenant, calls: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    backends: list[int] = []

    def takes_long(*arguments: Any) -> None:
        with transaction.atomic("analytics"), connections["analytics"].cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            backends.extend(pid for (pid,) in cursor.fetchall())
            cursor.execute("SELECT pg_sleep(60)")

    monkeypatch.setattr("analytics.panel_extras.previous", takes_long)  # of the second panel, and others
    monkeypatch.setattr(first_view, "SECONDS", 3)
    begins = time.monotonic()
    html = page(tenant, "usage").content.decode()
    assert 3 <= time.monotonic() - begins < 30
    # The server still sleeps, and the tests' database could not be dropped.
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s) AS pid", [backends])
    first, *others = (section(html, metric.name) for metric in metrics_of(PAGES[0]))
    assert 'aria-busy="false"' in first
    assert len(others) > 2
    for own in others:
        assert "skeleton" in own
        assert 'hx-trigger="load, poll"' in own


def test_the_frame_is_sent_before_any_panel_is_asked(
    tenant: Tenant, calls: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(first_view, "asked", lambda *arguments: asked.append(arguments[1]) or 1 / 0)
    parts = iter(page(tenant, "usage").streaming_content)
    assert b"<nav" in next(parts)
    assert not asked
    next(parts)
    assert asked[0].startswith("/api/v1/usage/overview")


def test_a_page_is_compressed_and_each_part_can_be_read_when_it_arrives(
    tenant: Tenant, calls: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    parts = FirstView.parts

    def noted(self: FirstView, page: str) -> Iterator[str]:
        for part in parts(self, page):
            made.append(part)
            yield part

    monkeypatch.setattr(FirstView, "parts", noted)
    response = page(tenant, "usage", **{"Accept-Encoding": "gzip, br"})
    assert response["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in response["Vary"]
    reader, read = zlib.decompressobj(GZIP), b""
    for chunk in response.streaming_content:
        before, read = len(read), read + reader.decompress(chunk)
        if not reader.eof:
            assert made[-1].encode() in read[before:]
    assert reader.eof
    assert len(made) == 1 + len(metrics_of(PAGES[0]))
    assert 'aria-busy="false"' in section(read.decode(), "usage-overview")


def test_a_head_request_asks_for_no_panel(tenant: Tenant, calls: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(first_view, "asked", lambda *arguments: asked.append(arguments))
    response = tenant.client.head(f"/dashboard/usage?workspace={tenant.workspace.id}")
    assert response.status_code == 200
    assert response.content == b""
    assert not asked


def test_who_may_not_see_the_workspace_sees_no_answer(tenant: Tenant, calls: None, settings: Any) -> None:
    settings.OPEN_WORKSPACE_IDS = frozenset()
    response = Client().get(f"/dashboard/usage?workspace={tenant.workspace.id}", headers={"Accept": "text/html"})
    assert response.status_code == 302
    assert "sign-in" in response["Location"]


def test_a_page_that_is_exchanged_in_place_asks_for_no_panel(
    tenant: Tenant, calls: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(first_view, "asked", lambda *arguments: asked.append(arguments))
    html = page(tenant, "usage", **{first_view.IN_PLACE: "1"}).content.decode()
    assert html.count('hx-trigger="load, poll"') == len(metrics_of(PAGES[0]))
    assert not asked


def test_a_refusal_of_a_panel_is_counted_only_where_it_is_the_answer(
    tenant: Tenant, calls: None, settings: Any
) -> None:
    settings.WORKSPACE_CONCURRENCY = 0
    before = prometheus.BUSY._value.get()
    assert page(tenant, "usage").status_code == 200
    assert prometheus.BUSY._value.get() == before
    assert tenant.client.get("/api/v1/usage/overview").status_code == 429
    assert prometheus.BUSY._value.get() == before + 1
