"""Asks what a panel shows. Panels with equal questions share one answer of the cache."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.http import QueryDict

from analytics import cache
from analytics.answers import as_json
from analytics.panel_extras import SERIES_SHOWN
from analytics.query import DURATIONS
from analytics.query_parameters import Parameters
from analytics.query_view import cached_answer, size
from dashboards import questions
from dashboards.document import QUERY_KINDS, SERIES_KINDS, DashboardDocument, Panel
from traces.filters import Filters
from workspaces.models import Workspace

POLL_SECONDS = 8
ANY_LIMIT = 10
"""The limit of a question without dimensions, which has none."""


@dataclass(frozen=True)
class Asked:
    """A panel, and the page that shows it: its dashboard, and what the reader chose in the address."""

    workspace: Workspace
    document: DashboardDocument
    panel: Panel
    chosen: QueryDict = field(default_factory=QueryDict)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def filters(self) -> Filters:
        zone = self.workspace.zone
        return questions.filters_of(self.document, self.panel, self.workspace.pk, self.chosen, self.now, zone)

    def question(self, is_series: bool) -> tuple[Parameters, Filters]:
        """Returns the question of `/api/v1/query`. What changes nothing in its answer is left out."""
        panel = self.panel.model_copy(update={"kind": "line" if is_series else "table"})
        if not panel.by:
            panel = panel.model_copy(update={"limit": ANY_LIMIT, "order": None})
        elif is_series:
            panel = panel.model_copy(update={"limit": min(panel.limit, SERIES_SHOWN)})
        zone = self.workspace.zone
        parameters, filters = questions.question(self.document, panel, self.workspace.pk, self.chosen, self.now, zone)
        if is_series and panel.by and not panel.order and parameters.order_measure in DURATIONS:
            # The slowest would often be those of a few calls, and are found by reading every latency twice.
            parameters = replace(parameters, order="-calls")
        return parameters, filters


class PanelAnswer(NamedTuple):
    body: bytes
    filters: Filters
    is_hit: bool = True
    age_seconds: int = 0
    parameters: Parameters | None = None
    """Of an answer of `/api/v1/query`."""


Context = Callable[[Asked, Any, Filters], dict[str, Any]]


def no_context(asked: Asked, data: Any, filters: Filters) -> dict[str, Any]:
    return {}


class PanelKind(NamedTuple):
    """A kind of panel: what it asks, and what its template shows."""

    name: str
    title: str
    description: str
    answer: Callable[[Asked], PanelAnswer]
    context: Context = no_context
    """Returns the variables of the template beside `data`, `filters` and `panel`. It gets the filters of the answer."""
    fields: tuple[str, ...] = ()
    """The fields of its form, beside title and filters."""
    has_filters: bool = True
    width: int = 6
    height: int = 6
    """Of a new panel."""
    poll_seconds: int = POLL_SECONDS
    base: str = ""
    """The template; by default that with its own name."""
    points: Callable[[Asked], int] = lambda asked: 0
    """Returns how many points its answer has at most."""

    @property
    def has_rows(self) -> bool:
        """Returns whether its answer is one of `/api/v1/query`, which has rows to take along."""
        return self.name in QUERY_KINDS

    @property
    def template(self) -> str:
        return f"dashboards/panels/{self.base or self.name}.html"


def is_series(panel: Panel) -> bool:
    """Returns whether the panel asks for buckets: a chart over time, or a number with its sparkline."""
    return panel.kind in SERIES_KINDS or panel.kind == "number"


def query_answer(asked: Asked) -> PanelAnswer:
    parameters, filters = asked.question(is_series(asked.panel))
    found = cached_answer(parameters, filters, asked.workspace)
    return PanelAnswer(found.body, filters, found.is_hit, found.age_seconds, parameters)


def query_points(asked: Asked) -> int:
    return size(*asked.question(is_series(asked.panel)))


def own_answer(asked: Asked, key: str, ttl_seconds: int, compute: Callable[[], Any]) -> PanelAnswer:
    """Returns what a panel computes without `/api/v1/query`, from the cache under the key if that has it."""
    found = cache.cached(asked.workspace, f"dashboards.{key}", ttl_seconds, lambda: as_json(compute()))
    return PanelAnswer(found.body, asked.filters, found.is_hit, found.age_seconds)
