"""A head or form costs no thread, has limited time, and never keeps a new connection out; nor does a refused body.

Nor does a response that the client does not read.
"""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection

import pytest
from django.conf import settings

from tests.factories import an_api_key
from tests.servers import environment_of_a_server, free_port, wait_until_listening

HALF_A_HEAD = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
WHOLE_REQUEST = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEADS = {
    "nothing": b"",
    "a byte": b"G",
    "half a head": HALF_A_HEAD,
    "an empty line": b"\r\n",
    "a request and the beginning of another": WHOLE_REQUEST + HALF_A_HEAD,
    "lines without carriage returns": b"GET /livez HTTP/1.1\n\n",
    "bytes that are no HTTP": b"\x16\x03\x01\x02\x00\x01",
}
# With the cookie, Django looks for the same token in the form.
FORM_HEAD = (
    b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nCookie: csrftoken=" + b"a" * 32 + b"\r\n"
    b"Content-Type: %s\r\nContent-Length: %d\r\n"
)
PARTS = b"multipart/form-data; boundary=b"
PART = b"\r\n--b\r\nContent-Disposition: form-data; name=a\r\n"
HALF_FORMS = {
    "a form": FORM_HEAD % (b"application/x-www-form-urlencoded", 900_000) + b"\r\nusername=",
    "a form with a key": FORM_HEAD % (b"Application/X-WWW-Form-URLencoded", 99) + b"Authorization: Bearer a\r\n\r\nu",
    "a form in parts": FORM_HEAD % (PARTS, 900_000) + PART,
    "a long form": FORM_HEAD % (b"application/x-www-form-urlencoded", 9_000_000) + b"\r\nusername=",
    "a long form in parts": FORM_HEAD % (PARTS, 9_000_000) + PART,
    "64 KB of a form": FORM_HEAD % (b"application/x-www-form-urlencoded", 900_000) + b"\r\na=" + b"a" * 64_000,
}
READS_NOTHING = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
ANSWER_SECONDS = 2
"""A thread that waits for a client is occupied for much longer."""


@pytest.fixture(scope="module")
def port(django_db_setup: None) -> Iterator[int]:
    """Starts a server with two threads, and room for 50 connections."""
    port = free_port()
    environment = environment_of_a_server(port, WEB_THREADS="2", GUNICORN_CMD_ARGS="--worker-connections 50")
    server = subprocess.Popen([sys.executable, "-m", "gunicorn"], env=environment, cwd=settings.BASE_DIR)
    try:
        wait_until_listening(port)
        yield port
    finally:
        server.terminate()
        assert server.wait(15) == 0


