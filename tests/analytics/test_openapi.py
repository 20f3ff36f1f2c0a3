import re

import jsonschema_rs
import pytest

from analytics.urls import METRICS
from tests.given import Given

pytestmark = pytest.mark.django_db(databases="__all__")


def test_the_document_lists_every_operation(client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == {f"/api/v1/{route}" for route in METRICS} | {"/api/v1/traces"}
    assert set(document["paths"]["/api/v1/cost/budget"]) == {"get", "put"}


@pytest.mark.parametrize("calls", [0, 2])
@pytest.mark.parametrize("route", METRICS)
def test_every_answer_is_as_declared(given: Given, route: str, calls: int) -> None:
    given.calls(calls, user_id="ada", cost_usd="0.5", latency_ms=9.0, status="error", error_type="late")
    document = given.client.get("/api/v1/openapi.json").json()
    operation = document["paths"][f"/api/v1/{route}"]["get"]
    declared = operation["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema_rs.validate(declared, given.ask(route))


def test_the_page_works_offline_and_under_the_policy(client) -> None:
    response = client.get("/api/v1/docs")
    page = response.content.decode()
    assert response.status_code == 200
    assert "PUT /api/v1/cost/budget" in page
    assert not re.search(r"https?://|<script(?![^>]* src=)|<style|style=", page)
