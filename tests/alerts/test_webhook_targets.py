"""Webhooks cannot be turned against the inside: not by spellings, not by names, not by answers, not by slowness."""

# ruff: noqa: RUF001, S104

import hmac
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from alerts import outbound
from alerts.channels.webhook import signature
from alerts.faults import DeliveryFault
from alerts.outbound import post
from tests.alerts.https_server import authority, certificate_file, https_server

HOST = "hooks.example.com"
PUBLIC = "93.184.215.14"
PUBLIC_V6 = "2606:2800:21f:cb07:6820:80da:af6b:8b2c"

SPELLINGS = [
    # Addresses of IPv4, in every form that some program reads.
    *("127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0x7f.1", "0177.0.0.1", "0177.1"),
    *("017700000001", "127.000.000.001", "127.0.0.1.", "127.1.", "0", "0.0.0.0", "00000000000", "10.0.0.1", "10.1"),
    *("172.16.0.1", "192.168.0.1", "192.168.1", "0xc0.0xa8.0x00.0x01", "3232235521", "169.254.169.254"),
    *("0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "169.254.43518", "100.64.0.1", "255.255.255.255"),
    *("224.0.0.1", "127.0.0.1%00", "127.0.0.1%2eexample.com", "1.1.1.1", "127。0。0。1", "１２７.0.0.1", "①②⑦.⓪.⓪.①"),
    # Addresses of IPv6.
    *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[fe80::1]"),
    *("[fe80::1%25eth0]", "[fe80::1%eth0]", "[fc00::1]", "[fd00:ec2::254]", "[fec0::1]", "[2002:7f00:1::]"),
    *("[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2001:0:7f00:1::]", "[::ffff:0:127.0.0.1]", "[ff02::1]"),
    *("[2606:4700:4700::1111]", "[::1", "::1"),
    # Names that lead inside, and names that are none.
    *("localhost", "LOCALHOST", "localhost.", "a.localhost", "ip6-localhost", "router", "db.local", "api.internal"),
    *("metadata.google.internal", "kubernetes.default.svc.cluster.local", "1.0.0.127.in-addr.arpa", "example.com."),
    *(
        "example..com",
        ".example.com",
        "-a.example.com",
        "a_b.example.com",
        "exämple.com",
        "example.com%2f",
        "пример.рф",
    ),
    *("ⓛocalhost", "example.123", "a.1", f"{'a' * 64}.example.com", f"{'a.' * 130}com", ""),
    # What two programs read in two ways.
    *("example.com@127.0.0.1", "127.0.0.1@example.com", "user:password@example.com", "example.com:80@127.0.0.1"),
    *("example.com#@127.0.0.1", "127.0.0.1#.example.com", "example.com\\@127.0.0.1", "127.0.0.1\\.example.com"),
    *(
        "example.com:0",
        "example.com:99999",
        "example.com:x",
        "example.com:-1",
        "exa mple.com",
        "example.com\t",
        "\texample.com",
    ),
    *("example.com\r\nHost: inside", "example.com/\r\nX: y", "example.com/ ", "/example.com", "//example.com", "?x=y"),
]
OTHER_SCHEMES = [
    *("http://example.com/", "HTTPS://example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://127.0.0.1/"),
    *("//example.com/", "example.com", " https://example.com/", "https:example.com", "https:/example.com", ""),
    *("javascript:alert(1)", "data:text/plain,x", "unix:///var/run/docker.sock", "https+unix://example.com"),
]
INSIDE = [
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1"),
    *("169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1"),
    *("198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", f"::ffff:{PUBLIC}", "::ffff:0:127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::a00:1", "100::1", "2001::1", "2001:0:a00:1::", "2001:20::1"),
    *("2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "3fff::1", "3ffe::1", "5f00::1", "fc00::1", "fd00:ec2::254"),
    *(
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "2606:4700::5efe:7f00:1",
        "2606:4700::200:5efe:a00:1",
    ),
]


def refused(url: str) -> DeliveryFault:
    with pytest.raises(DeliveryFault) as caught:
        post(url, b"{}", {})
    return caught.value


class Network:
    """Stands for the internet: names with their addresses, and where a connection to an address really goes."""

    def __init__(self) -> None:
        self.names: dict[str, list[Any]] = {}
        self.looked_up: list[str] = []
        self.connected: list[tuple[str, int]] = []
        self.port = 0

    def getaddrinfo(self, name: str, port: int, **options: Any) -> list[Any]:
        self.looked_up.append(name)
        answers = self.names.get(name)
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answer]

    def create_connection(self, address: tuple[str, int], timeout: float) -> socket.socket:
        self.connected.append(address)
        return self.connect(("127.0.0.1", self.port), timeout=timeout)

    connect = staticmethod(socket.create_connection)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    made = Network()
    monkeypatch.setattr(outbound, "getaddrinfo", made.getaddrinfo)
    monkeypatch.setattr(outbound, "create_connection", made.create_connection)
    monkeypatch.setattr(outbound, "tls", lambda: ssl.create_default_context(cadata=authority().pem))
    return made


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return certificate_file(tmp_path, HOST)


def test_there_are_many_hostile_targets() -> None:
    assert len({*SPELLINGS, *OTHER_SCHEMES, *INSIDE}) >= 150


@pytest.mark.parametrize("host", SPELLINGS)
def test_no_spelling_of_the_inside_is_even_looked_up(network: Network, host: str) -> None:
    fault = refused(f"https://{host}" if host.startswith("?") else f"https://{host}/hook")
    assert fault.is_final
    assert (network.looked_up, network.connected) == ([], [])


@pytest.mark.parametrize("url", OTHER_SCHEMES)
def test_only_https_is_spoken(network: Network, url: str) -> None:
    assert refused(url).is_final
    assert network.looked_up == []


@pytest.mark.parametrize("address", INSIDE)
def test_a_name_with_an_address_inside_is_refused(network: Network, address: str) -> None:
    """Also where it is one of several: nobody says which one a connection would take."""
    for addresses in ([address], [PUBLIC, address], [address, PUBLIC]):
        network.names[f"{HOST}."] = [addresses]
        fault = refused(f"https://{HOST}/hook")
        assert fault.is_final
        assert "does not belong to the internet" in fault.words
    assert network.connected == []


@pytest.mark.parametrize("address", [PUBLIC, PUBLIC_V6, "8.8.8.8", "2a00:1450:4001:80b::200e"])
def test_a_name_of_the_internet_is_taken(network: Network, certificate: Path, address: str) -> None:
    network.names[f"{HOST}."] = [[address]]
    with https_server(certificate) as server:
        network.port = server.port
        assert post(f"https://{HOST}/hook", b"{}", {}) == 204
    assert network.connected == [(address, 443)]


def test_a_name_that_changes_between_look_ups_is_looked_up_once(network: Network, certificate: Path) -> None:
    network.names[f"{HOST}."] = [[PUBLIC], ["127.0.0.1"]]
    with https_server(certificate) as server:
        network.port = server.port
        assert post(f"https://{HOST}/hook", b"{}", {}) == 204
    assert network.looked_up == [f"{HOST}."]
    assert network.connected == [(PUBLIC, 443)]


def test_a_name_that_turns_inside_is_refused_in_the_next_attempt(network: Network, certificate: Path) -> None:
    network.names[f"{HOST}."] = [[PUBLIC], ["169.254.169.254"]]
    with https_server(certificate) as server:
        network.port = server.port
        post(f"https://{HOST}/hook", b"{}", {})
        assert refused(f"https://{HOST}/hook").is_final
    assert network.connected == [(PUBLIC, 443)]


@pytest.fixture
def answering(network: Network, certificate: Path) -> Iterator[Callable[[Any], Any]]:
    """Starts a server under the name that answers as a test wants."""
    network.names[f"{HOST}."] = [[PUBLIC]]
    servers = []

    def start(answer: Any, path: Path = certificate) -> Any:
        manager = https_server(path, answer)
        server = manager.__enter__()
        servers.append(manager)
        network.port = server.port
        return server

    yield start
    for manager in servers:
        manager.__exit__(None, None, None)


URL = f"https://{HOST}/hook?token=abc"


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308, 399])
def test_a_redirect_is_not_followed(answering: Any, status: int) -> None:
    head = f"HTTP/1.1 {status} Elsewhere\r\nLocation: https://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    server = answering(lambda connection: connection.sendall(head.encode()))
    fault = refused(URL)
    assert (fault.status, fault.is_final, server.connections) == (status, True, 1)


