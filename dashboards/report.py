"""Registers the kind of report that shows a dashboard: its panels as figures, charts and tables.

It is asked as the page asks, so its figures are those of the page. Single traces and messages of errors stay there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.http import QueryDict

from analytics.change import change
from analytics.palette import SLOTS
from analytics.query_measures import SCORE_PREFIX
from analytics.query_string import NOT
from analytics.splits import dimension_label
from analytics.templatetags.query_text import adds_up, group_name, groups_of, measure_name
from dashboards import checking
from dashboards.asking import Asked
from dashboards.document import SERIES_KINDS, Panel
from dashboards.models import Dashboard, Visibility
from dashboards.panels import kinds
from dashboards.titles import title_of
from reports.colours import LIGHT, OTHERS, Colour, colours_of, of_slot
from reports.document import Chart, Column, Document, Figure, Line, Section, Series, Table, Unit
from reports.kinds import Kind, ReportRequest, register
from reports.kinds.parts import ALL_OTHERS, bucket_column, document_of, no_call, settled, when
from traces.filters import Filters
from web.problems import Problem
from workspaces.models import Workspace

OPTION = "dashboard"
"""The option of a request that has the dashboard's id."""
MOST_ROWS = 100
"""Of a table over time: more of them are a chart only."""
FORMS: dict[str, Any] = {
    "line": "lines",
    "stepped": "stepped",
    "stacked_area": "stacked_bars",
    "bars": "bars",
    "stacked_bars": "stacked_bars",
}
UNITS: dict[str, Unit] = {"_usd": "usd", "_ms": "ms", "_rate": "percent", "_second": "average"}
OF_PANEL: dict[str, Unit] = {
    "count": "count",
    "number": "average",
    "usd": "usd",
    "ms": "ms",
    "percent": "percent",
}
ON_THE_PAGE = "This is on the dashboard's page only."
Data = dict[str, Any]


class Answered(NamedTuple):
    """A panel with its answer."""

    asked: Asked
    title: str
    filters: Filters
    data: Data


# --- The report ---


def build(request: ReportRequest) -> Document:
    request = settled(request)
    dashboard = find(request.workspace, request.options)
    stored = checking.stored(dashboard.document)
    found = [
        *((panel.place, panel.id, section_maker(request, stored.document, panel)) for panel in stored.document.panels),
        *((one.place, one.id, lambda one=one: faulty(one.title or one.id, one.errors)) for one in stored.invalid),
    ]
    found.sort(key=lambda one: (one[0].y, one[0].x))
    sections = joined([make() for _, _, make in found])
    sentence = f"{dashboard.name} {when(request)}." if sections else no_call(request)
    return document_of(request, dashboard.name, dashboard.description or sentence, sections)


def find(workspace: Workspace, options: Mapping[str, str]) -> Dashboard:
    """Returns the dashboard that the options name. One that only its owner sees is in no report."""
    try:
        dashboard_id = UUID(options.get(OPTION, ""))
    except ValueError:
        raise not_found() from None
    shared = Dashboard.objects.filter(workspace=workspace, visibility=Visibility.WORKSPACE)
    found = shared.filter(pk=dashboard_id).first()
    if found is None:
        raise not_found()
    return found


def check_options(workspace: Workspace, options: Mapping[str, str]) -> None:
    find(workspace, options)


def not_found() -> Problem:
    message = "must be the id of a dashboard that everybody in the workspace sees"
    return Problem(422, "There is no such dashboard.", [{"loc": ["options", OPTION], "msg": message}])


def section_maker(request: ReportRequest, document: Any, panel: Panel) -> Callable[[], Section]:
    asked = Asked(request.workspace, document, panel, chosen_by(request.filters), request.filters.end)
    return lambda: section(asked)


def chosen_by(filters: Filters) -> QueryDict:
    """Returns the window and the filters of a report as the address of the page has them."""
    query = QueryDict(mutable=True)
    query.update({"start": filters.start.isoformat(), "end": filters.end.isoformat(), "zone": filters.zone.key})
    for name, values in filters.values.items():
        for parameter, some in ((name, values.included), (f"{NOT}{name}", values.excluded)):
            if some:
                query.setlist(parameter, list(some))
    return query


