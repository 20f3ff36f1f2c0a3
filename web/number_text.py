"""Formats numbers for people, in the largest unit that fits.

A number that is not 0 never reads 0, and a share that is not all never reads 100 %. Templates put the exact value into
the title of the element.
"""

from collections.abc import Iterable, Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from typing import NamedTuple

NOTHING = "\u2013"
MINUS = "\u2212"
UNKNOWN = "unknown"
Number = float | None
Amount = Number | Decimal

ENOUGH_DIGITS = Context(prec=400)
"""For every float: a quantize that needs more digits than its context has is an error."""


class Unit(NamedTuple):
    size: int
    suffix: str
    decimals: int
    until: Decimal | int
    """Numbers that reach this, once rounded, have the next unit: 999.96 M are 1.0 B."""
    is_trimmed: bool = False
    """Leaves out zeros at the end: 1 d, not 1.0 d."""


ENDLESS = Decimal("Infinity")
MILLIONS = (Unit(10**6, " M", 1, 1000), Unit(10**9, " B", 1, 1000), Unit(10**12, " T", 1, ENDLESS))
COUNTS = (Unit(1, "", 0, 10**6), *MILLIONS)
DECIMALS = (Unit(1, "", 1, 1000), *COUNTS)
RATES = (
    Unit(1, "", 4, Decimal("0.01"), is_trimmed=True),
    Unit(1, "", 3, Decimal("0.1"), is_trimmed=True),
    Unit(1, "", 2, 1, is_trimmed=True),
    Unit(1, "", 1, 100),
    *COUNTS,
)
AVERAGES = (
    Unit(1, "", 4, Decimal("0.01"), is_trimmed=True),
    Unit(1, "", 3, 10, is_trimmed=True),
    Unit(1, "", 2, 100, is_trimmed=True),
    Unit(1, "", 1, 1000, is_trimmed=True),
    *COUNTS,
)
USD_MILLIONS = tuple(unit._replace(suffix=unit.suffix.strip()) for unit in MILLIONS)
BELOW_TEN_CENTS = Unit(1, "", 4, Decimal("0.1"))
USD = (BELOW_TEN_CENTS, Unit(1, "", 2, 1000), Unit(1000, "k", 1, 1000), *USD_MILLIONS)
DOLLARS = (BELOW_TEN_CENTS, Unit(1, "", 2, 100), Unit(1, "", 0, 10**6), *USD_MILLIONS)
CENTS = (Unit(1, "", 2, ENDLESS),)
PERCENTAGES = (Unit(1, " %", 1, 10), Unit(1, " %", 0, ENDLESS))
ALMOST_ALL = (Unit(1, " %", 1, 100),)
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
DURATIONS = (
    Unit(1, " ms", 0, 1000),
    Unit(1000, " s", 1, 120),
    Unit(MINUTE_MS, " min", 1, 10, is_trimmed=True),
    Unit(MINUTE_MS, " min", 0, 120),
    Unit(HOUR_MS, " h", 1, 24, is_trimmed=True),
    Unit(DAY_MS, " d", 1, ENDLESS, is_trimmed=True),
)


class ColumnUnit(NamedTuple):
    """How all numbers of a column are written, so that they can be compared by their digits."""

    units: tuple[Unit, ...]
    sign: str = ""


