"""A small mail server for tests: it keeps what it gets, and can refuse, hang or encrypt as a test wants."""

import base64
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import BinaryIO


@dataclass
class SmtpServer:
    certificate: str | None = None
    """A file with a key and a certificate: with it there is STARTTLS, or TLS from the start."""
    tls_from_the_start: bool = False
    password: str | None = None
    """Clients must sign in with it."""
    answers: dict[str, str] = field(default_factory=dict)
    """What it answers to a command instead of what it would, like `{"RCPT": "550 no such user"}`."""
    hangs_at: str | None = None
    """The command, or `greeting`, that gets no answer."""
    messages: list[EmailMessage] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    port: int = 0

    @contextmanager
    def running(self) -> Iterator["SmtpServer"]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
            self.ends = threading.Event()
            thread = threading.Thread(target=self.accept, args=(listener,))
            thread.start()
            try:
                yield self
            finally:
                self.ends.set()
                # Closing a socket does not end accept() of another thread; a connection does.
                socket.create_connection(("127.0.0.1", self.port)).close()
                thread.join()

    def accept(self, listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            with connection:
                if self.ends.is_set():
                    return
                connection.settimeout(5)
                with suppress(OSError):
                    self.serve(self.encrypted(connection) if self.tls_from_the_start else connection)

    def encrypted(self, connection: socket.socket) -> socket.socket:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(self.certificate))
        return context.wrap_socket(connection, server_side=True)

    def serve(self, connection: socket.socket) -> None:
        file = connection.makefile("rwb")
        self.reply(file, "greeting", "220 ready")
        while line := file.readline():
            text = line.decode().strip()
            self.commands.append(text)
            word = text.split()[0].upper()
            if word == "STARTTLS":
                self.reply(file, word, "220 go ahead")
                connection = self.encrypted(connection)
                file = connection.makefile("rwb")
            elif word == "DATA":
                self.take_message(file)
            else:
                self.reply(file, word, self.answer(word, text))
            if word == "QUIT":
                break
        connection.close()

    def answer(self, word: str, text: str) -> str:
        if word == "EHLO":
            offers = ["STARTTLS"] if self.certificate and not self.tls_from_the_start else []
            return "\r\n".join([*(f"250-{offer}" for offer in ("localhost", *offers, "AUTH PLAIN")), "250 HELP"])
        if word == "AUTH":
            given = base64.b64decode(text.split()[2]).split(b"\0")[2].decode()
            return "235 welcome" if given == self.password else "535 5.7.8 Bad credentials"
        return "221 bye" if word == "QUIT" else "250 ok"

    def take_message(self, file: BinaryIO) -> None:
        self.reply(file, "DATA", "354 go on")
        if "DATA" in self.answers:
            return
        lines = []
        while (line := file.readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        self.messages.append(BytesParser(EmailMessage, policy=policy.default).parsebytes(b"".join(lines)))
        self.reply(file, "end of data", "250 taken")

    def reply(self, file: BinaryIO, word: str, usual: str) -> None:
        if self.hangs_at == word:
            self.ends.wait(10)
            raise OSError("the test is over")
        file.write(self.answers.get(word, usual).encode() + b"\r\n")
        file.flush()
