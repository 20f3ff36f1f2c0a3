"""Names and lists the dimensions by which a page splits its charts and its costs."""

from typing import Any

from django import template

from analytics import splits
from analytics.templatetags.links import page_query, split_of
from traces.filters import LABEL_PREFIX

register = template.Library()

register.filter(splits.dimension_label)
register.filter(splits.in_sentence)
register.filter(splits.offers)


@register.filter
def label_of(dimension: str | None) -> str:
    """Returns the name of the label, if the dimension is one."""
    return (dimension or "").partition(LABEL_PREFIX)[2]


@register.simple_tag(takes_context=True)
def panel_label(context: template.Context, metric: Any) -> str:
    """Returns the name of a metric's panel, with the dimension that it is split by."""
    dimension = split_of(context, metric.panel)
    return splits.split_title(metric.panel.split.title, dimension) if dimension else str(metric.panel.label)


@register.simple_tag(takes_context=True)
def current_split(context: template.Context, parameter: str) -> str | None:
    return page_query(context).get(parameter)