@contextmanager
def connections(port: int, count: int, sent: bytes, receive_buffer: int | None = None) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        opened = []
        for _ in range(count):
            opened.append(stack.enter_context(socket.socket()))
            if receive_buffer:
                opened[-1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            opened[-1].settimeout(20)
            opened[-1].connect(("127.0.0.1", port))
            opened[-1].sendall(sent)
        yield opened


def answers(connection: socket.socket, count: int) -> bool:
    """Reads so many answers of /livez. Returns whether they were what they should be."""
    received = b""
    while received.count(b"\r\n\r\nok") < count and (more := connection.recv(4096)):
        received += more
    return received.count(b"HTTP/1.1 200 OK") == count


def seconds_of_livez(port: int) -> float:
    began = time.monotonic()
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", "/livez")
        assert connection.getresponse().status == 200
    return time.monotonic() - began


@pytest.mark.parametrize("sent", HEADS.values(), ids=HEADS.keys())
def test_300_slow_heads_stop_nobody(port: int, sent: bytes) -> None:
    with connections(port, 300, sent):
        assert seconds_of_livez(port) < ANSWER_SECONDS
        assert seconds_of_livez(port) < ANSWER_SECONDS


@pytest.mark.parametrize("sent", HALF_FORMS.values(), ids=HALF_FORMS.keys())
def test_40_slow_forms_stop_nobody(port: int, sent: bytes) -> None:
    with connections(port, 40, sent):
        assert seconds_of_livez(port) < ANSWER_SECONDS
        assert seconds_of_livez(port) < ANSWER_SECONDS


def test_a_form_is_answered_once_it_has_arrived(port: int) -> None:
    form = b"username=nobody&password=wrong"
    head = FORM_HEAD % (b"application/x-www-form-urlencoded", len(form)) + b"\r\n"
    with connections(port, 1, head + form[:10]) as [slow]:
        slow.sendall(form[10:] + WHOLE_REQUEST)
        assert slow.recv(12) == b"HTTP/1.1 403"  # without the token against forged requests


def test_a_form_in_parts_that_is_too_long_is_413(port: int) -> None:
    with connections(port, 1, HALF_FORMS["a long form in parts"]) as [long]:
        assert long.recv(12) == b"HTTP/1.1 413"


def test_a_slow_reader_gets_the_whole_response(port: int) -> None:
    with connections(port, 1, READS_NOTHING * 20 + WHOLE_REQUEST, receive_buffer=4096) as [slow]:
        received = b""
        while not received.endswith(b"\r\n\r\nok"):
            received += slow.recv(100_000) or pytest.fail("closed")
    assert received.count(b"HTTP/1.1 200 OK") == 21


def test_clients_that_read_nothing_stop_nobody(port: int) -> None:
    """The system keeps some MB for each client, so the first answers block no thread in any case."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", "/api/v1/openapi.json")  # it is made once, which takes a second
        connection.getresponse().read()
    with connections(port, 4, READS_NOTHING * 200, receive_buffer=4096):
        ends = time.monotonic() + 1.5
        while time.monotonic() < ends:
            assert seconds_of_livez(port) < ANSWER_SECONDS


def test_bodies_of_requests_that_are_refused_are_not_waited_for(port: int) -> None:
    without_a_key = b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf"
    with connections(port, 40, without_a_key) as refused:
        assert seconds_of_livez(port) < ANSWER_SECONDS
        assert refused[-1].recv(12) == b"HTTP/1.1 401"


def test_a_refusal_keeps_the_connection_of_a_body_that_has_arrived(port: int) -> None:
    without_a_key = b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"
    with connections(port, 1, without_a_key + WHOLE_REQUEST) as [kept]:
        assert answers(kept, 1)


def test_the_head_that_waited_longest_makes_room_for_a_new_one(port: int) -> None:
    with connections(port, 60, HALF_A_HEAD) as opened:
        assert opened[0].recv(1) == b""
        opened[-1].sendall(b"fast\r\n\r\n")
        assert opened[-1].recv(12) == b"HTTP/1.1 200"


def test_a_head_has_two_seconds(port: int) -> None:
    with connections(port, 1, HALF_A_HEAD) as [slow]:
        began = time.monotonic()
        assert slow.recv(12) == b"HTTP/1.1 408"
        assert 1.5 < time.monotonic() - began < 10


def test_a_head_without_end_is_431(port: int) -> None:
    with connections(port, 1, HALF_A_HEAD + b"x" * 70_000) as [endless]:
        assert endless.recv(12) == b"HTTP/1.1 431"


def test_a_head_that_comes_in_pieces_is_answered(port: int) -> None:
    with connections(port, 1, b"") as [slow]:
        for _ in range(2):  # on one connection
            for at in range(len(WHOLE_REQUEST)):
                slow.sendall(WHOLE_REQUEST[at : at + 1])
            assert answers(slow, 1)


def test_requests_in_one_packet_are_answered_in_turn(port: int) -> None:
    with connections(port, 1, WHOLE_REQUEST * 20 + WHOLE_REQUEST[:10]) as [pipelining]:
        assert answers(pipelining, 20)
        pipelining.sendall(WHOLE_REQUEST[10:])
        assert answers(pipelining, 1)


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_a_body_that_comes_with_its_head_is_read(port: int) -> None:
    _, secret = an_api_key("ingest")
    head = f"POST /api/v1/traces HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {secret}\r\n"
    head += "Content-Type: application/json\r\n"
    body = b'{"agent_id": "a"}'
    chunks = b"5\r\n%s\r\nc\r\n%s\r\n0\r\n\r\n" % (body[:5], body[5:])
    whole = head.encode() + b"Content-Length: 17\r\n\r\n" + body
    chunked = head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunks
    for request in (whole, chunked, whole[:-3], chunked[:-6]):
        with connections(port, 1, request) as [client]:
            if request not in (whole, chunked):
                time.sleep(0.1)
                client.sendall(whole[-3:] if whole.startswith(request) else chunked[-6:])
            received = b""
            while b'{"accepted":1,' not in received:
                received += client.recv(8192) or pytest.fail(str(received))
