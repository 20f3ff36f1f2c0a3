"""Writes the titles of panels: their own, with the values of variables, or one made of what they show."""

import re

from analytics.splits import in_sentence
from analytics.templatetags.query_text import measure_name
from analytics.templatetags.text import few_words
from dashboards.asking import Asked
from dashboards.document import QUERY_KINDS, Panel
from dashboards.panels import kinds
from dashboards.questions import variable_values

VARIABLE = re.compile(r"\$([a-z][a-z0-9_]*)")
EVERY_VALUE = "all"


def title_of(asked: Asked) -> str:
    """Returns the title as people read it."""
    chosen = {
        variable.name: few_words(tuple(variable_values(variable, asked.chosen))) or EVERY_VALUE
        for variable in asked.document.variables
    }
    title = asked.panel.title or usual_title(asked.panel)
    return VARIABLE.sub(lambda found: chosen.get(found[1], found[0]), title)


def usual_title(panel: Panel) -> str:
    """Returns the title of a panel that has none, like Cost USD by customer."""
    if panel.kind not in QUERY_KINDS:
        return "" if panel.kind == "text" else kinds()[panel.kind].title
    measures = ", ".join(measure_name(name) for name in panel.measures)
    return f"{measures} by {' and '.join(in_sentence(name) for name in panel.by)}" if panel.by else measures
