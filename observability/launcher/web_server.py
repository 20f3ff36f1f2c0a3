"""Runs the web server, and prints how to use the product."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from observability.launcher.children import ending, start_child
from observability.launcher.environment import HOST, ROOT
from observability.launcher.refused import Refused
from workspaces.demo import DEMO_WORKSPACE_ID


class WebServer:
    name = "The web server"

    def __init__(self, port: int) -> None:
        self.port = port
        self.process: subprocess.Popen[bytes] | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        try:
            self.start()
            yield
        finally:
            self.stop()

    def start(self) -> None:
        environment = os.environ | {"BIND": f"{HOST}:{self.port}"}
        self.process = start_child([sys.executable, "-m", "gunicorn"], signal.SIGTERM, env=environment, cwd=ROOT)
        while not is_listening(self.port):
            try:
                self.process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            raise Refused("the web server did not start; the lines above give the reason.")

    def ended(self) -> str | None:
        code = self.process.poll() if self.process else None
        return None if code is None else ending(code)

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait()


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.1)
        return probe.connect_ex((HOST, port)) == 0


def welcome(url: str) -> list[str]:
    return [
        f"Open {url}  (Ctrl-C stops it)",
        "",
        "Send a first trace:",
        f"  curl {url}/api/v1/traces -H 'X-Workspace-ID: {DEMO_WORKSPACE_ID}' \\",
        "    -H 'Content-Type: application/json' \\",
        '    -d \'{"agent_id": "hello", "model": "gpt-4o", "provider": "openai", "user_id": "ada",'
        ' "latency_ms": 840, "input_tokens": 1200, "output_tokens": 80}\'',
        "",
        "Or fill the demo workspace with two months of data, in a second terminal:  make demo",
    ]
