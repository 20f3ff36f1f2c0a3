"""Messages through apprise: its HTTP session goes to a local server, and the hosts that it asked for are compared."""

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from alerts.attempts import attempt
from alerts.channels import kinds
from alerts.delivery import send
from alerts.models import Channel, Delivery
from alerts.stored_settings import store
from tests.alerts.test_channels_api import SETTINGS
from tests.alerts.test_message import message
from tests.factories import WorkspaceFactory
from tests.jobs.processes import ROOT

pytestmark = pytest.mark.django_db(databases="__all__")

HOSTS = {
    "slack": "https://hooks.slack.com/services/",
    "teams": "https://prod-12.westeurope.logic.azure.com:443/workflows/0123456789abcdef/",
    "discord": "https://discord.com/api/webhooks/123456789012/",
    "pagerduty": "https://events.pagerduty.com/v2/enqueue",
    "opsgenie": "https://api.eu.opsgenie.com/v2/alerts",
    "telegram": "https://api.telegram.org/bot123456789:",
    "ntfy": "https://ntfy.sh",
}


class Services:
    """All services, on this machine: what they were asked, and what they answer."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.bodies: list[Any] = []
        self.status = 200
        self.location = ""


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    made = Services()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.bodies.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(made.status)
            if made.location:
                self.send_header("Location", made.location)
            self.end_headers()
            self.wfile.write(b"ok" if "slack" in made.asked[-1] else b'{"ok": true, "requestId": "1"}')

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    class Local(HTTPAdapter):
        def send(self, request: Any, **options: Any) -> Any:
            made.asked.append(request.url)
            assert options["verify"]
            request.url = f"http://127.0.0.1:{server.server_port}/"
            return super().send(request, **options)

    monkeypatch.setattr(requests.Session, "get_adapter", lambda *_, **__: Local())
    yield made
    server.shutdown()
    server.server_close()


def a_channel(kind: str) -> Channel:
    channel = Channel(workspace=WorkspaceFactory(), name=f"A {kind}", kind=kind)
    store(channel, kinds()[kind], kinds()[kind].settings.model_validate(SETTINGS[kind]).model_dump())
    channel.save()
    return channel


def sent(kind: str, **values: Any) -> Delivery:
    channel = a_channel(kind)
    [delivery] = send(message(workspace_id=channel.workspace_id, **values), [channel])
    attempt(str(delivery.pk))
    delivery.refresh_from_db()
    return delivery


@pytest.mark.parametrize("kind", HOSTS)
def test_a_message_goes_to_the_host_of_its_service_and_nowhere_else(services: Services, kind: str) -> None:
    delivery = sent(kind, sentences=("Spend was $12.",), links=(("Open", "https://traces.example.com/x?a=1&b=2"),))
    assert (delivery.state, delivery.attempts, delivery.fault) == ("sent", 1, "")
    assert len(services.asked) == 1
    assert services.asked[0].startswith(HOSTS[kind])
    text = services.bodies[0].replace("\\n", " ")
    for words in ("Warning: Spend is up", "Spend was $12.", "traces.example.com/x"):
        assert words in text


@pytest.mark.parametrize("kind", HOSTS)
@pytest.mark.parametrize("status", [403, 429, 500])
def test_a_refusal_is_kept_with_its_status(services: Services, kind: str, status: int) -> None:
    services.status = status
    delivery = sent(kind)
    assert (delivery.state, delivery.answer_status) == ("waiting", status)
    assert str(status) in delivery.fault


@pytest.mark.parametrize("kind", HOSTS)
def test_no_service_sends_the_worker_elsewhere(services: Services, kind: str) -> None:
    services.status, services.location = 302, "http://169.254.169.254/"
    assert sent(kind).state == "waiting"
    assert len(services.asked) == 1


@pytest.mark.parametrize("kind", HOSTS)
def test_a_service_that_cannot_be_reached_is_a_fault_and_lets_the_channel_rest(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise requests.ConnectionError("no network")

    monkeypatch.setattr(HTTPAdapter, "send", fail)
    delivery = sent(kind)
    assert (delivery.state, delivery.answer_status) == ("waiting", None)
    assert "did not answer" in delivery.fault
    assert Channel.objects.get().rests_until is not None


def test_no_log_line_has_the_address_of_a_channel(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    services.status = 403
    sent("slack")
    sent("telegram")
    assert "abcdefghijklmnopqrstuvwx" not in caplog.text
    assert "A" * 35 not in caplog.text


WEB = """
import sys, django
django.setup()
import observability.urls
from analytics.openapi import openapi_document
openapi_document()
sys.exit("apprise" in sys.modules)
"""


def test_the_web_server_does_not_load_the_library() -> None:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    subprocess.run([sys.executable, "-c", WEB], cwd=ROOT, env=environment, check=True)


POWER_AUTOMATE = (
    "https://default0123456789.ab.environment.api.powerplatform.com:443/powerautomate/automations/direct/workflows"
    "/0123456789abcdef/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=abc-def_ghi"
)


def test_both_forms_of_a_workflow_of_teams_are_taken(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SETTINGS, "teams", {"url": POWER_AUTOMATE})
    assert sent("teams").state == "sent"
    [asked] = services.asked
    assert asked.partition("?")[0] == POWER_AUTOMATE.partition("?")[0]
    assert "sig=abc-def_ghi" in asked


NASTY = "<!channel> <@U123> <https://evil.example|Click> @everyone <at>ada</at> [Open](https://evil.example)"


@pytest.mark.parametrize("kind", ["slack", "teams", "discord", "telegram"])
def test_what_a_client_named_mentions_nobody_and_hides_no_link(services: Services, kind: str) -> None:
    assert sent(kind, subject=f"Spend of {NASTY}", sentences=(NASTY,)).state == "sent"
    text = json.dumps(json.loads(services.bodies[0]), ensure_ascii=False)
    for trick in ("<!channel>", "<@U123>", "<https://evil", "@everyone", "<at>", "](https://evil"):
        assert trick not in text


def test_a_recovery_closes_the_incident_that_its_breach_opened(services: Services) -> None:
    for state in ("critical", "recovered"):
        sent("pagerduty", state=state, incident="rule-7-support")
    breach, recovery = map(json.loads, services.bodies)
    assert (breach["event_action"], recovery["event_action"]) == ("trigger", "resolve")
    assert breach["dedup_key"] == recovery["dedup_key"] == "rule-7-support"


def test_a_repetition_is_known_by_its_event(services: Services) -> None:
    delivery = sent("pagerduty")
    assert json.loads(services.bodies[0])["dedup_key"] == str(delivery.event_id)
    assert json.loads((sent("opsgenie"), services.bodies)[1][1])["alias"]


def test_a_long_message_keeps_its_link(services: Services) -> None:
    delivery = sent("discord", sentences=("word " * 300,) * 5, links=(("Open", "https://traces.example.com/here"),))
    assert delivery.state == "sent"
    assert len(services.bodies[0]) < 2400
    assert "traces.example.com/here" in services.bodies[0]
