"""The proxy of compose, with its configuration: it buffers, says who the client is, and forwards bodies untouched."""

import gzip
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from tests.servers import free_port, wait_until_listening
from tests.tools import tool

ROOT = Path(__file__).resolve().parents[2]
HOST = "traces.example.com"


class WebServer(ThreadingHTTPServer):
    """Answers with what it got, and remembers when a request began."""

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Echo)
        self.requests: list[str] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stays silent: the proxy hangs up in the middle of a request that is too large."""


class Echo(BaseHTTPRequestHandler):
    server: WebServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.server.requests.append(self.path)
        body = self.body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = json.dumps({"body": body.hex() if len(body) < 1000 else len(body), "headers": headers}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def body(self) -> bytes:
        if "Transfer-Encoding" not in self.headers:
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Proxy:
    def __init__(self, web: WebServer, http: int, https: int) -> None:
        self.web, self.http, self.https = web, http, https

    def connect(self, tls: bool = True) -> socket.socket:
        plain = socket.create_connection(("127.0.0.1", self.https if tls else self.http), timeout=10)
        if not tls:
            return plain
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(plain, server_hostname=HOST)

    def post(self, body: bytes, tls: bool = True, **headers: str) -> tuple[int, dict[str, Any]]:
        client = http.client.HTTPConnection(HOST)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        with self.connect(tls) as client.sock:
            client.request("POST", "/v1/traces", body, {"Content-Type": "application/json"} | sent)
            answer = client.getresponse()
            return answer.status, json.loads(answer.read())


def configuration(web: int, http: int, https: int) -> str:
    """Returns the Caddyfile of compose with ports of this machine and a certificate that nobody has to sign."""
    text = (ROOT / "deploy/Caddyfile").read_text()
    ports = f"\tadmin off\n\thttp_port {http}\n\thttps_port {https}\n\tlocal_certs\n\tskip_install_trust\n"
    return text.replace("\tadmin off\n", ports).replace("web:8000", f"127.0.0.1:{web}")


def serving(proxy: Proxy) -> Proxy:
    """Returns the proxy once it listens on both ports and has its certificate, which comes a little later."""
    wait_until_listening(proxy.http)
    wait_until_listening(proxy.https)
    ends = time.monotonic() + 30
    while True:
        try:
            proxy.post(b"{}")
            return proxy
        except ssl.SSLError:
            assert time.monotonic() < ends
            time.sleep(0.05)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("proxy")
    web, plain, tls = free_port(), free_port(), free_port()
    (folder / "Caddyfile").write_text(configuration(web, plain, tls))
    command = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["proxy"]["command"]
    script = command[2].replace("$$", "$").replace("/etc/caddy/Caddyfile", str(folder / "Caddyfile"))
    caddy = shutil.which("caddy", path=Path(sys.executable).parent) or tool("caddy")
    environment = os.environ | {
        "ALLOWED_HOSTS": f"{HOST},other.example.com",
        "PATH": f"{Path(caddy).parent}:{os.environ['PATH']}",
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }
    server = WebServer(web)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    process = subprocess.Popen(["sh", "-c", script], env=environment, stderr=subprocess.DEVNULL)
    try:
        yield serving(Proxy(server, plain, tls))
    finally:
        process.terminate()
        process.wait()
        server.shutdown()
        server.server_close()


def test_the_web_server_learns_the_client_and_the_scheme_from_the_proxy_only(proxy: Proxy) -> None:
    forged = {"X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "http"}
    _, encrypted = proxy.post(b"{}", **forged)
    _, plain = proxy.post(b"{}", tls=False, X_Forwarded_Proto="https")
    assert encrypted["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert encrypted["headers"]["host"] == HOST
    assert (encrypted["headers"]["x-forwarded-proto"], plain["headers"]["x-forwarded-proto"]) == ("https", "http")


def test_a_body_with_gzip_and_its_key_arrive_as_they_were_sent(proxy: Proxy) -> None:
    body = gzip.compress(b'{"resourceSpans": []}')
    status, got = proxy.post(body, Content_Encoding="gzip", Authorization="Bearer aop_x")
    assert (status, got["body"]) == (200, body.hex())
    assert (got["headers"]["content-encoding"], got["headers"]["authorization"]) == ("gzip", "Bearer aop_x")


def test_the_largest_body_passes_and_a_larger_one_is_refused_in_the_shape_of_the_product(proxy: Proxy) -> None:
    status, got = proxy.post(b" " * settings.MAX_BODY_BYTES)
    assert (status, got["body"]) == (200, settings.MAX_BODY_BYTES)
    status, problem = proxy.post(b" " * (settings.MAX_BODY_BYTES + 1))
    assert (status, problem["status"], problem["type"]) == (413, 413, "about:blank")


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize(
    ("framing", "begin", "end"),
    [("Content-Length: 4", b"ab", b"cd"), ("Transfer-Encoding: chunked", b"2\r\nab\r\n", b"2\r\ncd\r\n0\r\n\r\n")],
)
def test_a_slow_body_reaches_the_web_server_only_when_it_is_complete(
    proxy: Proxy, framing: str, begin: bytes, end: bytes, tls: bool
) -> None:
    path = f"/{framing[0]}{tls}"
    with proxy.connect(tls) as client:
        client.sendall(f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\n{framing}\r\n\r\n".encode() + begin)
        proxy.post(b"{}")  # sent later, answered first
        time.sleep(0.1)
        assert path not in proxy.web.requests
        client.sendall(end)
        assert client.recv(64).startswith(b"HTTP/1.1 200")
    assert path in proxy.web.requests
