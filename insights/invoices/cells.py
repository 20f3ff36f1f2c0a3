"""Reads the cells of a provider's file: days, amounts, quantities. What cannot be read for sure is refused."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Literal, NamedTuple

DecimalMark = Literal["point", "comma"]
DayOrder = Literal["day first", "month first"]
MOST_DIGITS = 15
"""Before the decimal mark."""
SCALE = Decimal(1).scaleb(-20)
"""Amounts have at most 20 decimals: programs write 0.009000000000000001."""
FORMULAS = ("=", "@")
SPACES = re.compile(r"[\s\u00a0\u202f']+")
USD_SIGNS = re.compile(r"^(-?)(?:US\$|USD|\$)|(?:US\$|USD|\$)$", re.I)
OTHER_CURRENCY = re.compile(r"[€£¥₹]|\b(?:EUR|GBP|JPY|INR|CHF|CAD|AUD|CNY)\b", re.I)
PLAIN_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?", re.I)
GROUPED = {
    "point": re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?"),
    "comma": re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+(?:,\d*)?"),
}
CLEARLY_POINT = re.compile(r",\d{3}.*\.|,\d{3},|\.(?!\d{3}$)\d+$|^-?0?\.\d")
CLEARLY_COMMA = re.compile(r"\.\d{3}.*,|\.\d{3}\.|,(?!\d{3}$)\d+$|^-?0,\d")
ISO_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
COMPACT_DAY = re.compile(r"(20\d{2})(\d{2})(\d{2})")
SLASHED_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:[ T].*)?")
SECONDS, MILLISECONDS = re.compile(r"\d{10}(?:\.\d+)?"), re.compile(r"\d{13}")
DAY_WORDS = ("%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%a, %d %b %Y", "%Y/%m/%d")
FIRST_YEAR, LAST_YEAR = 2000, 2100


class BadCell(Exception):
    """What is wrong with a cell, in words that follow the column's name."""


class Forms(NamedTuple):
    """How a file writes its numbers and days."""

    decimal_mark: DecimalMark
    day_order: DayOrder | None
    """None: no day of the file needs it."""


# --- How the file writes ---


def decimal_mark(amounts: Iterable[str]) -> DecimalMark | None:
    """Returns the decimal mark that all numbers fit; None where they do not say, like 1,234 alone."""
    seen: set[DecimalMark] = set()
    is_open = False
    for text in amounts:
        plain = bare(text)
        if CLEARLY_COMMA.search(plain):
            seen.add("comma")
        elif CLEARLY_POINT.search(plain):
            seen.add("point")
        elif "," in plain or re.search(r"\.\d{3}$", plain):
            is_open = True
    if len(seen) == 1:
        return seen.pop()
    return None if seen or is_open else "point"


def day_order(days: Iterable[str]) -> DayOrder | None:
    """Returns the order of day and month in days like 13/11/2026; None where no day says it."""
    for text in days:
        if found := SLASHED_DAY.fullmatch(text.strip()):
            if "." in text or int(found[1]) > 12:
                return "day first"
            if int(found[2]) > 12:
                return "month first"
    return None


# --- Cells ---


def bare(text: str) -> str:
    """Returns a number without spaces, its sign of USD, and with a plain minus in front."""
    if PLAIN_NUMBER.fullmatch(text):
        return text
    plain = SPACES.sub("", text).replace("\u2212", "-")
    if plain.startswith("(") and plain.endswith(")"):
        plain = f"-{plain[1:-1]}"
    if plain.endswith("-"):
        plain = f"-{plain[:-1]}"
    return USD_SIGNS.sub(r"\1", plain)


def check_formula(text: str) -> None:
    if text.startswith(FORMULAS) or (text.startswith("'") and text[1:2] in FORMULAS):
        raise BadCell(f"is a formula, {shown(text)}: export the values")


def number(text: str, mark: DecimalMark) -> Decimal:
    """Returns the number of a cell, exactly as it is written."""
    plain = bare(text)
    if not PLAIN_NUMBER.fullmatch(plain):
        check_formula(text)
        if found := OTHER_CURRENCY.search(text):
            raise BadCell(f"is in {found[0]}, and only USD can be compared")
    other = "." if mark == "comma" else ","
    if other in plain:
        if not GROUPED[mark].fullmatch(plain):
            raise BadCell(f"is no number with a decimal {mark}: {shown(text)}")
        plain = plain.replace(other, "")
    plain = plain.replace(",", ".")
    if not NUMBER.fullmatch(plain):
        raise BadCell(f"is no number: {shown(text)}" if plain else "is empty")
    try:
        value = Decimal(plain)
        if value.copy_abs() >= 10**MOST_DIGITS:
            raise BadCell(f"has more than {MOST_DIGITS} digits before the decimal mark")
        return value.quantize(SCALE)
    except InvalidOperation as error:
        raise BadCell(f"is no number: {shown(text)}") from error


def decimals(text: str, mark: DecimalMark) -> int:
    """Returns how many decimals a number is written with."""
    _, _, fraction = bare(text).lower().partition("," if mark == "comma" else ".")
    digits, _, exponent = fraction.partition("e")
    return max(len(digits) - int(exponent or 0), 0)


@lru_cache(maxsize=4096)
def day(text: str, order: DayOrder | None) -> date:
    """Returns the day of a cell. A moment with an offset is the day in UTC, in which providers bill."""
    check_formula(text)
    plain = text.strip()
    found = day_of_number(plain) or day_of_iso(plain) or day_of_slashes(plain, order) or day_of_words(plain)
    if found is None:
        raise BadCell(f"is no day: {shown(text)}" if plain else "is empty")
    if not FIRST_YEAR <= found.year < LAST_YEAR:
        raise BadCell(f"is no day between {FIRST_YEAR} and {LAST_YEAR}: {shown(text)}")
    return found


def day_of_number(text: str) -> date | None:
    if SECONDS.fullmatch(text) or MILLISECONDS.fullmatch(text):
        seconds = float(text) / (1000 if MILLISECONDS.fullmatch(text) else 1)
        return datetime.fromtimestamp(seconds, UTC).date()
    return a_date(*COMPACT_DAY.fullmatch(text).groups()) if COMPACT_DAY.fullmatch(text) else None  # type: ignore[union-attr]


def day_of_iso(text: str) -> date | None:
    if found := ISO_DAY.fullmatch(text):
        return a_date(*found.groups())
    if not ISO_DAY.match(text):
        return None
    try:
        moment = datetime.fromisoformat(text.replace(" UTC", "+00:00"))
        return (moment if moment.tzinfo is None else moment.astimezone(UTC)).date()
    except (ValueError, OverflowError):
        return None


def day_of_slashes(text: str, order: DayOrder | None) -> date | None:
    found = SLASHED_DAY.fullmatch(text)
    if not found:
        return None
    if order is None and found[1] != found[2]:
        raise BadCell(f"can be two days, {shown(text)}: choose whether the day or the month comes first")
    first, second, year = found.groups()
    return a_date(year, first, second) if order == "month first" else a_date(year, second, first)


def day_of_words(text: str) -> date | None:
    for form in DAY_WORDS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None


def a_date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def shown(text: str) -> str:
    return repr(text[:40] + ("…" if len(text) > 40 else ""))
