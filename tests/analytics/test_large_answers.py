"""A large answer is refused before it is made, and a process makes one at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.conf import settings

from analytics import cost, large_answers
from tests.tenant import NOON, Tenant, a_row
from traces import db, writer

pytestmark = pytest.mark.django_db(databases="__all__")

DAY = f"start={NOON:%Y-%m-%d}T00:00:00Z&end={NOON:%Y-%m-%d}T23:59:00Z"
LARGE = f"/api/v1/cost/trend?{DAY}&granularity=minute&limit=12"
SMALL = f"/api/v1/cost/trend?{DAY}&granularity=hourly&limit=12"
PANEL = {"HX-Request": "true"}


def store_models(tenant: Tenant, names: list[str]) -> None:
    writer.store(tenant.workspace.id, [a_row(model=name, provider="p", cost_usd="0.01234567") for name in names])


def test_no_point_of_an_answer_that_is_too_large_leaves_the_database(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_models(tenant, [f"{number}" + "\x01" * 240 for number in range(12)])
    fetched: list[int] = []

    def counted(*arguments: Any, **named: Any) -> Any:
        found: Any = db.rows(*arguments, **named)
        fetched.append(len(found))
        return found

    monkeypatch.setattr(cost, "rows", counted)
    for headers in ({}, PANEL):
        response = tenant.client.get(LARGE, headers=headers)
        assert response.status_code == 422
        assert b"25.2 MB, and 4 are the most" in response.content
    assert fetched == [12, 12]


@pytest.mark.parametrize("name", ["model", '"quotes"', "\x01\x02\t\n\\", "ünïcödé 模型"])
def test_the_size_of_an_answer_is_known_from_its_names(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    store_models(tenant, [f"{name} {number}" for number in range(12)])
    expected: list[int] = []
    monkeypatch.setattr(cost, "check_size", expected.append)
    body = tenant.client.get(LARGE).content
    assert len(orjson.loads(body)["data"]) == 12 * 1439
    assert 1 <= len(body) / expected[0] < 1.01


@contextmanager
def large_answers_waiting(count: int, workspace_ids: Iterator[Any]) -> Iterator[None]:
    """Makes one large answer until the block ends, while others wait for it."""
    ended = threading.Event()

    def make(workspace_id: Any) -> None:
        with large_answers.large_slot(20_000, workspace_id):
            ended.wait(10)

    threads = [threading.Thread(target=make, args=[next(workspace_ids)]) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def test_more_large_questions_than_may_wait_are_refused_at_once(tenant: Tenant) -> None:
    with large_answers_waiting(settings.WORKSPACE_CONCURRENCY, iter(uuid4, None)):
        for path, headers in ((LARGE, {}), (f"{LARGE}&agent_id=a", PANEL)):
            response = tenant.client.get(path, headers=headers)
            assert (response.status_code, response["Retry-After"]) == (503, "2")
            assert b"or ask for fewer points" in response.content
        assert tenant.client.get(SMALL).status_code == 200
    assert tenant.client.get(LARGE).status_code == 200


def test_a_workspace_leaves_places_for_the_others(tenant: Tenant) -> None:
    places = settings.WORKSPACE_CONCURRENCY * 3 // 4
    with large_answers_waiting(places, iter(lambda: tenant.workspace.id, None)):
        response = tenant.client.get(LARGE)
        assert (response.status_code, response["Retry-After"]) == (429, "1")
    assert tenant.client.get(LARGE).status_code == 200
