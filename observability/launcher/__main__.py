"""`make run`: starts the whole product, on an embedded PostgreSQL unless the environment names databases."""

import sys
from contextlib import ExitStack

from observability.launcher.environment import HOST, free_port, make_var_folder, prepare_environment
from observability.launcher.exit_code import exit_code
from observability.launcher.first_start import prepare_data
from observability.launcher.lock import LOCK, locked
from observability.launcher.processes import serve
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
        prepare_environment(stack)
        serve(port, prepare_data())


if __name__ == "__main__":
    sys.exit(exit_code(main))
