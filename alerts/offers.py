"""Rules that most teams want, offered on the first visit: one click makes one."""

from typing import Any, NamedTuple


class Offer(NamedTuple):
    key: str
    title: str
    why: str
    body: dict[str, Any]


OFFERS = (
    Offer(
        "spend",
        "Spend is unusual",
        "An hour costs far more or less than this hour of the week usually does, by at least $5.",
        {"metric": "cost_usd", "window": "1h", "comparison": "unusual", "warning": 5},
    ),
    Offer(
        "errors",
        "Error rate above 5 %",
        "Of at least 20 calls in 15 minutes, 5 % fail; 20 % are critical.",
        {
            "metric": "error_rate",
            "window": "15m",
            "comparison": "above",
            "warning": 5,
            "critical": 20,
            "minimum_calls": 20,
        },
    ),
    Offer(
        "latency",
        "p95 latency doubled",
        "The slowest 5 % of an hour's calls take twice as long as at the same time last week.",
        {
            "metric": "p95_latency_ms",
            "window": "1h",
            "comparison": "above_last_week_percent",
            "warning": 100,
            "minimum_calls": 50,
        },
    ),
    Offer(
        "unpriced",
        "Calls without a price",
        "A model that has no price yet is used: its cost is missing everywhere.",
        {"metric": "unpriced_calls", "window": "1h", "comparison": "above", "warning": 1},
    ),
    Offer(
        "silence",
        "Nothing arrives",
        "No call arrives for half an hour, although some did in the last 30 days.",
        {"metric": "calls", "window": "30m", "comparison": "below", "critical": 1},
    ),
)


def offer_named(key: str) -> Offer | None:
    return next((offer for offer in OFFERS if offer.key == key), None)


def body_of(offer: Offer, channels: list[str]) -> dict[str, Any]:
    return {"name": offer.title, "channels": channels, **offer.body}
