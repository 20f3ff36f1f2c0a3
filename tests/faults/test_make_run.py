"""`make run` repairs itself: nobody starts anything by hand here, and the clients only retry."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from observability.launcher import embedded
from tests.faults.ledger import load, wait_for
from tests.faults.product import MAKE_WORKSPACES, ROOT, FaultTenant
from tests.observability.test_launcher import LEFT_OUT, Running, child, postmaster
from tests.public_folder import public_folder
from tests.servers import until
from tests.summaries import LINES

pytestmark = pytest.mark.faults

SPANS = 20_000
SETTLED_SECONDS, IDLE_SECONDS = 20, 60
IDLE_MB, IDLE_CORES = 200, 0.01


class Embedded:
    """The database of `make run`."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "var/postgres"

    def connect(self, name: str = "observability_analytics") -> psycopg.Connection[Any]:
        host = embedded.socket_directory(self.data)
        return psycopg.connect(host=host, user="postgres", dbname=name, autocommit=True)


class MadeProduct:
    """The product as `make run` starts it, with workspaces to fill."""

    def __init__(self, folder: Path, running: Running) -> None:
        self.running, self.port = running, running.port
        self.postgres = Embedded(folder)
        command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", MAKE_WORKSPACES]
        environment = {name: value for name, value in os.environ.items() if "DATABASE" not in name}
        environment["DJANGO_SETTINGS_MODULE"] = "observability.settings"
        made = subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE).stdout
        self.tenants = [FaultTenant(*values) for values in json.loads(made)]


@pytest.fixture
def folder() -> Iterator[Path]:
    with public_folder() as parent:
        shutil.copytree(ROOT, parent / "product", ignore=LEFT_OUT)
        yield parent / "product"


@contextmanager
def made(folder: Path) -> Iterator[MadeProduct]:
    running = Running(folder)
    try:
        yield MadeProduct(folder, running.until_it_serves())
    finally:
        running.stop()


def tree(product: Running) -> list[psutil.Process]:
    launcher = psutil.Process(product.process.pid)
    return [launcher, *launcher.children(recursive=True)]


def cpu_seconds(processes: list[psutil.Process]) -> float:
    """Returns the time of the processes, and of those that they have waited for."""
    return sum(sum(process.cpu_times()[:4]) for process in processes if process.is_running())


def test_an_idle_product_takes_little_memory_and_hardly_any_time(folder: Path) -> None:
    product = Running(folder).until_it_serves()
    try:
        wait_for(SETTLED_SECONDS)
        processes = tree(product)
        before = cpu_seconds(processes)
        wait_for(IDLE_SECONDS)
        cores = (cpu_seconds(processes) - before) / IDLE_SECONDS
        # Shared pages count in parts: other processes of this Python make it look smaller, never larger.
        megabytes = sum(process.memory_full_info().pss for process in tree(product)) / 1e6
    finally:
        product.stop()
    LINES["idle"].append(f"`make run` when nothing arrives: {megabytes:.0f} MB, {cores:.2%} of a core")
    assert megabytes <= IDLE_MB
    assert cores <= IDLE_CORES


def test_a_killed_postmaster_loses_no_span(folder: Path) -> None:
    with made(folder) as product:
        with load(product, "make run: postmaster killed") as clients:
            clients.flows(SPANS // 2)
            killed = postmaster(folder)
            os.kill(killed, signal.SIGKILL)
            until(lambda: postmaster(folder) not in (0, killed), "another server runs")
            clients.flows(SPANS // 2)
        assert clients.ledger.stored >= SPANS
    assert "PostgreSQL was killed by SIGKILL. It is started again now." in product.running.output
    assert "PostgreSQL runs again." in product.running.output


def test_a_worker_that_hangs_is_killed_and_started_again(folder: Path) -> None:
    product = Running(folder).until_it_serves()
    try:
        hung = child(product.process, "manage.py worker")
        wait_for(SETTLED_SECONDS)
        hung.suspend()
        until(lambda: not hung.is_running(), "it is killed", 90)
        until(lambda: child(product.process, "manage.py worker").pid != hung.pid, "another worker runs")
    finally:
        product.stop()
    assert "The worker of background jobs gave no sign of life for 60 s and was killed." in product.output


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    mounting = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", folder], check=False)
    if mounting.returncode:
        pytest.skip("only root with the right to mount can make a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def fill(folder: Path) -> Path:
    path = folder / "filler"
    with path.open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(1 << 16))
        except OSError:
            return path


def test_a_full_disk_that_is_freed_loses_no_span(folder: Path) -> None:
    with small_disk(folder / "var"), made(folder) as product:
        with load(product, "make run: disk full, then freed") as clients:
            filler = fill(folder / "var")
            until(lambda: clients.ledger.refused["503"] > 0, "no span finds room")
            # A server that ends now, as it does when its log finds no room, cannot start before the disk is freed.
            os.kill(postmaster(folder), signal.SIGKILL)
            wait_for(10)
            filler.unlink()
            until(lambda: postmaster(folder) != 0, "the server runs", 60)
            clients.flows()
        assert clients.ledger.refused["503"] > 0
    assert re.search(r"No space left on device|its disk is full", product.running.output)
    assert "It is started again in 5 s." in product.running.output
    assert "PostgreSQL runs again." in product.running.output
