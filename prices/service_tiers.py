"""The service tiers and speeds of calls. What reads spans needs them, and not the price list, which takes memory."""

STANDARD = frozenset(
    {"", "default", "standard", "standard_only", "auto", "normal", "on_demand", "on-demand", "none", "null"}
)
"""Service tiers and speeds at the usual price of a provider."""
