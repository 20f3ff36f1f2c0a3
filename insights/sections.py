"""Lists the pages of Insights, for the row of links above each of them."""

from typing import NamedTuple

from analytics.navigation import address_of


class Section(NamedTuple):
    name: str
    route: str
    keeps_query: bool = True
    """Its links keep the window and the filters."""


SECTIONS = (
    Section("Overview", "insights-page"),
    Section("Why", "why-page"),
    Section("Anomalies", "anomalies-page"),
    Section("Savings", "savings-page"),
    Section("What if", "what-if-page"),
    Section("Compare", "compare-page"),
    Section("Experiments", "experiments-page", keeps_query=False),
    Section("Ledger", "ledger-page"),
    Section("Invoices", "invoices-page", keeps_query=False),
    Section("Annotations", "annotations-page", keeps_query=False),
)
"""In the order of the row. A page whose route does not exist is left out."""


def sections() -> list[tuple[Section, str]]:
    """Returns each page that exists, with its address."""
    return [(section, address) for section in SECTIONS if (address := address_of(section.route))]
