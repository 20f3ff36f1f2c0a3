"""Says a reason of a difference in a sentence, with the figures that show it."""

from datetime import date
from decimal import Decimal

from methods.reconciliation import Reason
from web.number_text import count, percent, usd

DAYS_NAMED = 5


def sentence(reason: Reason, shift: int) -> str:
    return TEXTS[reason.kind](reason, shift)


def days_text(days: list[date]) -> str:
    named = ", ".join(f"{day:%-d %b}" for day in sorted(days)[:DAYS_NAMED])
    more = len(days) - DAYS_NAMED
    return f"{named} and {more} more" if more > 0 else named


def number_of(number: int, word: str) -> str:
    return f"{count(number)} {word}{'' if number == 1 else 's'}"


def shifted(reason: Reason, shift: int) -> str:
    return (
        f"Their days begin at {shift % 24:02d}:00 UTC: with these days most daily differences vanish, and the "
        f"first and last hours make our total {usd(reason.theirs_usd)} instead of {usd(reason.ours_usd)}."
    )


def missing_days(reason: Reason, shift: int) -> str:
    return (
        f"The file has no lines on {number_of(len(reason.days), 'day')} ({days_text(reason.days)}). We counted "
        f"{number_of(reason.calls, 'call')} for {usd(reason.ours_usd)} on them."
    )


def not_billed(reason: Reason, shift: int) -> str:
    return (
        f"The file has no lines of this model on {number_of(len(reason.days), 'day')}, on which we counted "
        f"{number_of(reason.calls, 'call')} for {usd(reason.ours_usd)}: it may be billed under another name."
    )


def untraced_days(reason: Reason, shift: int) -> str:
    return (
        f"No trace of this provider came on {number_of(len(reason.days), 'day')} ({days_text(reason.days)}), for which "
        f"{usd(reason.theirs_usd)} are billed."
    )


def untraced_model(reason: Reason, shift: int) -> str:
    if not reason.model:
        return f"Lines without a model bill {usd(reason.theirs_usd)}: fees that no call has."
    return f"No trace has this model, for which {usd(reason.theirs_usd)} are billed: nothing sends traces of it."


def untraced(reason: Reason, shift: int) -> str:
    if reason.has_tokens and reason.their_tokens is not None and reason.our_tokens is not None:
        return (
            f"{count(int(reason.their_tokens))} tokens are billed and {count(int(reason.our_tokens))} were traced: the "
            "others come from traffic that sends no traces."
        )
    return (
        f"On {number_of(len(reason.days), 'day')} ({days_text(reason.days)}) {usd(reason.theirs_usd)} are billed for "
        f"{usd(reason.ours_usd)} that were traced, at no constant factor: part of the traffic sends no traces."
    )


def credit(reason: Reason, shift: int) -> str:
    return f"{number_of(reason.lines, 'line')} of the file lower the bill: a credit, discount or refund."


def cached(reason: Reason, shift: int) -> str:
    share = "" if reason.factor is None else f", at {percent(float(reason.factor * 100))} of the price of other input"
    return (
        f"Cached tokens are billed for less{share}, and we priced them in full: the client does not report them, or an "
        "own price has none for them."
    )


def factor(reason: Reason, shift: int) -> str:
    value = reason.factor or Decimal(1)
    off = abs(float(value - 1) * 100)
    fit = f"on {reason.fitting_days} of {number_of(reason.compared_days or 0, 'day')}"
    if value < 1:
        return f"They bill {value.normalize():f} times our cost {fit}: a discount of {percent(off)}."
    known = (
        "a surcharge" if reason.has_tokens else "a surcharge, or the same share of traffic sends no traces every day"
    )
    return f"They bill {value.normalize():f} times our cost {fit}, {percent(off)} more: {known}."


def unpriced(reason: Reason, shift: int) -> str:
    return (
        f"{count(reason.unpriced_calls)} of {number_of(reason.calls, 'call')} have no price here, on "
        f"{number_of(len(reason.days), 'day')}: they are in their total and not in ours."
    )


def price(reason: Reason, shift: int) -> str:
    days = f"{number_of(len(reason.days), 'day')} ({days_text(reason.days)})"
    return f"On {days} the same tokens are billed at another price."


def rounding(reason: Reason, shift: int) -> str:
    return f"{number_of(reason.lines, 'line')} of the file are rounded."


def unexplained(reason: Reason, shift: int) -> str:
    return (
        f"On {number_of(len(reason.days), 'day')} ({days_text(reason.days)}) {usd(reason.theirs_usd)} are billed for "
        f"{usd(reason.ours_usd)} that we counted. No reason is known."
    )


TEXTS = {
    "zone_shift": shifted,
    "missing_days": missing_days,
    "not_billed": not_billed,
    "untraced_days": untraced_days,
    "untraced_model": untraced_model,
    "untraced": untraced,
    "credits": credit,
    "cached": cached,
    "factor": factor,
    "unpriced": unpriced,
    "price": price,
    "rounding": rounding,
    "unexplained": unexplained,
}
