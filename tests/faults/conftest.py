from collections.abc import Iterator

import pytest

from tests.faults import ledger
from tests.faults.product import Product, running


@pytest.fixture(scope="package")
def product() -> Iterator[Product]:
    with running() as product:
        yield product


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if ledger.ledgers:
        terminalreporter.section("faults")
        for line in [ledger.HEADING, *(one.line() for one in ledger.ledgers)]:
            terminalreporter.write_line(line)
