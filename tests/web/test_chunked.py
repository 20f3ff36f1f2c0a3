"""Node's exporters send chunked bodies, which Django takes for empty ones: only a real server can show it."""

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import pytest
from django.conf import settings
from django.db import connections

from tests.given import Given
from tests.ingest.captures import as_captured
from tests.ingest.test_captures import check
from workspaces.models import ApiKey

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def url(alias: str) -> str:
    database = connections[alias].settings_dict
    host = str(database["HOST"]).replace("/", "%2F")
    return f"postgres://{database['USER']}:{database['PASSWORD']}@{host}/{database['NAME']}"


@pytest.fixture
def port() -> Any:
    port = free_port()
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": url("default"),
        "ANALYTICS_DATABASE_URL": url("analytics"),
        "BIND": f"127.0.0.1:{port}",
        "SECRET_KEY": settings.SECRET_KEY,
        "RETENTION_DAYS": "36500",
    }
    server = subprocess.Popen([sys.executable, "-m", "gunicorn"], env=environment, cwd=settings.BASE_DIR)
    try:
        yield port
    finally:
        server.terminate()
        server.wait(10)


def connected(port: int) -> HTTPConnection:
    for _ in range(100):
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=10)
            connection.connect()
        except OSError:
            time.sleep(0.1)
        else:
            return connection
    raise AssertionError("the server did not start")


@pytest.mark.parametrize("bearer", ["Bearer ", "Bearer%20"])
def test_the_vercel_ai_sdk_as_captured(given: Given, port: int, bearer: str) -> None:
    _, secret = ApiKey.objects.issue(given.workspace, "node", ["ingest"])
    [request] = [request for request in as_captured("vercel-ai-v7") if request.is_trace]
    headers = {
        "Content-Type": request.content_type,
        "Content-Encoding": str(request.encoding),
        "Authorization": f"{bearer}{secret}",
    }
    pieces = [request.body[at : at + 1000] for at in range(0, len(request.body), 1000)]
    with closing(connected(port)) as connection:
        connection.request("POST", request.path, iter(pieces), headers, encode_chunked=True)
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())) == (200, {})
    check(given, "vercel-ai-v7")
