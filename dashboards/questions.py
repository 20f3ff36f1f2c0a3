"""Turns a panel into the query string of `/api/v1/query`: its measures, and the filters of everything around it.

The page's own window and filters replace those of the document. Variables and the panel's filters narrow what is left:
where two of them name the same dimension, a call passes both.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import QueryDict

from analytics import query_parameters
from analytics.query_parameters import Parameters
from analytics.query_string import (
    MAX_BUCKETS,
    NOT,
    bucket_count,
    distinct_values,
    is_filter,
    parse_filters,
)
from dashboards.document import QUERY_KINDS, SERIES_KINDS, DashboardDocument, Panel, Variable
from traces.buckets import BUCKETS, UTC_ZONE
from traces.filters import Filters, FilterValues

VARIABLE_PREFIX = "var."
"""Before a variable's name in an address: var.customer=acme. Without a value, every value passes."""
WINDOW = ("range", "start", "end")
ALWAYS = ("zone",)
FilterLists = Mapping[str, Sequence[str]]
NOTHING = QueryDict("")


def question(
    document: DashboardDocument,
    panel: Panel,
    workspace_id: UUID,
    chosen: QueryDict = NOTHING,
    now: datetime | None = None,
    zone: ZoneInfo = UTC_ZONE,
) -> tuple[Parameters, Filters]:
    """Returns what a panel of `QUERY_KINDS` asks, or raises a 422 Problem."""
    query = query_of(document, panel, chosen)
    if panel.kind in SERIES_KINDS:
        query["granularity"] = fitting_granularity(query, now, zone)
    return query_parameters.parse(query, workspace_id, now, zone)


def filters_of(
    document: DashboardDocument,
    panel: Panel,
    workspace_id: UUID,
    chosen: QueryDict = NOTHING,
    now: datetime | None = None,
    zone: ZoneInfo = UTC_ZONE,
) -> Filters:
    """Returns the window and the filters of a panel of any kind, or raises a 422 Problem."""
    query = window_query(document, panel, chosen)
    return parse_filters(query, workspace_id, now, zone=zone)


def fitting_granularity(query: QueryDict, now: datetime | None, zone: ZoneInfo) -> str:
    """Returns the granularity of the query, or that of its window where it has none or too many buckets."""
    plain = QueryDict(mutable=True)
    plain.update({name: str(query[name]) for name in (*WINDOW, *ALWAYS) if name in query})
    filters = parse_filters(plain, UUID(int=0), now, zone=zone)
    wanted = str(query.get("granularity") or "")
    if wanted and (wanted not in BUCKETS or bucket_count(filters, wanted) <= MAX_BUCKETS):
        return wanted
    return filters.granularity


def query_of(document: DashboardDocument, panel: Panel, chosen: QueryDict = NOTHING) -> QueryDict:
    """Returns the query string of a panel of `QUERY_KINDS`, with the granularity that it asks for, if any."""
    query = window_query(document, panel, chosen)
    query["measures"] = listed(panel.measures)
    query["by"] = listed(panel.by)
    query["limit"] = str(panel.limit)
    if panel.order:
        query["order"] = panel.order
    if panel.compare:
        query["compare"] = panel.compare
    granularity = panel.granularity or chosen.get("granularity") or document.granularity
    if granularity and panel.kind in SERIES_KINDS:
        query["granularity"] = str(granularity)
    return query


def window_query(document: DashboardDocument, panel: Panel, chosen: QueryDict = NOTHING) -> QueryDict:
    """Returns the window and the filters of a panel as a query string."""
    query = QueryDict(mutable=True)
    window = {name: str(chosen[name]) for name in WINDOW if chosen.get(name)} or document_window(document)
    query.update(window | {name: str(chosen[name]) for name in ALWAYS if chosen.get(name)})
    for name, values in narrowed([page_filters(document, chosen), *variables(document, chosen), panel.filters]):
        query.setlist(name, list(values))
    return query


def document_window(document: DashboardDocument) -> dict[str, str]:
    window = document.range.model_dump(mode="json", exclude_none=True)
    return {name: str(value) for name, value in window.items()}


def page_filters(document: DashboardDocument, chosen: QueryDict) -> FilterLists:
    """Returns the filters of the document, but those of the page where it filters by the same dimension."""
    own = {name: values for name, values in chosen.lists() if is_filter(name)}
    taken = {name.removeprefix(NOT) for name in own}
    kept = {name: values for name, values in document.filters.items() if name.removeprefix(NOT) not in taken}
    return kept | {name: filled for name, values in own.items() if (filled := [value for value in values if value])}


def variables(document: DashboardDocument, chosen: QueryDict) -> Iterator[FilterLists]:
    """Yields the filter of each variable that has values."""
    for variable in document.variables:
        if values := variable_values(variable, chosen):
            yield {variable.dimension: values}


def variable_values(variable: Variable, chosen: QueryDict) -> list[str]:
    """Returns the values that the address chooses, or the default ones; none: every value passes."""
    name = f"{VARIABLE_PREFIX}{variable.name}"
    return [value for value in chosen.getlist(name) if value] if name in chosen else variable.default


def narrowed(filters: Iterable[FilterLists]) -> Iterator[tuple[str, Sequence[str]]]:
    """Yields the parameters of filters that must all pass."""
    found: dict[str, FilterValues] = {}
    for one in filters:
        for parameter, values in one.items():
            name = parameter.removeprefix(NOT)
            more = distinct_values(name, values)
            so_far = found.get(name, FilterValues())
            found[name] = excluding(so_far, more) if parameter.startswith(NOT) else including(so_far, more)
    for name, (included, excluded) in found.items():
        yield from ((parameter, some) for parameter, some in ((name, included), (f"{NOT}{name}", excluded)) if some)


def including(values: FilterValues, more: Sequence[str]) -> FilterValues:
    """Returns the filter that passes what both pass. Where no value is in both, it passes nothing."""
    both = [value for value in more if value in values.included] if values.included else list(more)
    nothing = tuple(more[:1])
    return values._replace(included=tuple(both)) if both else FilterValues(nothing, nothing)


def excluding(values: FilterValues, more: Sequence[str]) -> FilterValues:
    return values._replace(excluded=tuple(dict.fromkeys((*values.excluded, *more))))


def listed(names: Sequence[str]) -> str:
    """Returns the names as a list of the query string, in which `\\,` is a comma of a name."""
    return ",".join(name.replace(",", "\\,") for name in names)


def is_query(panel: Panel) -> bool:
    return panel.kind in QUERY_KINDS
