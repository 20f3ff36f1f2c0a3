"""Makes the kinds of panels that are charts over time."""

from typing import Any

from analytics.query_measures import SCORE_PREFIX
from analytics.templatetags.query_text import adds_up, measure_name
from dashboards import units
from dashboards.asking import Asked, PanelAnswer, PanelKind, query_answer, query_points
from dashboards.document import Panel
from traces.filters import Filters
from web.problems import Problem

FIELDS = ("measures", "by", "compare", "granularity", "limit", "thresholds", "unit", "decimals")


def series_kind(name: str, title: str, description: str, is_stacked: bool = False) -> PanelKind:
    def answer(asked: Asked) -> PanelAnswer:
        check_units(asked.panel)
        if is_stacked:
            check_adds_up(asked.panel)
        return query_answer(asked)

    def context(asked: Asked, data: Any, filters: Filters) -> dict[str, Any]:
        return {"style": name, "is_stacked": is_stacked}

    return PanelKind(name, title, description, answer, context, FIELDS, base="series", points=query_points)


def check_units(panel: Panel) -> None:
    """Raises a 422 Problem for measures that one axis cannot show."""
    found = {units.unit_of(panel, measure): measure for measure in panel.measures}
    if len(found) > 1:
        named = " and ".join(f"{measure_name(measure)} ({unit})" for unit, measure in list(found.items())[:2])
        raise refusal("measures", f"one chart shows one unit, and these are different: {named}; make a panel of each")


def check_adds_up(panel: Panel) -> None:
    """Raises a 422 Problem for measures whose sum says nothing."""
    wrong = next((one for one in panel.measures if one.startswith(SCORE_PREFIX) or not adds_up(one)), None)
    if wrong:
        raise refusal("measures", f"{measure_name(wrong)} does not add up over groups; a line or bars show it")


def refusal(field: str, message: str) -> Problem:
    return Problem(422, "This panel cannot be drawn.", [{"loc": ["panel", field], "msg": message}])