@pytest.mark.parametrize(("status", "is_final"), [(400, False), (404, False), (410, True), (429, False), (500, False)])
def test_a_refusal_is_kept_with_its_status_and_first_words(answering: Any, status: int, is_final: bool) -> None:
    body = b"not\x00 now\r\n<b>" + b"x" * 500
    head = f"HTTP/1.1 {status} No\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    answering(lambda connection: connection.sendall(head + body))
    fault = refused(URL)
    assert (fault.status, fault.is_final) == (status, is_final)
    assert fault.words.startswith(f"{HOST} answered {status}: not now <b>xxx")
    assert len(fault.words) < 200


def test_a_refusal_that_repeats_the_address_shows_no_secret(answering: Any) -> None:
    body = b"Cannot POST /hooks/s3cret%20token: no key abc-123 of s3cret token"
    head = f"HTTP/1.1 404 No\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    answering(lambda connection: connection.sendall(head + body))
    words = refused(f"https://{HOST}/hooks/s3cret%20token?key=abc-123").words
    assert words == f"{HOST} answered 404: Cannot POST /hooks/…: no key … of …."


def test_a_request_says_what_it_is_and_that_it_is_from_here(answering: Any) -> None:
    server = answering(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    assert post(URL, b'{"a": 1}', {"Content-Type": "application/json"}) == 200
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"POST /hook?token=abc HTTP/1.1"
    assert f"host: {HOST}".encode() in head.lower().split(b"\r\n")
    assert body == b'{"a": 1}'


def test_a_signature_is_over_the_timestamp_and_the_body() -> None:
    expected = hmac.new(b"key", b'1764212700.{"a": 1}', sha256).hexdigest()
    assert signature("key", "1764212700", b'{"a": 1}') == expected


# --- Bad certificates ---


@pytest.mark.parametrize(
    "options",
    [{"name": "other.example.com"}, {"name": HOST, "days": -1}, {"name": HOST, "is_trusted": False}],
    ids=["of another name", "expired", "self-signed"],
)
def test_a_bad_certificate_is_refused_before_anything_is_sent(answering: Any, tmp_path: Path, options: Any) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    server = answering(lambda connection: None, certificate_file(folder, **options))
    assert "certificate" in refused(URL).words
    assert server.requests == []


def test_a_server_without_tls_gets_nothing(network: Network) -> None:
    network.names[f"{HOST}."] = [[PUBLIC]]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        network.port = listener.getsockname()[1]
        heard: list[bytes] = []

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                heard.append(connection.recv(4096))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        assert "no TLS" in refused(URL).words
        thread.join()
    assert b"POST" not in heard[0]


# --- Slow, endless and lying answers ---


def drip(piece: bytes) -> Any:
    def answer(connection: ssl.SSLSocket) -> None:
        while True:
            connection.sendall(piece)
            time.sleep(0.02)

    return answer


def flood(head: bytes, piece: bytes) -> Any:
    def answer(connection: ssl.SSLSocket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece)

    return answer


def silence(connection: ssl.SSLSocket) -> None:
    connection.recv(1)


HUGE = b"Content-Length: 1000000000\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
SLOW = {
    "never answers": silence,
    "drips its status line": drip(b"H"),
    "drips heads": flood(b"HTTP/1.1 200 OK\r\n", b""),
    "drips spaces": drip(b" "),
    "drips informational answers": drip(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "drips a header": drip(b"X"),
}


@pytest.mark.parametrize("name", SLOW)
def test_a_slow_answer_has_one_deadline(answering: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(outbound, "SECONDS", 0.3)
    answering(SLOW[name])
    fault = refused(URL)
    assert fault.is_slow or "no answer of HTTP" in fault.words


@pytest.mark.parametrize(
    "answer",
    [
        flood(b"HTTP/1.1 500 No\r\n" + HUGE, b"x" * 65536),
        flood(b"HTTP/1.1 500 No\r\n" + CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"),
        flood(b"HTTP/1.1 500 No\r\n\r\n", b"x" * 65536),
    ],
    ids=["1 GB", "endless chunks", "endless"],
)
def test_a_large_answer_is_not_read(answering: Any, monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    answering(answer)
    fault = refused(URL)
    assert fault.status == 500
    assert len(fault.words) < 200


def test_a_handshake_that_drips_has_the_same_deadline(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "SECONDS", 0.3)
    network.names[f"{HOST}."] = [[PUBLIC]]
    ended = threading.Event()

    def answer() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 KiB, of which a byte comes now and then
            drip(b"x")(connection)
        ended.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        network.port = listener.getsockname()[1]
        threading.Thread(target=answer, daemon=True).start()
        assert refused(URL).is_slow
        assert ended.wait(5)


def test_a_refusal_that_drips_has_the_same_deadline(answering: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "SECONDS", 0.3)
    ended = threading.Event()

    def answer(connection: ssl.SSLSocket) -> None:
        try:
            connection.sendall(b"HTTP/1.1 500 No\r\n" + HUGE)
            drip(b"x")(connection)
        finally:
            ended.set()

    answering(answer)
    assert refused(URL).status == 500
    assert ended.wait(5)


def test_an_answer_that_accepts_counts_also_where_its_body_never_ends(answering: Any) -> None:
    answering(flood(b"HTTP/1.1 200 OK\r\n" + CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"))
    assert post(URL, b"{}", {}) == 200


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"SSH-2.0-OpenSSH_9.6\r\n", b"\x00" * 100),
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/9.9 99999 OK\r\n\r\n",
    ],
)
def test_what_is_no_http_is_a_fault_and_no_crash(answering: Any, text: bytes) -> None:
    answering(lambda connection: connection.sendall(text))
    assert refused(URL).words


def test_a_name_that_is_never_found_has_the_same_deadline(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "SECONDS", 0.2)
    stopped = threading.Event()
    monkeypatch.setattr(outbound, "getaddrinfo", lambda *_, **__: [] * stopped.wait(30))
    assert refused(URL).is_slow
    stopped.set()


def test_an_unknown_name_is_tried_again(network: Network) -> None:
    fault = refused(URL)
    assert (fault.is_final, fault.words) == (False, f"The name {HOST} is not known.")


# --- What an operator allows ---


def test_an_operator_allows_a_host_inside(
    network: Network, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.names["hooks"] = [["127.0.0.1"]]
    with https_server(certificate_file(tmp_path, "hooks")) as server:
        network.port = server.port
        settings.WEBHOOK_INTERNAL_TARGETS = frozenset({("hooks", 8443)})
        assert post("https://hooks:8443/x", b"{}", {}) == 204
        for other in ("https://hooks/x", "https://hooks:8444/x", "https://hooks2:8443/x", "https://127.0.0.1:8443/x"):
            assert refused(other).is_final
    assert network.connected == [("127.0.0.1", 8443)]
