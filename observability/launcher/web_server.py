"""Runs the web server, and prints how to use the product."""

import os
import socket

from observability.launcher.environment import HOST
from observability.launcher.program import Program, Starter
from workspaces.demo import DEMO_WORKSPACE_ID


class WebServer(Program):
    def __init__(self, start_process: Starter, port: int) -> None:
        super().__init__(start_process, "The web server", ["-m", "gunicorn"], BIND=f"{HOST}:{port}")
        self.port = port

    def is_ready(self) -> bool:
        return is_listening(self.port)


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
        *([] if os.environ.get("EMAIL_URL") else [f"Messages that it sends are at {url}/mail/", ""]),
        "Or fill the demo workspace with two months of data, in a second terminal:  make demo",
    ]
