"""`make run`: the whole product from one command, on an embedded PostgreSQL unless databases are given."""

import sys
from contextlib import ExitStack

from observability.launcher.ending import exit_code
from observability.launcher.environment import HOST, free_port, make_var_folder, prepare_environment
from observability.launcher.first_start import prepare_data
from observability.launcher.lock import LOCK, locked
from observability.launcher.processes import serve
from web.version import VERSION


def main() -> None:
    if sys.argv[1:] == ["--version"]:
        print(VERSION)
        return
    with ExitStack() as stack:
        port = free_port()
        make_var_folder()
        stack.enter_context(locked(LOCK, f"http://{HOST}:{port}"))
        prepare_environment(stack)
        serve(port, prepare_data())


if __name__ == "__main__":
    sys.exit(exit_code(main))
