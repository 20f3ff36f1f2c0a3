"""Says in words what a saving is, and how its amount is computed."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from web.number_text import count, percent

Facts = Mapping[str, Any]
HOW = {
    "cheaper_model": "The tokens of the dearer model's calls, priced on the cheaper one. The range also has what the "
    "cheaper model's own calls cost on average. Errors and scores are surely not much worse. It may "
    "use other tokens.",
    "uncached_prefix": "The tokens of prefixes that came again within 5 minutes, at the price of a cache instead of "
    "the price of input, less what writing them costs more. Tokens follow from characters, give or take a fifth.",
    "unread_cache_writes": "What the writes cost more than input without a cache, less what all reads of this model "
    "saved. The calls of all agents count, since one may read what another wrote.",
    "batch": "The same tokens at the price of a batch, or of the flex tier where there is no batch. Calls that have "
    "this price already save nothing.",
    "loop": "The cost of each call whose input was the same as that of a call of the same agent and model which had "
    "succeeded within the minute before, from ten in a row on. The first of each row is not in it.",
    "long_runs": "The cost of the calls of a trace beyond ten times the median of the agent's traces.",
    "long_outputs": "The output tokens beyond ten times the median (at least 2,000), at the price of output.",
    "unused_agent": "All that the agent cost. Its calls had users or sessions before, and none in these four weeks.",
    "paid_failures": "The cost of the failed calls.",
}


def how(kind: str) -> str:
    return HOW.get(kind, "")


def names(values: list[str]) -> str:
    return ", ".join(values)


def cheaper_model(facts: Facts) -> str:
    scores = facts["scores"]
    judged = f" Its scores ({names(scores)}) are no worse." if scores else " Nobody has scored enough of them."
    return (
        f"{facts['agent']} uses {facts['model']} where {facts['other_model']} does like calls: "
        f"{count(facts['calls'])} and {count(facts['other_calls'])} calls, {percent(facts['error_rate'])} and "
        f"{percent(facts['other_error_rate'])} failed.{judged}"
    )


SENTENCES: dict[str, Callable[[Facts], str]] = {
    "cheaper_model": cheaper_model,
    "uncached_prefix": lambda f: (
        f"{count(f['calls'])} calls of {f['agent']} to {f['model']} begin with a long text that came just before, and "
        "none of it is read from a cache."
    ),
    "unread_cache_writes": lambda f: (
        f"{count(f['written'])} tokens were written to the cache of {f['model']}, and {count(f['read'])} read from it. "
        f"Written by {names(f['agents'])}."
    ),
    "batch": lambda f: (
        f"{f['agent']} calls at night, without user or session: {count(f['calls'])} calls that could go as "
        f"{' or '.join(f['tiers'])}."
    ),
    "loop": lambda f: (
        f"{f['agent']} asked {f['model']} the same again, {count(f['calls'])} times in {count(f['loops'])} "
        f"{'loop' if f['loops'] == 1 else 'loops'}."
    ),
    "long_runs": lambda f: (
        f"{count(f['runs'])} runs of {f['agent']} made more than {f['times']} times the usual {count(f['median'])} "
        "calls."
    ),
    "long_outputs": lambda f: (
        f"{count(f['calls'])} answers of {f['model']} to {f['agent']} are longer than {count(f['limit'])} tokens; "
        f"the median is {count(f['median'])}."
    ),
    "unused_agent": lambda f: (
        f"Nobody uses {f['agent']} any more, since the week of {date.fromisoformat(f['last_used']):%-d %B %Y}; "
        f"it made {count(f['calls'])} calls."
    ),
    "paid_failures": lambda f: (
        f"{count(f['calls'])} calls of {f['agent']} to {f['model']} failed with {f['error'] or 'an error'} after they "
        "were paid for."
    ),
}


def sentence(kind: str, facts: Facts, filters: Mapping[str, str]) -> str:
    """Returns what was found; of what was not found yet, what it is about."""
    if not facts:
        return f"{kind.replace('_', ' ').capitalize()}: {names(list(filters.values()))}."
    return SENTENCES[kind](facts)
