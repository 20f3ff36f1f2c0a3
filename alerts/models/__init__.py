from alerts.models.channel import Channel
from alerts.models.delivery import Delivery

__all__ = ["Channel", "Delivery"]