SMALL_USD = 0.1
"""Amounts below have four decimals, where none of the column is large."""
COLUMN_UNITS: dict[str, tuple[tuple[Decimal | int, ColumnUnit], ...]] = {
    "_ms": (
        (1000, ColumnUnit((Unit(1, " ms", 0, ENDLESS),))),
        (120_000, ColumnUnit((Unit(1000, " s", 2, 10), Unit(1000, " s", 1, ENDLESS)))),
        (2 * HOUR_MS, ColumnUnit((Unit(MINUTE_MS, " min", 1, ENDLESS),))),
        (DAY_MS, ColumnUnit((Unit(HOUR_MS, " h", 1, ENDLESS),))),
        (ENDLESS, ColumnUnit((Unit(DAY_MS, " d", 1, ENDLESS, is_trimmed=True),))),
    ),
    "_usd": (
        (10, ColumnUnit((Unit(1, "", 4, ENDLESS),), "$")),
        (100_000, ColumnUnit((Unit(1, "", 2, ENDLESS),), "$")),
        (10**8, ColumnUnit((Unit(1, "", 0, ENDLESS),), "$")),
        (ENDLESS, ColumnUnit((Unit(10**6, "M", 1, ENDLESS),), "$")),
    ),
    "": (
        (10**7, ColumnUnit((Unit(1, "", 0, ENDLESS),))),
        (10**10, ColumnUnit((Unit(10**6, " M", 1, ENDLESS),))),
        (ENDLESS, ColumnUnit((Unit(10**9, " B", 1, ENDLESS),))),
    ),
}
"""By the end of the field's name, for a column whose largest number is below the first number. The last: counts."""
PACES = ((1, "a second"), (60, "a minute"), (3600, "an hour"), (24 * 3600, "a day"))
"""Seconds, and their words."""


def count(value: Amount) -> str:
    """Formats a count, like 9,812 or 1.2 M."""
    return NOTHING if value is None else in_units(value, COUNTS)


def decimal(value: Amount) -> str:
    """Formats a number with one decimal if it is below a thousand, like 12.4."""
    return NOTHING if value is None else in_units(value, DECIMALS, smallest="0.1")


def rate(value: Amount) -> str:
    """Formats a rate, like 12.4, or with two significant digits below 1, like 0.031."""
    return in_units(value, RATES, smallest="0.001") if value else "0"


def average(value: Amount) -> str:
    """Formats an average, like 4.375, 12.41 or 0.0002."""
    return NOTHING if value is None else in_units(value, AVERAGES, smallest="0.0001") if value else "0"


def percent(value: Amount) -> str:
    """Formats a share or a change, like 0.3 % or 42 %. Not all of it never reads 100 %."""
    if value is None:
        return NOTHING
    if not value:
        return "0 %"
    size = abs(as_decimal(value))
    if Decimal("99.9") < size < 100:
        return beyond(value, ">", "99.9 %")
    return in_units(value, ALMOST_ALL if 99 < size < 100 else PERCENTAGES, smallest="0.1")


def percent_reached(value: Amount) -> str:
    """Formats a share that is never rounded up: 79.99 % has not reached 80 %."""
    if value is None:
        return NOTHING
    reached = rounded(as_decimal(value), 1, ROUND_FLOOR)
    return "<0.1 %" if value > 0 and not reached else with_minus(f"{without_zeros(f'{reached:,f}')} %")


def usd(value: Amount) -> str:
    """Formats an amount, like $0.0042, $12.40 or $1.2k; a dash for None."""
    return NOTHING if value is None else in_dollars(value, USD, smallest="0.0001")


def dollars(value: Amount) -> str:
    """Formats an amount for sentences, like $412, $1,730 or, below $100, $12.40."""
    return NOTHING if value is None else in_dollars(value, DOLLARS, smallest="0.0001")


def cents(value: Amount) -> str:
    """Formats an amount to the cent, like $1,730.25."""
    return UNKNOWN if value is None else in_dollars(value, CENTS, smallest="0.01")


def ms(value: Amount) -> str:
    """Formats a duration, like 840 ms, 3.4 s, 2 min or 1 d."""
    return NOTHING if value is None else in_units(value, DURATIONS, smallest="1")


def whole_ms(value: Amount) -> str:
    """Formats a duration in milliseconds, like 12,345 ms."""
    return NOTHING if value is None else in_units(value, (DURATIONS[0]._replace(until=ENDLESS),), smallest="1")


def pace(per_second: Amount) -> str:
    """Formats a rate in the smallest time in which it reaches 1, like 12.4 a second or 1.1 a minute."""
    if not per_second:
        return "0 a second"
    seconds, words = next((pair for pair in PACES if as_decimal(per_second) * pair[0] >= 1), PACES[-1])
    return f"{decimal(as_decimal(per_second) * seconds)} {words}"