def section(asked: Asked) -> Section:
    """Returns a panel as a section. One that cannot be answered says why, and stops no other."""
    title = title_of(asked) or kinds()[asked.panel.kind].title
    try:
        found = kinds()[asked.panel.kind].answer(asked)
    except Problem as problem:
        if problem.status not in (404, 422):
            raise
        return faulty(title, [checking.sentence(error) for error in problem.errors] or [problem.detail])
    answered = Answered(asked, title, found.filters, orjson.loads(found.body))
    return MAKERS.get(asked.panel.kind, elsewhere)(answered)


def faulty(title: str, errors: Sequence[str]) -> Section:
    return Section(title, notes=[f"This panel cannot be drawn. {'; '.join(errors)}"])


def joined(sections: Sequence[Section]) -> list[Section]:
    """Returns the sections with neighbours that are only figures as one."""
    found: list[Section] = []
    for is_plain, group in groupby(sections, key=lambda one: one == Section(one.title, figures=one.figures)):
        same = list(group)
        figures = [figure for one in same for figure in one.figures]
        found += [Section("Figures", figures=figures)] if is_plain and figures else same
    return found


# --- Units and colours ---


def unit_of(panel: Panel, measure: str) -> Unit:
    if panel.unit:
        return OF_PANEL[panel.unit]
    if measure.startswith(SCORE_PREFIX):
        return "average"
    return next((unit for end, unit in UNITS.items() if measure.endswith(end)), "count")


def colours(answered: Answered, groups: Sequence[tuple[str | None, ...]]) -> dict[tuple[str | None, ...], Colour]:
    """Returns the colour of each group: that of its name on the pages, if one dimension splits the panel."""
    by = answered.data["by"]
    if len(by) == 1 and len(answered.data["measures"]) == 1:
        named = colours_of([group[0] for group in groups], by[0], answered.filters, answered.asked.workspace)
        return {group: named[group[0]] for group in groups}
    return {group: of_slot(place % SLOTS) for place, group in enumerate(groups)}


# --- Kinds of panels ---


def numbers(answered: Answered) -> Section:
    totals = answered.data["totals"]
    before = totals.get("previous") or {}
    names, panel = answered.data["measures"], answered.asked.panel
    figures = [
        Figure(
            answered.title if len(names) == 1 else measure_name(name),
            totals[name],
            unit_of(panel, name),
            change(totals[name], before[name]) if before else None,
        )
        for name in names
    ]
    return Section(answered.title, figures=figures)


def over_time(answered: Answered) -> Section:
    panel, data = answered.asked.panel, answered.data
    series = list(series_of(answered))
    axis = answered.filters.bucket_starts
    unit = unit_of(panel, data["measures"][0])
    lines = [Line(one.title or "Limit", one.value) for one in panel.thresholds]
    granularity = answered.filters.granularity
    chart = Chart(FORMS[panel.kind], answered.title, axis, series, unit, lines, granularity)
    table = table_over_time(answered, series, unit)
    return Section(answered.title, charts=[chart], tables=[table] if len(axis) <= MOST_ROWS else [])


def series_of(answered: Answered) -> Iterator[Series]:
    data = answered.data
    groups = groups_of(data)
    by_group = colours(answered, list(groups))
    for group, points in groups.items():
        for place, measure in enumerate(data["measures"]):
            colour = by_group[group] if group else of_slot(place)
            name = series_name(data, group, measure)
            yield Series(name, values(points, measure), colour.colour, pattern=colour.pattern)
    for measure in data["measures"] if data["rest"] else ():
        yield Series(series_name(data, None, measure), values(data["rest"]["data"], measure), OTHERS.colour)
    if len(groups) == 1 and len(data["measures"]) == 1:
        yield from earlier(next(iter(groups.values())), data["measures"][0], answered.asked.panel)


def earlier(points: Sequence[Data], measure: str, panel: Panel) -> Iterator[Series]:
    if panel.compare and points and "previous" in points[0]:
        name = "A week before" if panel.compare == "last_week" else "The window before"
        yield Series(name, values([point["previous"] for point in points], measure), LIGHT["--muted"], is_before=True)


