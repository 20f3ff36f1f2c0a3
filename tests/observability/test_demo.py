import os
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
from genai_prices import Usage

from observability.launcher.demo import MODELS, price_id
from prices import pricing
from tests.tenant import a_row


def test_make_demo_starts_without_settings_in_its_environment() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    started = subprocess.run(
        [sys.executable, "-c", "import observability.launcher.demo"], env=environment, capture_output=True, text=True
    )
    assert started.returncode == 0, started.stderr


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
@pytest.mark.parametrize(("input_tokens", "cached", "output"), [(1000, 0, 100), (1234, 567, 89), (300_000, 1, 2)])
def test_calls_cost_what_genai_prices_says(model: Any, input_tokens: int, cached: int, output: int) -> None:
    usage = Usage(input_tokens=input_tokens, cache_read_tokens=cached, output_tokens=output)
    assert model.cost_usd(input_tokens, cached, output) == model.price_usd(usage) > Decimal(0)


def test_repricing_finds_nothing_to_change() -> None:
    for model in MODELS:
        row = a_row(provider=model.provider, model=model.name, input_tokens=1000, output_tokens=100)
        pricing.price_calls([], [pricing.CallToPrice(row, (model.name,))])
        assert (row.cost_usd, row.price_id) == (model.cost_usd(1000, 0, 100), price_id(model))
