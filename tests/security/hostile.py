"""Makes a workspace where every text is a payload, or its harmless twin."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from budgets.models import Budget
from prices.models import PriceOverride
from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory, an_api_key
from tests.security.payloads import FIELDS, PAYLOADS
from tests.security.world import browser
from workspaces.models import Workspace

JSON = {"content_type": "application/json"}


def filled(word: Callable[[int], str], user: Any) -> Workspace:
    """Makes a workspace with a failed call for each payload, sent as clients do. `word` gives the text of payload n."""
    workspace = WorkspaceFactory(name=word(0)[:100])
    MembershipFactory(workspace=workspace, user=user, role="owner")
    for number in range(1, 4):
        MembershipFactory(workspace=workspace, user=UserFactory(username=word(number)))
    for number in range(len(PAYLOADS)):
        an_api_key("ingest", workspace=workspace, name=word(number)[:100])
        PriceOverride.objects.create(
            workspace=workspace,
            provider=word(number)[:100],
            model_pattern=f"never {word(number)}"[:200],
            input_usd_per_million=1,
            output_usd_per_million=1,
        )
    Budget.objects.create(is_workspace_budget=True, workspace=workspace, amount_usd=100).record_change(None, word(4))
    _, secret = an_api_key("ingest", workspace=workspace, name=word(5)[:100])
    headers = {"Authorization": f"Bearer {secret}"}
    items = [item(word(number), number) for number in range(len(PAYLOADS))]
    answer = browser().post("/api/v1/traces", {"traces": items}, headers=headers, **JSON)
    assert answer.json()["accepted"] == len(items), answer.content
    answer = browser().post(
        "/v1/traces", otlp([word(number) for number in range(len(PAYLOADS))]), headers=headers, **JSON
    )
    assert answer.content == b"{}"
    return workspace


def item(text: str, number: int) -> dict[str, Any]:
    return dict.fromkeys(FIELDS, text) | {
        "span_id": f"{text}{number}"[:250],
        "status": "error",
        "cost_usd": 1.0,
        "latency_ms": 100.0,
        "attributes": {text: text},
        "labels": {text: text},
    }


def otlp(texts: list[str]) -> dict[str, Any]:
    """Makes a request with these texts, as an SDK sends them."""
    now = str(int(datetime.now(UTC).timestamp()) * 10**9)
    spans = [
        {
            "traceId": "1" * 32,
            "spanId": f"{number + 1:016x}",
            "name": text,
            "startTimeUnixNano": now,
            "endTimeUnixNano": now,
            "status": {"code": 2, "message": text},
            "attributes": [
                {"key": key, "value": {"stringValue": value}}
                for key, value in {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": text,
                    "gen_ai.request.model": text,
                    "gen_ai.agent.name": text,
                    "user.id": text,
                    "session.id": text,
                    "error.type": text,
                    text: text,
                }.items()
            ],
        }
        for number, text in enumerate(texts)
    ]
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {"name": texts[0]}, "spans": spans}]}]}
