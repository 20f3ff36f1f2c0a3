"""Lists the entries of the navigation, in groups. An entry appears as soon as its route exists."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from django.urls import NoReverseMatch, reverse

from analytics import catalogue


def address_of(route: str) -> str | None:
    """Returns the address of a page by the name of its route; None while the product has no such page."""
    try:
        return reverse(route)
    except NoReverseMatch:
        return None


class Entry(NamedTuple):
    title: str
    route: str
    """The name of the route of its page."""
    icon: str
    """Of `static/icons.svg`."""
    keeps_window: bool = False
    """Its link keeps the window and the filters of the page."""
    left_out: tuple[str, ...] = ()
    """Parameters that its link leaves out."""

    @property
    def address(self) -> str | None:
        """Returns the address of its page; None while the product has no such page."""
        return address_of(self.route)


WHY = ("measure", "by", "compare", "before_start", "before_end")
GROUPS = (
    (
        Entry("Traces", "traces-page", "traces", keeps_window=True),
        Entry("Sessions", "sessions-page", "sessions", keeps_window=True),
        Entry("Users", "users-page", "users", keeps_window=True),
        Entry("Agents", "agents-page", "agents", keeps_window=True),
        Entry("Tools", "tools-page", "tools", keeps_window=True),
    ),
    (
        Entry("Insights", "insights-page", "insights", keeps_window=True, left_out=WHY),
        Entry("Explore", "query-page", "explore", keeps_window=True),
    ),
    (
        Entry("Alerts", "alerts-page", "alerts"),
        Entry("Budgets", "budgets-page", "budgets"),
        Entry("Reports", "reports-page", "reports"),
        Entry("Dashboards", "dashboards-page", "dashboards"),
    ),
    (
        Entry("Settings", "settings-page", "settings"),
        Entry("Labels", "labels", "labels"),
        Entry("Docs", "documents", "docs"),
    ),
)


def groups() -> Iterator[list[Entry]]:
    """Yields the entries that have a page: first the pages of metrics, then `GROUPS`."""
    pages = [Entry(page.title, page.name, page.domain, keeps_window=True) for page in catalogue.PAGES]
    for group in (pages, *GROUPS):
        yield [entry for entry in group if entry.address]


def current(entries: Sequence[Entry], path: str) -> Entry | None:
    """Returns the entry whose page this is, or that this page is below."""
    above = [entry for entry in entries if f"{path}/".startswith(f"{(entry.address or '').rstrip('/')}/")]
    return max(above, key=lambda entry: len(entry.address or ""), default=None)
