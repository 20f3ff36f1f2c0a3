"""Node's exporters send chunked bodies, which Django takes for empty ones: only a real server can show it."""

import json
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import pytest
from django.conf import settings

from tests.ingest.captures import as_captured
from tests.ingest.test_captures import check
from tests.servers import LONG_SECONDS, environment_of_a_server, free_port, wait_until_listening
from tests.tenant import Tenant
from workspaces.models import ApiKey

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


@pytest.fixture
def port() -> Any:
    port = free_port()
    environment = environment_of_a_server(port, RETENTION_DAYS="36500")
    server = subprocess.Popen([sys.executable, "-m", "gunicorn"], env=environment, cwd=settings.BASE_DIR)
    try:
        wait_until_listening(port)
        yield port
    finally:
        server.terminate()
        server.wait(LONG_SECONDS)


@pytest.mark.parametrize("bearer", ["Bearer ", "Bearer%20"])
def test_a_chunked_body_of_the_vercel_ai_sdk_is_stored(tenant: Tenant, port: int, bearer: str) -> None:
    _, secret = ApiKey.objects.issue(tenant.workspace, "node", ["ingest"])
    [request] = [request for request in as_captured("vercel-ai-v7") if request.is_trace]
    headers = {
        "Content-Type": request.content_type,
        "Content-Encoding": str(request.encoding),
        "Authorization": f"{bearer}{secret}",
    }
    pieces = [request.body[at : at + 1000] for at in range(0, len(request.body), 1000)]
    with closing(HTTPConnection("127.0.0.1", port, timeout=LONG_SECONDS)) as connection:
        connection.request("POST", request.path, iter(pieces), headers, encode_chunked=True)
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())) == (200, {})
    check(tenant, "vercel-ai-v7")
