"""A plain text. Addresses with http or https in it are links."""

from analytics.answers import as_json
from dashboards.asking import Asked, PanelAnswer, PanelKind


def answer(asked: Asked) -> PanelAnswer:
    return PanelAnswer(as_json({"text": asked.panel.text}), asked.filters)


KIND = PanelKind(
    "text",
    "Text",
    "What readers should know: who is on call, links to runbooks.",
    answer,
    fields=("text",),
    has_filters=False,
    width=4,
    height=4,
    poll_seconds=600,
)