def values(points: Sequence[Data], measure: str) -> list[float | None]:
    return [point[measure] for point in points]


def series_name(data: Data, group: tuple[str | None, ...] | None, measure: str) -> str:
    name = ALL_OTHERS if group is None else group_name(group, data["by"])
    if not name:
        return measure_name(measure)
    return f"{name} · {measure_name(measure)}" if len(data["measures"]) > 1 else name


def table_over_time(answered: Answered, series: Sequence[Series], unit: Unit) -> Table:
    columns = [bucket_column(answered.filters), *(Column(one.name, unit, one.name) for one in series)]
    starts = answered.filters.bucket_starts
    rows = [[start, *(one.values[place] for one in series)] for place, start in enumerate(starts)]
    return Table(answered.title, columns, rows)


def by_groups(answered: Answered) -> Section:
    table = table_of(answered)
    return Section(answered.title, tables=[table])


def ranked(answered: Answered) -> Section:
    """Returns bars with the names of the groups, and the table of their values."""
    measure, unit = answered.data["measures"][0], unit_of(answered.asked.panel, answered.data["measures"][0])
    groups = groups_of(answered.data)
    names = [group_name(group, answered.data["by"]) for group in groups]
    found = [points[0][measure] for points in groups.values()]
    bars = Series(measure_name(measure), found, LIGHT["--primary-fill"])
    chart = Chart("horizontal_bars", answered.title, names, [bars], unit)
    return Section(answered.title, charts=[chart] if names else [], tables=[table_of(answered)])


def table_of(answered: Answered) -> Table:
    data, panel = answered.data, answered.asked.panel
    lines = [([line[name] for name in data["by"]], line) for line in data["data"]]
    if data["by"] and data["rest"]:
        lines.append(([ALL_OTHERS, *[""] * (len(data["by"]) - 1)], data["rest"]))
    columns = [Column(dimension_label(name), "text", name) for name in data["by"]]
    share = data["measures"][0]
    columns += [
        Column(measure_name(name), unit_of(panel, name), name, has_share=name == share and adds_up(name))
        for name in data["measures"]
    ]
    totals = ["Total", *[""] * (len(data["by"]) - 1)] if data["by"] else []
    return Table(
        answered.title,
        columns,
        [[*names_of(names, data["by"]), *(line[measure] for measure in data["measures"])] for names, line in lines],
        [*totals, *(data["totals"][measure] for measure in data["measures"])] if data["by"] and lines else None,
    )


def names_of(names: Sequence[str | None], by: Sequence[str]) -> list[str]:
    return [group_name((name,), [dimension]) for name, dimension in zip(names, by, strict=True)]


def texts(answered: Answered) -> Section:
    return Section(answered.title, sentence=answered.data["text"])


def budgets(answered: Answered) -> Section:
    card = answered.data
    state = card.get("state") or {}
    figures = [
        Figure(f"{card['name']}: spent", state.get("spent_usd"), "usd"),
        Figure("Limit", card.get("limit_usd"), "usd"),
    ]
    return Section(answered.title, figures=figures)


def alerts(answered: Answered) -> Section:
    columns = [Column("Rule", "text", "rule"), Column("State", "text", "state"), Column("Value", "text", "value")]
    rows = [[rule["name"], rule["state"], rule["value_text"]] for rule in answered.data["data"]]
    if not rows:
        return Section(answered.title, notes=["No rule is on."])
    return Section(answered.title, tables=[Table(answered.title, columns, rows)])


def elsewhere(answered: Answered) -> Section:
    return Section(answered.title, notes=[ON_THE_PAGE])


MAKERS: dict[str, Callable[[Answered], Section]] = {
    "number": numbers,
    **dict.fromkeys(SERIES_KINDS, over_time),
    "horizontal_bars": ranked,
    "donut": ranked,
    "table": by_groups,
    "text": texts,
    "budget": budgets,
    "alerts": alerts,
}
"""By kind of panel. Heat maps, errors and traces are on the page only."""

KIND = register(
    Kind(
        "dashboard",
        "Dashboard",
        "The panels of a dashboard: numbers as figures, series as charts, and tables.",
        build,
        is_listed=False,
        check_options=check_options,
    )
)
