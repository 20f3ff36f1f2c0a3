"""Describes the made-up company of the demo data: its agents, models, tools, customers, releases and mishaps."""

import math
from typing import NamedTuple


class Model(NamedTuple):
    provider: str
    name: str
    latency_ms: float
    """Median."""


class Tool(NamedTuple):
    name: str
    latency_ms: float
    """Median."""
    failure_share: float
    error_type: str
    error_message: str
    arguments: str
    result: str


class Feature(NamedTuple):
    name: str
    question: str
    answer: str


class Release(NamedTuple):
    name: str
    days_ago: int
    """When it came to production. Staging has it `HEAD_START_DAYS` earlier, dev twice as early."""
    cached_share: float
    """The share of the input that is read from the cache, where anything is."""
    slowness: float
    """Multiplies the latency of calls and tools."""
    failure_share: float
    """The share of runs whose last call fails with NEW_ERROR."""


MODELS = (
    Model("openai", "gpt-4o", 1900),
    Model("openai", "gpt-4o-mini", 900),
    Model("openai", "o4-mini", 5200),
    Model("anthropic", "claude-sonnet-4-5", 2600),
    Model("anthropic", "claude-haiku-4-5", 1100),
    Model("anthropic", "claude-opus-4-1", 4800),
    Model("gcp.gemini", "gemini-2.5-pro", 3300),
    Model("gcp.gemini", "gemini-2.5-flash", 800),
)
CACHE_WRITING_PROVIDER = "anthropic"
"""The others write their caches without a charge, and report no tokens for it."""
AGENTS = (
    *("checkout-assistant", "support-triage", "code-reviewer", "sql-analyst", "invoice-reader"),
    *("sales-researcher", "meeting-notes", "release-writer", "fraud-screener", "travel-planner"),
    *("contract-summary", "onboarding-guide", "incident-helper", "data-labeler", "catalog-writer"),
    *("returns-agent", "price-watcher", "translation-desk", "hiring-screener", "test-agent-123"),
)
TOOLS = (
    Tool(
        *("search_orders", 120, 0.01, "not_found", "no order has this number"),
        *(
            '{"customer": "me", "limit": 3}',
            '[{"order": 48213, "state": "shipped"}, {"order": 47990, "state": "open"}]',
        ),
    ),
    Tool(
        *("run_sql", 450, 0.06, "syntax_error", 'syntax error at or near "FORM"'),
        *('{"sql": "SELECT count(*) FROM orders WHERE state = \'open\'"}', '[{"count": 412}]'),
    ),
    Tool(
        *("fetch_page", 900, 0.12, "connection_error", "connection refused after 3 attempts"),
        *('{"url": "https://shop.example/terms"}', '{"title": "Terms", "text": "Returns are free for 30 days."}'),
    ),
    Tool(
        *("send_mail", 200, 0.004, "invalid_recipient", "the address has no domain"),
        *('{"to": "customer", "template": "order-update"}', '{"sent": true}'),
    ),
    Tool(
        *("read_file", 15, 0.03, "not_found", "no such file"),
        *('{"path": "policies/returns.md"}', '"A return needs the number of the order and the reason."'),
    ),
)
DELEGATION = Tool("ask_colleague", 0, 0, "", "", '{"task": "check the second half"}', '{"answer": "It agrees."}')
"""Its run is an agent of its own, so it takes as long as that agent."""
FEATURES = (
    Feature("checkout", "Which delivery is the fastest for my order?", "Express: it arrives tomorrow before noon."),
    Feature("support", "My parcel has not moved for three days. Where is it?", "It waits in Leipzig."),
    Feature("reports", "How many orders were open at the end of last week?", "412: 9 % fewer than a week before."),
    Feature("search", "Find me a warm jacket below 100 dollars.", "These three fit best; the first is in stock."),
    Feature("documents", "Summarise this contract in five sentences.", "It runs for two years and ends by notice."),
    Feature("onboarding", "What must I set up on my first day?", "Your account, the calendar and the two keys."),
)
CUSTOMERS = (
    *("acme", "globex", "initech", "umbrella", "hooli", "stark-industries"),
    *("wayne-enterprises", "wonka", "cyberdyne", "tyrell", "soylent", "vandelay"),
)
ENVIRONMENTS = {"production": 86, "staging": 10, "dev": 4}
HEAD_START_DAYS = {"production": 0, "staging": 3, "dev": 6}
RELEASES = (
    Release("2.0.0", days_ago=4, cached_share=0.7, slowness=1.45, failure_share=0.05),
    Release("1.5.0", days_ago=33, cached_share=0.7, slowness=1, failure_share=0),
    Release("1.4.0", days_ago=1000, cached_share=0.15, slowness=1, failure_share=0),
)
NEW_ERROR, NEW_ERROR_MESSAGE = "invalid_tool_schema", "tools.3.parameters: $ref is not supported"

# As in real companies, a few agents, users and customers do most of the work.
USERS = 500
AGENT_WEIGHTS = [1 / (rank + 1) ** 0.8 for rank in range(len(AGENTS))]
USER_WEIGHTS = [1 / (rank + 1) ** 0.7 for rank in range(USERS)]
CUSTOMER_WEIGHTS = [1 / (rank + 1) ** 1.1 for rank in range(len(CUSTOMERS))]
WEEKDAY_WEIGHTS = [1.1, 1.15, 1.15, 1.1, 1.0, 0.45, 0.4]
HOUR_WEIGHTS = [1.15 - math.cos((hour - 2) / 24 * 2 * math.pi) for hour in range(24)]
ERROR_SHARE, TIMEOUT_SHARE = 0.02, 0.005
ERRORS = {
    "rate_limit": ("429: too many requests, retry after 20 s", 40),
    "overloaded": ("529: the model is overloaded", 22),
    "context_length_exceeded": ("the prompt is longer than the model's context of 128,000 tokens", 14),
    "content_filter": ("the answer was withheld by the content filter", 10),
    "invalid_request": ("tools.0.parameters: expected an object", 8),
    "connection_error": ("connection reset by peer", 6),
}
# Two events to discover: a day on which a loop made one agent's calls expensive, and an afternoon with a slow provider.
SPIKE_DAYS_AGO, SPIKE_AGENT, SPIKE_FACTOR = 6, "sql-analyst", 12
INCIDENT_DAYS_AGO, INCIDENT_HOURS, INCIDENT_PROVIDER, INCIDENT_FACTOR = 3, range(13, 16), "anthropic", 6


def release_of(environment: str, days_ago: int) -> Release:
    return next(release for release in RELEASES if days_ago <= release.days_ago + HEAD_START_DAYS[environment])
