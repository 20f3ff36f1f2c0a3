"""The benchmark asks questions that no cache has seen, and the product answers each of them."""

from datetime import UTC, datetime

import pytest

from benchmarks.footprint import ROUTES, questions
from tests.tenant import Tenant


def test_no_question_is_asked_twice() -> None:
    paths = list(questions(1_000, datetime.now(UTC)))
    assert len(set(paths)) == 1_000


@pytest.mark.django_db(databases="__all__")
def test_every_question_is_answered(tenant: Tenant) -> None:
    for path in questions(len(ROUTES), datetime.now(UTC)):
        assert tenant.client.get(path).status_code == 200