def column_unit(field: str, values: Iterable[Number]) -> ColumnUnit:
    """Returns the unit of a column by the end of its field's name and by its values."""
    amounts = [abs(value) for value in values if value]
    sizes = next(sizes for end, sizes in COLUMN_UNITS.items() if field.endswith(end))
    if field.endswith("_usd") and min(amounts, default=1) >= SMALL_USD:
        sizes = sizes[1:]
    return next(unit for below, unit in sizes if max(amounts, default=0) < below)


def in_column(value: Number, unit: ColumnUnit) -> str:
    """Formats a number in the unit of its column."""
    first = unit.units[0]
    if not value:
        nothing = f"{0:.{first.decimals}f}" if unit.sign else "0"
        return NOTHING if value is None else f"{unit.sign}{nothing}{first.suffix}"
    smallest = Decimal(1).scaleb(-first.decimals)
    if abs(as_decimal(value)) < smallest * first.size:
        return beyond(value, "<", f"{unit.sign}{smallest}{first.suffix}")
    return in_units(value, unit.units, "0", unit.sign)


# --- Exact values ---


def exact(value: Amount) -> str:
    return UNKNOWN if value is None else with_minus(exact_digits(as_decimal(value), decimals=6))


def usd_exact(value: Amount) -> str:
    """Formats an amount with all decimals that a cost can have."""
    if value is None:
        return UNKNOWN
    return f"{MINUS if value < 0 else ''}${amount_digits(abs(as_decimal(value)))}"


def percent_exact(value: Amount) -> str:
    return UNKNOWN if value is None else f"{exact(value)} %"


def ms_exact(value: Amount) -> str:
    return UNKNOWN if value is None else f"{exact(value)} ms"


def unlocalized(value: Amount) -> str:
    """Formats a number for form fields and attributes: without separators; None as an empty text."""
    return "" if value is None else amount_digits(as_decimal(value)).replace(",", "")


def amount_digits(value: Decimal) -> str:
    """Formats an amount with all its decimals, and with two at least."""
    return max(exact_digits(value, decimals=12), f"{rounded(value, 2):,f}", key=len)


def exact_digits(value: Decimal, decimals: int) -> str:
    """Formats a number with its decimals, and with six digits where it has only zeros there.

    More than fifteen digits are the noise of floats.
    """
    magnitude = value.adjusted()
    return without_zeros(f"{rounded(value, max(min(decimals, 14 - magnitude), 5 - magnitude, 0)):,f}")


# --- Steps that several formats share ---


def in_dollars(value: float | Decimal, units: Sequence[Unit], smallest: str) -> str:
    return in_units(value, units, smallest, "$") if value else "$0.00"


def in_units(value: float | Decimal, units: Sequence[Unit], smallest: str = "1", sign: str = "") -> str:
    """Formats with the first unit whose end the rounded number does not reach; less than the smallest as less than it.

    `sign` stands before the digits, like $.
    """
    size = abs(as_decimal(value))
    if 0 < size < Decimal(smallest):
        return beyond(value, "<", f"{sign}{smallest}{units[0].suffix}")
    unit = next(unit for unit in units if rounded(size / unit.size, unit.decimals) < unit.until)
    digits = f"{rounded(size / unit.size, unit.decimals):,f}"
    return f"{MINUS if value < 0 else ''}{sign}{without_zeros(digits) if unit.is_trimmed else digits}{unit.suffix}"


def beyond(value: float | Decimal, comparison: str, limit: str) -> str:
    """Formats a number that is known to be closer to 0 than the limit (<), or further from it (>)."""
    return f"{comparison}{limit}" if value > 0 else f"{'>' if comparison == '<' else '<'}{MINUS}{limit}"


def as_decimal(value: float | Decimal) -> Decimal:
    """Returns the number with the digits that it shows, and without the sign of a negative 0."""
    return (value if isinstance(value, Decimal) else Decimal(repr(value))) + 0


def rounded(value: Decimal, decimals: int, rounding: str = ROUND_HALF_UP) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-decimals), rounding, ENOUGH_DIGITS)


def with_minus(digits: str) -> str:
    """Writes the hyphen before a negative number as a minus."""
    return digits.replace("-", MINUS)


def without_zeros(digits: str) -> str:
    return digits.rstrip("0").rstrip(".") if "." in digits else digits
