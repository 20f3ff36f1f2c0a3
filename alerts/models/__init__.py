from alerts.models.channel import Channel
from alerts.models.delivery import Delivery
from alerts.models.event import AlertEvent, Notice
from alerts.models.rule import Rule, RuleState

__all__ = ["AlertEvent", "Channel", "Delivery", "Notice", "Rule", "RuleState"]
