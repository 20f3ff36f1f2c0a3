"""Reads from a page's address by which dimension its charts are split, and by which one costs are listed."""

from typing import NamedTuple

from django.http import QueryDict

from analytics.query_measures import DIMENSIONS, TOOL
from analytics.query_parameters import is_named
from analytics.templatetags.links import SPLITS
from traces.filters import DIMENSION_BY_NAME, LABEL_PREFIX
from web.problems import FieldError, Problem
from workspaces.label_limits import LABEL_LENGTH

SPLIT_BY = tuple(name for name in DIMENSIONS if name != TOOL)
"""And labels. Tools are not among them: by tool, other calls are counted."""
COST_BY = ("model", "agent_id", "user_id", "environment", "release")
"""What the panel of costs offers at one click, beside labels."""
OF_ITSELF = {"cost_by": "model"}
"""What a panel shows without a dimension."""


class Offer(NamedTuple):
    value: str | None
    """Of the parameter; None: without it."""
    label: str


def dimension_label(name: str) -> str:
    """Returns the name of a dimension for people: Agent, or customer for the label customer."""
    if name.startswith(LABEL_PREFIX):
        return name.removeprefix(LABEL_PREFIX)
    return DIMENSION_BY_NAME[name].label if name in DIMENSION_BY_NAME else name.capitalize()


def in_sentence(name: str) -> str:
    """Returns the name of a dimension within a sentence: agent. A label stays as it is written."""
    return dimension_label(name) if name.startswith(LABEL_PREFIX) else dimension_label(name).lower()


def split_title(title: str, dimension: str) -> str:
    return f"{title} by {in_sentence(dimension)}"


def splits_of(query: QueryDict) -> dict[str, str]:
    """Returns the dimension of each parameter of the address that names one, or raises a 422 Problem."""
    named = {parameter: str(query[parameter]) for parameter in SPLITS if query.get(parameter)}
    errors: list[FieldError] = [
        {"loc": ["query", parameter], "msg": f"must be one of {', '.join(SPLIT_BY)}, {LABEL_PREFIX}<name>"}
        for parameter, name in named.items()
        if not is_dimension(name)
    ]
    if errors:
        raise Problem(422, "The query string is not valid.", errors)
    return {parameter: name for parameter, name in named.items() if name != OF_ITSELF.get(parameter)}


def is_dimension(name: str) -> bool:
    return name in SPLIT_BY or ("\0" not in name and is_named(name, LABEL_PREFIX, LABEL_LENGTH))


def offers(parameter: str) -> list[Offer]:
    """Returns the dimensions that a page offers for a parameter, beside labels."""
    if parameter == "cost_by":
        return [Offer(None if name == OF_ITSELF[parameter] else name, dimension_label(name)) for name in COST_BY]
    return [Offer(None, "Nothing"), *(Offer(name, dimension_label(name)) for name in SPLIT_BY)]
