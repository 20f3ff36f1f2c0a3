"""`make run`: starts the whole product, on an embedded PostgreSQL unless the environment names databases."""

import sys
from contextlib import ExitStack

from observability.launcher.environment import HOST, free_port, make_var_folder, prepare_environment
from observability.launcher.exit_code import exit_code
from observability.launcher.first_start import prepare_data
from observability.launcher.lock import LOCK, locked
from observability.launcher.supervisor import supervise
from observability.launcher.web_server import WebServer, welcome
from observability.variables import load_env_file
from web.version import VERSION


def main() -> None:
    if sys.argv[1:] == ["--version"]:
        print(VERSION)
        return
    load_env_file()
    with ExitStack() as stack:
        port = free_port()
        make_var_folder()
        stack.enter_context(locked(LOCK, f"http://{HOST}:{port}"))
        databases = prepare_environment(stack)
        secrets = prepare_data()
        web_server = WebServer(port)
        stack.enter_context(web_server.running())
        print("\n".join(["", *secrets, *welcome(f"http://{HOST}:{port}")]), flush=True)
        supervise([*databases, web_server])


if __name__ == "__main__":
    sys.exit(exit_code(main))
