"""Places the panels of a page."""

from functools import partial
from typing import Any

from django import template
from django.template.loader import get_template
from django.utils.safestring import SafeString

from analytics.first_view import FirstView
from analytics.templatetags.links import panel_url

register = template.Library()


@register.simple_tag(takes_context=True)
def metric_panel(context: template.Context, metric: Any) -> SafeString:
    """Places the panel of a metric. It is written when the page is sent, with the answer if that is there in time."""
    shared: Any = context.flatten()
    values = shared | {"metric": metric, "panel": metric.panel, "url": panel_url(context, metric)}
    first_view: FirstView = context["first_view"]
    return first_view.place(partial(written, first_view, values))


def written(first_view: FirstView, values: dict[str, Any]) -> SafeString:
    answer = first_view.answer(values["url"], f"panel-{values['metric'].name}")
    panel: Any = get_template("_panel.html")
    return SafeString(panel.template.render(template.Context(values | {"answer": answer})))
