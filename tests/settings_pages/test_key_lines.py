"""The lines that the page of a new key shows send traces: each is run against a running product."""

import importlib.util
import json
import re
import shlex
import sys
from base64 import b64encode
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock
from urllib.request import Request, urlopen

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from settings.keys.lines import lines_with
from tests.factories import WorkspaceFactory, an_api_key
from tests.ingest.otlp_spans import chat
from traces.db import rows
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

IN_PYTHON = ("LangChain, LangGraph", "OpenAI Agents", "Pydantic AI")


@pytest.fixture
def workspace() -> Workspace:
    return WorkspaceFactory()


@pytest.fixture
def lines(live_server: Any, workspace: Workspace) -> dict[str, str]:
    _, secret = an_api_key("ingest", workspace=workspace)
    return {one.title: one.text for one in lines_with(live_server.url, secret)}


def stored(workspace: Workspace) -> int:
    found = rows("SELECT count(*) AS n FROM traces WHERE workspace_id = %(id)s", {"id": workspace.id})
    return int(found[0]["n"])


def send_a_span(provider: TracerProvider) -> None:
    with provider.get_tracer("a test").start_as_current_span("chat"):
        pass
    provider.shutdown()


def exported(text: str) -> dict[str, str]:
    """Returns what the lines of a shell set."""
    return dict(word.split("=", 1) for line in text.splitlines() for word in shlex.split(line)[1:])


def post(url: str, authorization: str) -> None:
    body = json.dumps({"resourceSpans": [chat(1).request()]}).encode()
    headers = {"Authorization": authorization, "Content-Type": "application/json"}
    with urlopen(Request(url, body, headers)) as answer:
        assert json.load(answer) == {}


def test_there_are_lines_for_the_most_used_ways(lines: dict[str, str]) -> None:
    expected = ["curl", "Python", "OpenTelemetry", *IN_PYTHON, "Vercel AI SDK", "Langfuse SDK"]
    assert list(lines) == expected
    assert not [text for text in lines.values() if "aop_..." in text or "traces.example.com" in text]


def test_the_lines_of_python_send_a_trace(lines: dict[str, str], workspace: Workspace) -> None:
    exec(compile(lines["Python"], "lines", "exec"), {})  # noqa: S102 (our own text)
    assert stored(workspace) == 1


def test_the_variables_of_opentelemetry_send_a_trace(
    lines: dict[str, str], workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in exported(lines["OpenTelemetry"]).items():
        monkeypatch.setenv(name, value)
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
    send_a_span(provider)
    assert stored(workspace) == 1


@pytest.mark.parametrize("title", IN_PYTHON)
def test_the_lines_of_an_sdk_in_python_send_a_trace(
    lines: dict[str, str], workspace: Workspace, monkeypatch: pytest.MonkeyPatch, title: str
) -> None:
    monkeypatch.setattr("opentelemetry.trace.set_tracer_provider", lambda provider: None)
    for name in re.findall(r"^from (\S+) import", lines[title], re.MULTILINE):
        if not name.startswith("opentelemetry"):
            stub(name, monkeypatch)
    namespace: dict[str, Any] = {}
    exec(compile(lines[title], "lines", "exec"), namespace)  # noqa: S102 (our own text)
    send_a_span(namespace["provider"])
    assert stored(workspace) == 1


def stub(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaces the SDK, which is not installed here. Its calls do nothing."""
    assert importlib.util.find_spec(name.partition(".")[0]) is None, "try the lines with the SDK itself"
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        module = ModuleType(".".join(parts[:length]))
        module.__getattr__ = lambda _: MagicMock()  # type: ignore[method-assign]
        module.__path__ = []
        monkeypatch.setitem(sys.modules, module.__name__, module)


def test_the_address_and_header_of_the_vercel_sdk_send_a_trace(lines: dict[str, str], workspace: Workspace) -> None:
    [authorization] = re.findall(r'Authorization: "([^"]+)"', lines["Vercel AI SDK"])
    [url] = re.findall(r'url: "([^"]+)"', lines["Vercel AI SDK"])
    post(url, authorization)
    assert stored(workspace) == 1


def test_the_variables_of_langfuse_send_a_trace(lines: dict[str, str], workspace: Workspace) -> None:
    variables = exported(lines["Langfuse SDK"])
    pair = f"{variables['LANGFUSE_PUBLIC_KEY']}:{variables['LANGFUSE_SECRET_KEY']}"
    url = f"{variables['LANGFUSE_BASE_URL']}/api/public/otel/v1/traces"
    post(url, f"Basic {b64encode(pair.encode()).decode()}")
    assert stored(workspace) == 1
