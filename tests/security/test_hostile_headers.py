"""No header of a client makes the server fail, and no value of a credential but the right one opens anything."""

from base64 import b64encode
from collections.abc import Iterator
from io import BytesIO
from itertools import cycle
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from observability.wsgi import application
from tests.factories import an_api_key
from tests.security.world import PROBES

pytestmark = pytest.mark.django_db(databases="__all__")

VALUES: tuple[bytes, ...] = (
    *(b"", b"=", b"!!!", b"-1", b'"', b"a b", b"1" * 5000, b"x" * 7900, b"\x01\x7f", b"_" * 32, b"%", b"%00"),
    *(
        b"\xff\xfe",
        "Schlüssel €".encode(),
        "\uff11\uff12".encode(),
        b"\xed\xa0\x80",
        b"%ED%A0%80",
        b"%ff%fe",
        b"\\ud800",
    ),
    *(b'"\\000abcdefgh"', b'"\\355\\240\\200abcd"', b"http://[", b"=?utf-8?b?w6k=?=", b"bytes=9-1,-9999999999999"),
    *(
        b64encode(value)
        for value in (b"", b":", b"\xff\xfe:\xff", "a:é".encode(), b"a:\0", b"\xed\xa0\x80:", b"a" * 5000)
    ),
    *(
        b64encode(b"pk-lf-1:sk-lf-1")[:-1],
        b64encode(b"pk-lf-1:aop_" + b"x" * 43),
        b"/////w==",
        b64encode(b"a:b") + b"\xe9",
    ),
)
CREDENTIALS = (
    *(b"Authorization: Basic ", b"Authorization: Basic%20", b"Authorization: basic\xa0", b"Authorization: Bearer "),
    *(b"Authorization: Bearer%20", b"Authorization: ", b"Authorization: Digest username=", b"X-API-Key: "),
    *(b"Cookie: sessionid=", b"Cookie: csrftoken=", b"Cookie: last_workspace=", b"Cookie: messages=", b"Cookie: "),
)
OTHERS = (
    *(b"X-Workspace-ID: ", b"X-Request-ID: ", b"X-CSRFToken: ", b"Origin: ", b"Referer: ", b"User-Agent: "),
    *(b"Accept: ", b"Accept: text/html;q=", b"Accept-Encoding: ", b"Accept-Language: ", b"Range: ", b"If-None-Match: "),
    *(b"If-Modified-Since: ", b"HX-Request: ", b"HX-Current-URL: ", b"Sec-Fetch-Site: ", b"Content-Encoding: "),
    *(b"Content-Type: ", b"Content-Type: application/json; charset=", b"Content-Type: application/json; charset*="),
    *(b"Content-Type: multipart/form-data; boundary=", b"X-Forwarded-For: ", b"X-Forwarded-Proto: ", b"traceparent: "),
)
CHARSETS = (
    *(b"base64", b"idna", b"undefined", b"punycode", b"utf-16", b"unicode_escape", b"utf-8-sig", b"zip", b"nonsense"),
    *(b"utf-8''%00", b"nonsense''%41", b"utf-8''%ED%A0%80", b"idna''%ff", b"utf-7''+AAA-"),
)
API = (
    (b"GET", b"/api/v1/usage/overview?agent_id=%C3%A9"),
    (b"PUT", b"/api/v1/cost/budget"),
    (b"GET", b"/api/v1/scores"),
)
INGESTION = (
    *((b"POST", path) for path in (b"/v1/traces", b"/api/v1/traces", b"/api/public/ingestion", b"/api/v1/scores")),
    (b"GET", b"/api/public/projects"),
)
PAGES = (
    (b"GET", b"/dashboard/usage?agent_id=%C3%A9"),
    (b"GET", b"/sign-in"),
    (b"POST", b"/sign-in"),
    (b"GET", b"/admin/"),
)
FILES = ((b"GET", b"/livez"), (b"GET", b"/metrics"), (b"GET", b"/static/app.css"))


@pytest.fixture(autouse=True)
def one_transaction() -> Iterator[None]:
    """Keeps the connection, and the test's transaction in it. Django's own test client does the same."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def status(method: bytes, path: bytes, header: bytes, value: bytes) -> int:
    """Returns the status of the answer to a request with this header, as the server hands it to Django."""
    PROBES["hostile headers"] += 1
    name, beginning = header.decode("latin-1").split(": ")
    name = name.upper().replace("-", "_")
    route, _, query = path.decode().partition("?")
    environ: dict[str, Any] = {
        **{"REQUEST_METHOD": method.decode(), "SCRIPT_NAME": "", "PATH_INFO": route, "QUERY_STRING": query},
        **{"SERVER_NAME": "localhost", "SERVER_PORT": "80", "HTTP_HOST": "localhost", "REMOTE_ADDR": "127.0.0.1"},
        **{"wsgi.url_scheme": "http", "wsgi.input": BytesIO(b"{}"), "CONTENT_LENGTH": "2", "wsgi.errors": BytesIO()},
        "CONTENT_TYPE": "application/json",
        name if name == "CONTENT_TYPE" else f"HTTP_{name}": beginning + value.decode("latin-1"),
    }
    statuses: list[str] = []
    response: Any = application(environ, lambda line, headers, *error: statuses.append(line))
    response.close()
    return int(statuses[0].split()[0])


@pytest.mark.parametrize("header", CREDENTIALS, ids=lambda header: header.decode("latin-1"))
def test_a_credential_that_nobody_was_given_is_401(header: bytes) -> None:
    an_api_key("ingest", "read", "write")
    paths = cycle(API + INGESTION)
    for value in VALUES:
        method, path = next(paths)
        assert status(method, path, header, value) == 401, (path, value)
        method, path = next(paths)
        assert status(method, path, header, value) == 401, (path, value)


@pytest.mark.parametrize("header", CREDENTIALS + OTHERS, ids=lambda header: header.decode("latin-1"))
def test_no_header_makes_the_server_fail(header: bytes) -> None:
    paths = cycle(PAGES + FILES + API + INGESTION)
    for value in (*VALUES, *CHARSETS * (header.startswith(b"Content-Type"))):
        method, path = next(paths)
        assert status(method, path, header, value) < 500, (path, value)
