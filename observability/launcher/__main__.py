"""`make run`: starts the whole product, on an embedded PostgreSQL unless the environment names databases.

This process lives as long as the product and only waits. So it imports neither Django nor a driver of databases: what
needs them runs in other processes, which share the memory of one that has loaded the code.
"""

import sys
from contextlib import ExitStack

from observability.env_file import load_env_file
from observability.launcher.environment import HOST, free_port, make_var_folder, prepare_environment
from observability.launcher.exit_code import exit_code
from observability.launcher.forks import ForkServer, Unloaded
from observability.launcher.lock import LOCK, locked
from observability.launcher.program import JobWorker, Starter, run_to_its_end, start_alone
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
        fork_servers = start_fork_server(stack)
        start_process: Starter = fork_servers[0].fork if fork_servers else start_alone
        # It prints its reason itself.
        if code := run_to_its_end(start_process, ["-m", "observability.launcher.first_start"]):
            sys.exit(code)
        for database in databases:
            database.forget_first_start()
        programs = [WebServer(start_process, port), JobWorker(start_process=start_process)]
        for program in programs:
            stack.enter_context(program.running())
        print("\n".join(["", *welcome(f"http://{HOST}:{port}")]), flush=True)
        supervise([*fork_servers, *databases, *programs])


def start_fork_server(stack: ExitStack) -> list[ForkServer]:
    """Starts what forks the programs. Elsewhere than on Linux there is none: no process can adopt orphans there."""
    if sys.platform != "linux":
        return []
    try:
        return [stack.enter_context(ForkServer().running())]
    except Unloaded:
        sys.exit(1)


if __name__ == "__main__":
    sys.exit(exit_code(main))
