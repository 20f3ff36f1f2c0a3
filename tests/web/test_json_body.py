"""JSON nested deep is refused before it is parsed, at every endpoint that takes JSON."""

import json
from typing import Any

import pytest

from tests.tenant import Tenant
from web import json_body
from web.json_body import MAX_LEVELS, MAX_OTLP_LEVELS, check_levels
from web.problems import Problem

JSON = "application/json"


def lists(levels: int, inside: str = "") -> str:
    return "[" * levels + inside + "]" * levels


def objects(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


ENDPOINTS = [
    ("/api/v1/traces", MAX_LEVELS),
    ("/v1/traces", MAX_OTLP_LEVELS),
    ("/api/public/otel/v1/traces", MAX_OTLP_LEVELS),
    ("/v1/traces/ingest", MAX_LEVELS),
    ("/api/public/scores", MAX_LEVELS),
    ("/api/public/ingestion", MAX_LEVELS),
]


@pytest.mark.django_db(databases="__all__")
@pytest.mark.parametrize(("path", "most"), ENDPOINTS, ids=[path for path, _ in ENDPOINTS])
@pytest.mark.parametrize("nested", [lists, objects])
def test_every_endpoint_refuses_a_level_too_many_before_it_parses(
    tenant: Tenant, path: str, most: int, nested: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.json_body.orjson", None)
    response = tenant.client.post(path, '{"name":' + nested(most) + "}", content_type=JSON)
    assert response.status_code == 400
    assert response.json()["detail"] == f"The body is nested deeper than {most} levels."


@pytest.mark.django_db(databases="__all__")
@pytest.mark.parametrize(("levels", "status"), [(63, 422), (64, 400), (200_000, 400)])
def test_the_budget_refuses_a_level_too_many_too(tenant: Tenant, levels: int, status: int) -> None:
    """The object around the lists is the 64th level."""
    body = '{"monthly_limit_usd":' + lists(levels) + "}"
    response = tenant.client.put("/api/v1/cost/budget", body, content_type=JSON)
    assert response.status_code == status, response.content


@pytest.mark.django_db(databases="__all__")
def test_a_name_of_nested_lists_never_causes_a_500(tenant: Tenant) -> None:
    """Python prints nested lists up to its recursion limit: a thousand levels less those of the running calls."""
    ids = {"traceId": "01" * 16, "spanId": "02" * 8}
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [ids | {"name": "DEEP"}]}]}]})
    for levels, status in ((500, 200), (950, 400)):
        response = tenant.client.post("/v1/traces", body.replace('"DEEP"', lists(levels)), content_type=JSON)
        assert response.status_code == status


@pytest.mark.parametrize("text", ["[[[[", '\\"[[[', "\\\\", "[", "]", '\\\\\\"[', "{", "\u5b5b"])
def test_brackets_within_texts_are_not_levels(text: str) -> None:
    body = lists(10, f'"{text}","]",[]').encode()
    json.loads(body)
    check_levels(body, 11)
    with pytest.raises(Problem):
        check_levels(body, 10)


@pytest.mark.parametrize("body", [lists(64), objects(64), '"[[[["' * 70, "[]" * 70, "[" * 64, "]" * 70 + "[" * 64])
def test_a_body_that_is_not_deeper_passes(body: str) -> None:
    check_levels(body.encode(), 64)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_json_is_utf_8(encoding: str) -> None:
    """In UTF-16 a bracket may be half of a letter."""
    assert json_body.parse_json('{"name": Infinity}'.encode("utf-8-sig")) == {"name": float("inf")}
    with pytest.raises(Problem) as refused:
        json_body.parse_json('{"name": Infinity}'.encode(encoding))
    assert refused.value.status == 400
