"""The state of alert rules: of one, or of all of the workspace, the worst first."""

from typing import Any

from alerts.comparisons import RANKS
from alerts.models import Rule
from alerts.rule_changes import find
from alerts.rule_items import rule_items, rules_of
from alerts.templatetags.rules import value_text
from analytics.answers import as_json
from dashboards.asking import Asked, PanelAnswer, PanelKind
from dashboards.panels.budget import uuid_of

MOST_RULES = 100


def answer(asked: Asked) -> PanelAnswer:
    rules = [find(asked.workspace, uuid_of(asked.panel.rule_id))] if asked.panel.rule_id else rules_of(asked.workspace)
    return PanelAnswer(as_json({"data": lines(rules)}), asked.filters)


def lines(rules: list[Rule]) -> list[Any]:
    """Returns the rules that are on, the worst first, each with its value as text."""
    active = [rule for rule in rules if rule.is_active]
    found = [
        {**item, "value_text": value_text(item["value"], rule)}
        for item, rule in zip(rule_items(active), active, strict=True)
    ]
    return sorted(found, key=worst_first)[:MOST_RULES]


def worst_first(item: Any) -> tuple[int, str]:
    """Sorts rules; those that are muted come last."""
    return -RANKS.get(item["state"], -1), item["name"]


KIND = PanelKind(
    "alerts",
    "Alert state",
    "Whether a rule, or any rule of the workspace, is beyond its limit.",
    answer,
    fields=("rule_id",),
    has_filters=False,
    width=4,
    poll_seconds=30,
)
