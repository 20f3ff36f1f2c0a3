"""For every real client, a trace shows what was asked, the tools with arguments and results, and the answer."""

import html
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from tests.ingest.captures import STACKS, as_captured
from tests.ingest.stored import stored
from tests.ingest.test_captures import send
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__")

SILENT = ("anthropic-native", "openai-agents-genai")
"""These clients send no content."""
FORECAST_UNKNOWN = ("otel-genai", "litellm", "litellm-merged", "logfire", "openlit")
"""In these captures both tools gave the same result."""
SYSTEM_PROMPT = ("agent-framework", "openai-agents", "openai-agents-native")
PARIS = '[[tool:get_weather {"city": "Paris"}]][[tool:get_forecast {"city": "Paris"}]] Weather in Paris?'


class Said(HTMLParser):
    """Reads the messages of a conversation as (role, text) from its HTML."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.messages: list[tuple[str, list[str]]] = []
        self.is_inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "article":
            role = (dict(attrs)["class"] or "").removeprefix("said ")
            self.messages.append((role, []))
            self.is_inside = True
        if tag == "header":
            self.is_inside = False

    def handle_endtag(self, tag: str) -> None:
        if tag in ("article", "header"):
            self.is_inside = tag == "header"

    def handle_data(self, data: str) -> None:
        if self.is_inside and data.strip():
            self.messages[-1][1].append(" ".join(data.split()))


@pytest.fixture(autouse=True)
def _captured_yesterday(settings: Any) -> None:
    settings.RETENTION_DAYS = 36_500


def shown(tenant: Tenant, trace_id: str) -> list[tuple[str, str]]:
    answer = tenant.client.get(f"/dashboard/trace-conversation/{trace_id}", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return [(role, " ".join(texts)) for role, texts in Said(answer.content.decode()).messages]


def assert_readable(said: list[tuple[str, str]]) -> None:
    """Fails if a message is empty, or still in the wrapping of its client."""
    assert all(text for _, text in said), said
    assert not re.search(r"\\u00|\"lc\"|ChatGeneration|message_content", html.unescape(str(said))), said


@pytest.mark.parametrize("stack", STACKS)
def test_the_page_shows_the_conversation_in_its_order(tenant: Tenant, stack: str) -> None:
    send(tenant, as_captured(stack))
    rows = stored(tenant.workspace.id)
    forecast = next((row.trace_id for row in rows if "get_forecast" in (row.tool or "")), rows[0].trace_id)
    conversations = {trace_id: shown(tenant, trace_id) for trace_id in {row.trace_id for row in rows}}
    for said in conversations.values():
        assert_readable(said)
    if stack in SILENT:
        assert not any(conversations.values())
        page = tenant.client.get(f"/dashboard/trace-conversation/{forecast}").content.decode()
        assert "hold no prompts and no answers" in page
        return
    paris = next(said for said in conversations.values() if any(PARIS in text for _, text in said))
    rain = "18C sunny" if stack in FORECAST_UNKNOWN else "rain tomorrow"
    system = [("system", "Be brief.")] if stack in SYSTEM_PROMPT else []
    arguments = '{ "city": "Paris" }'
    assert paris[: 6 + len(system)] == [
        *system,
        ("user", PARIS),
        ("assistant", f"calls get_weather {arguments}"),
        ("tool", "result of get_weather 18C sunny"),
        ("assistant", f"calls get_forecast {arguments}"),
        ("tool", f"result of get_forecast {rain}"),
        ("assistant", "It is 18 C and sunny. (step 2)"),
    ]
