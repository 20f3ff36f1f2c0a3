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


LONG_NAME = "agent-" + "abcdefghij" * 19 + "-end"
SCRIPTS = (
    "Ελληνικά πράκτορας",
    "Русский помощник",
    "وكيل الدعم",
    "סוכן תמיכה",
    "हिन्दी सहायक",
    "日本語のエージェント",
    "中文代理",
    "한국어 에이전트",
    "ไทย ตัวแทน",
    "Việt Nam Łódź",
)
MARKUP = (
    '#import "x.typ": y',
    '#read("/etc/passwd")',
    "$x^2$ @ref <label>",
    "\\ *bold* _it_ `raw` = head - list + one / term",
    "<script>alert(1)</script>",
    "]] #panic() [[ }} {{",
    "// comment /* more */",
    "https://example.com ~ --- ...",
    '"; #sys.inputs; "',
    "\\u{41} #sym.arrow",
)
STRANGE = (
    "ctrl\x00\x1b[31m",
    "zero\u200bwidth",
    "\u202eevil\u202c",
    "lone \ud800",
    "\U00013000 hieroglyph",
    "private \ue000",
    "none \uffff",
    "Z\u0351\u0336\u036b\u0313\u036a",
    "\u0301 alone",
    "a\u0e31 of two scripts",
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


def named(names: Sequence[str]) -> Document:
    """Returns a document that has the names wherever names are."""
    joined = " and ".join(names[:3])
    days = [Series(one, values(3), "#736bc9", pattern=place % 3) for place, one in enumerate(names[:8])]
    bars = [Series("Spend", [float(place) for place in range(len(names))], "#8884d8")]
    return document(
        Section(
            joined,
            joined,
            [Figure(one, one, "text", note=one) for one in names[:5]],
            [
                Chart("stacked_bars", names[0], DAYS, days, "usd", [Line(names[-1][:40], 3)], "daily"),
                Chart("lines", names[1], DAYS, days[:3], "ms", granularity="daily"),
                Chart("horizontal_bars", names[2], names, bars, "usd"),
            ],
            [table(len(names), names)._replace(title=names[0], note=names[1])],
            names[:2],
        ),
        workspace=names[0],
        subject=f"agent {names[1]}",
        sentence=f"{names[2]} cost $12.",
    )


def markup() -> Document:
    return named(MARKUP)


def scripts() -> Document:
    return named(SCRIPTS)


def strange() -> Document:
    return named(STRANGE)


def arabic() -> Document:
    long = [LONG_NAME, "W" * 200, "ع" * 200, "漢" * 200, "क्षि" * 60, "a-" * 100, "/very/long" * 20]
    made = named(["شركة الأمل للتقنيات", LONG_NAME, *long])
    return made._replace(filters=[("Agent", LONG_NAME), ("Customer", "عميل, mixed عربي abc")])


def long(rows: int = 3000) -> Document:
    return document(Section("", tables=[table(rows)._replace(title="", note="")]))


def long_names() -> Document:
    return document(Section("Spend", tables=[table(300, [LONG_NAME, *SCRIPTS, *MARKUP, *STRANGE])]))


def wide() -> Document:
    """Returns a table that no upright page is wide enough for."""
    columns = [Column("Agent", "text", "agent"), *(Column(f"Input tokens {n}", "count", f"n{n}") for n in range(14))]
    rows = [[f"agent-{row}", *(10**9 + row * n for n in range(14))] for row in range(60)]
    return document(Section("Spend", tables=[Table("Wide", columns, rows)]), Section("After", "It is upright again."))


def empty() -> Document:
    """Returns what a report has of a month without calls."""
    nothing = [None] * len(DAYS)
    return document(
        Section(
            "Spend",
            figures=[Figure("Spend", 0, "usd"), Figure("p95 latency", None, "ms")],
            charts=[
                Chart("stacked_bars", "Spend by model", DAYS, [], "usd", granularity="daily"),
                Chart("lines", "Latency", DAYS, [Series("p95", nothing, "#5b54c9")], "ms", granularity="daily"),
                Chart("bars", "Calls", DAYS, [Series("Calls", [0] * 30, "#8884d8")], "count", granularity="daily"),
            ],
            tables=[table(0)._replace(totals=None)],
        ),
        sentence="No calls in November 2026.",
    )
