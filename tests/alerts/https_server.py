"""A small HTTPS server for tests: its certificate, and what it answers, are as a test wants."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Answer = Callable[[ssl.SSLSocket], None]
OK = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"


class Authority(NamedTuple):
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def signed(name: str, key: ec.EllipticCurvePrivateKey, by: Authority | None, days: int) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(by.certificate.subject if by else named(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=10))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    )
    return builder.sign(by.key if by else key, hashes.SHA256())


@cache
def authority() -> Authority:
    """Returns the authority that the tests trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    return Authority(signed("authority.test", key, None, 10), key)


def certificate_file(folder: Path, name: str, days: int = 5, is_trusted: bool = True) -> Path:
    """Writes a certificate for the name, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = signed(name, key, authority() if is_trusted else None, days)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{name}.pem"
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


class HttpsServer:
    def __init__(self, certificate: Path, answer: Answer) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.answer = answer
        self.requests: list[bytes] = []
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        with suppress(OSError), self.context.wrap_socket(connection, server_side=True) as secured:
            self.requests.append(received(secured))
            self.answer(secured)


def received(connection: ssl.SSLSocket) -> bytes:
    """Reads one request with its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    [length] = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while len(body) < int(length):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def https_server(
    certificate: Path, answer: Answer = lambda connection: connection.sendall(OK)
) -> Iterator[HttpsServer]:
    server = HttpsServer(certificate, answer)
    threading.Thread(target=server.accept, daemon=True).start()
    try:
        yield server
    finally:
        with suppress(OSError):
            server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
