"""A pytest plugin, loaded before the settings, that starts an embedded PostgreSQL for the tests.

The workers of pytest-xdist find its address in their environment, and use databases of their own on the one server.
Each worker migrates its databases itself, all at the same time, in 2.7 seconds. Copies of a template would begin only
after one process has migrated it, which takes 2.4 seconds, so no worker would be ready earlier.
"""

import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from observability.launcher import embedded

# Durability costs time and gives tests nothing: the folder is deleted after the run.
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "1000",
    "jit": "off",
}


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    if "DATABASE_URL" in os.environ:
        return
    stack = ExitStack()
    data = Path(tempfile.mkdtemp(prefix="observability-tests-"))
    stack.callback(shutil.rmtree, data, ignore_errors=True)
    stack.enter_context(embedded.running(data / "postgres", FAST))
    early_config.add_cleanup(stack.close)
    for variable, name in embedded.DATABASES.items():
        os.environ[variable] = embedded.url(name, data / "postgres")
