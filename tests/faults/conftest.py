from collections.abc import Iterator

import pytest

from tests.faults import ledger
from tests.faults.product import Product, running
from tests.summaries import LINES


@pytest.fixture(scope="package")
def product() -> Iterator[Product]:
    with running() as product:
        yield product


def pytest_sessionfinish() -> None:
    if ledger.ledgers:
        LINES["faults"] = [ledger.HEADING, *(entry.line() for entry in ledger.ledgers)]
