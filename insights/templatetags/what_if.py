"""Makes the sentence and the chart of what calls would have cost."""

from django import template

from analytics.chart import Bucket, Chart, Figure
from insights.what_if import Costs, WhatIfAnswer, WhatIfTarget
from web.number_text import usd, usd_exact

register = template.Library()


@register.filter
def target_words(target: WhatIfTarget) -> str:
    """Returns what the calls are priced as, in words."""
    parts = {
        f"on {target['model']}": target["model"],
        f"at the {'usual' if target['tier'] == 'standard' else target['tier']} tier": target["tier"],
        f"with {target['cache_share'] or 0:g} % of the input from a cache": target["cache_share"] is not None,
        f"at the prices of {target['price_date']}": target["price_date"],
    }
    return ", ".join(words for words, is_given in parts.items() if is_given) or "by today's price list"


@register.filter
def what_if_words(data: WhatIfAnswer) -> str:
    """Returns how much the calls cost, and would have cost."""
    totals = data["totals"]
    difference = abs(totals["difference_usd"])
    way = "less" if totals["difference_usd"] < 0 else "more"
    share = totals["difference_percentage"]
    change = f"{usd(difference)} {way}" + (f" ({abs(share):.0f} %)" if share is not None else "")
    most = totals["then_at_most_usd"]
    would = usd(totals["then_cost_usd"]) if most is None else f"{usd(totals['then_cost_usd'])} to {usd(most)}"
    end = "the same" if not difference else f"{would}: {change}"
    return f"These calls cost {usd(totals['now_cost_usd'])}. They would have cost {end} {target_words(data['target'])}."


@register.simple_tag(takes_context=True)
def what_if_figure(context: template.Context, buckets: list[Bucket]) -> Figure:
    chart = Chart(context["filters"])
    now, then = ([bucket[f"{name}_cost_usd"] for bucket in buckets] for name in ("now", "then"))
    line = chart.line("Then", buckets, then, "--c3", usd_exact)
    bars = chart.bars("Now", buckets, now, "--primary-fill", usd_exact)
    return chart.figure([bars, line], buckets, tickprefix="$")


@register.filter
def listed(text: str) -> list[str]:
    """Returns the names of columns, which a template writes with commas between them."""
    return text.split(",")


@register.filter
def difference_words(costs: Costs) -> str:
    """Returns the difference with its sign, and in percent."""
    difference, share = costs["difference_usd"], costs["difference_percentage"]
    if not difference:
        return "none"
    sign = "-" if difference < 0 else "+"
    return f"{sign}{usd(abs(difference))}" + (f" ({share:+.0f} %)" if share is not None else "")
