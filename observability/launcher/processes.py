"""Starts the web server, waits until it is ready, and stops it when the launcher ends."""

import ctypes
import os
import signal
import socket
import subprocess
import sys

from observability.launcher.environment import HOST, ROOT
from observability.launcher.exit_code import Refused
from workspaces.demo import DEMO_WORKSPACE_ID

PR_SET_PDEATHSIG = 1  # from linux/prctl.h


def serve(port: int, lines: list[str]) -> None:
    """Runs the web server until it ends, which is an error, or until an exception stops the launcher."""
    # A session of its own: Ctrl-C reaches only this process, which then stops server and database in order.
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn"],
        env=os.environ | {"BIND": f"{HOST}:{port}"},
        start_new_session=True,
        cwd=ROOT,
        preexec_fn=end_with_parent,
    )
    try:
        wait_until_ready(server, port)
        print("\n".join(["", *lines, *welcome(f"http://{HOST}:{port}")]), flush=True)
        code = server.wait()
        raise Refused(f"the web server ended with code {code}.")
    finally:
        server.terminate()
        server.wait()


def end_with_parent() -> None:
    """Ends the server with its parent: a killed `make run` leaves no server that uses the port."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def wait_until_ready(server: subprocess.Popen[bytes], port: int) -> None:
    while True:
        with socket.socket() as probe:
            probe.settimeout(0.1)
            if probe.connect_ex((HOST, port)) == 0:
                return
        try:
            server.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        raise Refused("the web server did not start; the lines above give the reason.")


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
