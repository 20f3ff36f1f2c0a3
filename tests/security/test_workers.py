"""A revoked credential is refused at the next request, on every worker of a real server."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from tests.factories import MembershipFactory, an_api_key
from tests.security.world import BACKEND, selecting
from tests.servers import environment_of_a_server, free_port
from workspaces.models import ApiKey, Membership

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

READ = "/api/v1/usage/overview"
PUT = "/api/v1/cost/budget"
TOKEN = "t" * 32


@dataclass
class Server:
    port: int
    master: subprocess.Popen[bytes]
    log: Path

    def workers(self) -> list[int]:
        """Returns the children of the master, as Linux lists them."""
        pid = self.master.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def ask(self, headers: dict[str, str], method: str = "GET", path: str = READ, body: str | None = None) -> int:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path, body, headers)
        status = connection.getresponse().status
        connection.close()
        return status

    def each_worker(self, ask: Callable[[], int]) -> list[int]:
        """Returns the answer of each worker, in turn, while all others sleep."""
        answers = []
        workers = self.workers()
        for awake in workers:
            asleep = [worker for worker in workers if worker != awake]
            for worker in asleep:
                os.kill(worker, signal.SIGSTOP)
            try:
                answers.append(ask())
            finally:
                for worker in asleep:
                    os.kill(worker, signal.SIGCONT)
        return answers


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    log = tmp_path / "log"
    port = free_port()
    environment = environment_of_a_server(port, WEB_WORKERS="2", LOG_LEVEL="DEBUG")
    with log.open("wb") as written:
        master = subprocess.Popen(
            [sys.executable, "-m", "gunicorn"], env=environment, cwd=settings.BASE_DIR, stdout=written, stderr=written
        )
    server = Server(port, master, log)
    try:
        wait_for(server)
        yield server
    finally:
        master.terminate()
        master.wait(20)


def wait_for(server: Server) -> None:
    for _ in range(300):
        try:
            if len(server.workers()) == 2 and server.each_worker(lambda: server.ask({}, path="/livez")) == [200, 200]:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError(server.log.read_text()[-3000:])


def session_of(user: Any) -> dict[str, str]:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return {"Cookie": f"sessionid={client.cookies['sessionid'].value}; csrftoken={TOKEN}", "X-CSRFToken": TOKEN}


def test_a_revoked_credential_is_refused_by_every_worker(server: Server) -> None:
    membership = MembershipFactory(role="editor")
    other = MembershipFactory(workspace=membership.workspace)
    key, secret = an_api_key("read", "ingest", workspace=membership.workspace)
    chosen = selecting(membership.workspace_id)
    bearer = {"Authorization": f"Bearer {secret}"} | chosen
    editor, viewer = session_of(membership.user) | chosen, session_of(other.user) | chosen

    def reads(headers: dict[str, str]) -> list[int]:
        return server.each_worker(lambda: server.ask(headers))

    def writes() -> list[int]:
        body = {"Content-Type": "application/json"}
        return server.each_worker(lambda: server.ask(editor | body, "PUT", PUT, '{"monthly_limit_usd": 7}'))

    assert [reads(bearer), reads(editor), reads(viewer), writes()] == [[200, 200]] * 4
    began = time.monotonic()
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now())
    assert reads(bearer) == [401, 401]
    Membership.objects.filter(pk=membership.pk).update(role="viewer")
    assert [writes(), reads(editor)] == [[403, 403], [200, 200]]
    Membership.objects.filter(pk=membership.pk).delete()
    assert [reads(editor), writes()] == [[403, 403], [403, 403]]
    other.user.is_active = False
    other.user.save()
    assert reads(viewer) == [401, 401]
    # Every refusal came with the first request after the change: no worker remembers, so no second is needed.
    assert time.monotonic() - began < 60
    server.ask(bearer, path=f"{READ}?agent_id=canary-in-the-query")
    server.ask(bearer | {"Referer": "https://example.com/canary-referer"}, path="/livez")
    written = server.log.read_text()
    assert len(written) > 1000, "at DEBUG there should be something in the log"
    for secret_value in (secret, editor["Cookie"].split("=")[1].split(";")[0], TOKEN, "canary"):
        assert secret_value not in written


def test_no_header_of_a_client_decides_the_scheme_or_the_path_prefix(server: Server) -> None:
    """gunicorn believes them when they come from this machine, where a proxy may run that passes them on."""
    for name, value in (
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Ssl", "on"),
        ("X-Forwarded-Protocol", "ssl"),
        ("SCRIPT_NAME", "/sign-in"),
        ("PATH_INFO", "/nothing"),
    ):
        connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
        connection.request("GET", "/sign-in", headers={name: value})
        answer = connection.getresponse()
        page = answer.read().decode()
        assert answer.status == 200, name
        assert 'action="/sign-in"' in page or 'name="username"' in page, name
        connection.close()
    # If gunicorn believed them, two headers that contradict each other would be answered with 400.
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", "/livez", headers={"X-Forwarded-Proto": "http", "X-Forwarded-Ssl": "on"})
    assert connection.getresponse().status == 200
    connection.close()
