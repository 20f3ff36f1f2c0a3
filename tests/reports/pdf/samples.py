"""Documents of tests, made by hand: the PDF knows nothing of questions."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from reports.document import Chart, Column, Document, Figure, Line, Section, Series, Table

ZONE = ZoneInfo("Europe/Berlin")
START, END = datetime(2026, 11, 1, tzinfo=ZONE), datetime(2026, 12, 1, tzinfo=ZONE)
DAYS = [START + timedelta(days=day) for day in range(30)]
COLUMNS = (
    Column("Agent", "text", "agent_id"),
    Column("Calls", "count", "calls"),
    Column("Spend", "usd", "cost_usd", has_share=True),
    Column("Failed", "percent", "failed_percent"),
    Column("p95 latency", "ms", "p95_latency_ms"),
)


def document(*sections: Section, workspace: str = "Acme", subject: str = "", sentence: str = "") -> Document:
    return Document(
        kind="cost",
        title="Cost report",
        subject=subject,
        workspace=workspace,
        start=START,
        end=END,
        zone=ZONE,
        filters=[("Model", "gpt-4o")],
        made_at=datetime(2026, 12, 1, 8, 30, tzinfo=ZONE),
        sentence=sentence or "Spend was $412 in November 2026.",
        sections=sections,
    )


def full() -> Document:
    """Returns a document with each part that a document can have."""
    return document(
        Section("Spend", "Most of it is gpt-4o.", figures(), charts(), [table(12)], ["A note."]),
        Section("What changed", tables=[table(3)._replace(title="Contributions")]),
    )


def figures() -> list[Figure]:
    return [
        Figure("Spend", 1234.5, "usd", 12.4, "Budget: $2,000"),
        Figure("Cost of a call", 0.0042, "usd", -3.2),
        Figure("Calls", 2953412, "count", 0.1),
        Figure("p95 latency", None, "ms"),
        Figure("Dearest model", "claude-sonnet-4-5-20250929", "text"),
    ]


def values(most: float) -> list[float | None]:
    return [None if day == 9 else most * (day * 7 % 11) / 11 for day in range(len(DAYS))]


def charts() -> list[Chart]:
    models = [Series("gpt-4o", values(9), "#736bc9"), Series("o3-mini", values(5), "#46b4a6", pattern=1)]
    before = Series("The 30 days before", values(12), "#5a6374", is_before=True)
    return [
        Chart("stacked_bars", "Spend by model", DAYS, [*models, before], "usd", [Line("Budget", 13)], "daily"),
        Chart("lines", "Latency", DAYS, [Series("p95", values(4200), "#5b54c9")], "ms", granularity="daily"),
        Chart("bars", "Calls", DAYS, [Series("Calls", values(80_000), "#8884d8")], "count", granularity="daily"),
        Chart("stepped", "Users", DAYS, [Series("Users", values(7), "#23845c")], "count", granularity="daily"),
        Chart("horizontal_bars", "Customers", ["acme", "globex"], [Series("Spend", [30.5, 12], "#8884d8")], "usd"),
    ]


def table(rows: int, names: Sequence[str] = ()) -> Table:
    made = [[name(row, names), row * 37, row * 1.25, row % 100, row * 11.5] for row in range(rows)]
    return Table(
        "Spend by agent", COLUMNS, made, ["Total", *(sum(row[column] for row in made) for column in (1, 2)), None, None]
    )


def name(row: int, names: Sequence[str]) -> str:
    return names[row] if row < len(names) else f"agent-{row:04d}"
