"""`make run`: starts the whole product, on an embedded PostgreSQL unless the environment names databases.

This process lives as long as the product and only waits. So it imports neither Django nor a driver of databases: what
needs them runs in processes of their own.
"""

import sys
from contextlib import ExitStack

from observability.env_file import load_env_file
from observability.launcher.environment import HOST, free_port, make_var_folder, prepare_environment
from observability.launcher.exit_code import exit_code
from observability.launcher.lock import LOCK, locked
from observability.launcher.program import JobWorker, run_to_its_end
from observability.launcher.supervisor import supervise
from observability.launcher.web_server import WebServer, welcome
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
        # It prints its reason itself.
        if code := run_to_its_end(["-m", "observability.launcher.first_start"]):
            sys.exit(code)
        for database in databases:
            database.forget_first_start()
        programs = [WebServer(port), JobWorker()]
        for program in programs:
            stack.enter_context(program.running())
        print("\n".join(["", *welcome(f"http://{HOST}:{port}")]), flush=True)
        supervise([*databases, *programs])


if __name__ == "__main__":
    sys.exit(exit_code(main))
