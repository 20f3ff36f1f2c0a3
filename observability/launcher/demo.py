"""`make demo`: fills the demo workspace with two months of a company's agents, through the product's own writer.

A day has the same spans at each run: a second run stores none again.
"""

import random
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from observability.env_file import load_env_file
from observability.launcher.demo_runs import end_of, spans_of_day
from observability.launcher.environment import prepare_environment
from observability.launcher.exit_code import exit_code
from observability.launcher.first_start import prepare_data
from observability.launcher.lock import LOCK, served_at
from observability.launcher.reasons import reason_of
from observability.launcher.web_server import is_listening
from traces.row import Row
from traces.scores import Score
from workspaces.demo import DEMO_WORKSPACE_ID

DAYS = 61  # the last 30, the 30 before them for comparison, and one more
# A large one, because the sums of an hour are written once for each batch.
BATCH = 10_000
BUDGETS: tuple[dict[str, Any], ...] = (
    {"name": "Customer acme", "amount_usd": Decimal(120), "scope": {"label.customer": ["acme"]}},
    {"name": "Customer globex", "amount_usd": Decimal(50), "scope": {"label.customer": ["globex"]}},
    {
        "name": "Production, each week",
        "amount_usd": Decimal(70),
        "period": "week",
        "scope": {"environment": ["production"]},
    },
    {
        "name": "Sales research, each quarter",
        "amount_usd": Decimal(160),
        "period": "quarter",
        "scope": {"agent_id": ["sales-researcher"]},
    },
    {"name": "Last 7 days of everything", "amount_usd": Decimal(80), "period": "rolling_7d"},
    {"name": "Every user", "amount_usd": Decimal(3), "per": "user"},
    {"name": "Every customer, each day", "amount_usd": Decimal(5), "period": "day", "per": "label.customer"},
)
"""Of the demo workspace, besides its own."""


def main() -> None:
    load_env_file()
    with ExitStack() as stack:
        prepare_environment(stack, is_served=wait_until_served())
        print("".join(f"{line}\n" for line in prepare_data()), end="")
        fill(UUID(DEMO_WORKSPACE_ID), datetime.now(UTC))
        make_budgets(UUID(DEMO_WORKSPACE_ID))
        url = served_at()
        print(f"  Look at it: {url}" if url else "  To look at it, start the web server:  make run")


def wait_until_served(path: Path = LOCK) -> bool:
    """Returns whether `make run` serves. Waits while it starts: both would prepare the same databases at once."""
    while (url := served_at(path)) is not None:
        port = urlsplit(url).port
        if port and is_listening(port):
            return True
        time.sleep(0.1)
    return False


def fill(workspace_id: UUID, now: datetime, days: int = DAYS) -> int:
    """Stores the demo data and returns the number of new spans."""
    # Imported here: they import models, which need the settings that `prepare_data` loads.
    from ingest.store import store_scores
    from prices import pricing
    from traces import writer

    stored = 0
    for done, rows in batches(now, days):
        succeeded = [row for row in rows if row.model and row.status == "success"]
        pricing.price_calls([], [pricing.CallToPrice(row, (row.model or "",)) for row in succeeded])
        stored += writer.store(workspace_id, rows).accepted
        store_scores(workspace_id, [score for row in rows for score in scores_of(row)])
        print(f"\r  {'█' * round(done * 40):<40} {done:4.0%}  {stored:,} new spans", end="", flush=True)
    print("\n  Done." if stored else "\n  Everything was there already.")
    return stored


def make_budgets(workspace_id: UUID) -> None:
    """Makes the budgets of the demo. A second run changes none: each has its id."""
    from budgets.bodies import NewBudget, validated
    from budgets.changes import create
    from workspaces.models import Workspace

    workspace = Workspace.objects.get(pk=workspace_id)
    for place, budget in enumerate(BUDGETS, start=1):
        body = {"id": str(UUID(int=place)), "owner": "ada", "reason": "made by make demo", **budget}
        create(workspace, validated(body, NewBudget, "budget"), "make demo")


def batches(now: datetime, days: int) -> Iterator[tuple[float, list[Row]]]:
    """Yields batches of rows, oldest first, each with the share that is done after it."""
    rows: list[Row] = []
    for days_ago in range(days, -1, -1):
        midnight = (now - timedelta(days=days_ago)).replace(hour=0, minute=0, second=0, microsecond=0)
        rows += [row for row in spans_of_day(midnight, days_ago) if now - timedelta(days=days) <= row.timestamp <= now]
        while len(rows) >= BATCH or (rows and days_ago == 0):
            yield (days - days_ago) / days, rows[:BATCH]
            rows = rows[BATCH:]


def scores_of(row: Row) -> Iterator[Score]:
    """Yields what users and an evaluator think of a run: of one in eight whether it helped, of one in four how well."""
    if row.operation != "invoke_agent":
        return
    rng = random.Random(row.span_id)  # noqa: S311 (made-up data)
    is_bad = row.status != "success"
    if rng.random() < 1 / 8:
        yield demo_score(
            row, "helpful", "annotation", category="no" if rng.random() < (0.8 if is_bad else 0.15) else "yes"
        )
    if rng.random() < 1 / 4:
        quality = rng.betavariate(2, 5) if is_bad else rng.betavariate(8, 2)
        yield demo_score(row, "answer quality", "evaluator", number=Decimal(f"{quality:.2f}"))


def demo_score(row: Row, name: str, source: str, **value: Any) -> Score:
    return Score(
        id=f"{row.span_id} {name}",
        timestamp=end_of(row) + timedelta(seconds=20),
        name=name,
        trace_id=row.trace_id,
        session_id=row.session_id,
        source=source,
        **value,
    )


if __name__ == "__main__":
    sys.exit(exit_code(main, reason_of))
