"""A threshold of a budget: a share of its limit or an amount, on what was spent or on the forecast."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Literal, NamedTuple

Basis = Literal["actual", "forecast"]
Severity = Literal["info", "warning", "critical"]
ACTUAL: Basis = "actual"
FORECAST: Basis = "forecast"
INFO: Severity = "info"
WARNING: Severity = "warning"
CRITICAL: Severity = "critical"


class Threshold(NamedTuple):
    basis: Basis
    percent: Decimal | None
    amount_usd: Decimal | None
    """Exactly one of the two is given."""
    severity: Severity
    channels: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        share = f"${self.amount_usd:.2f}" if self.percent is None else f"{self.percent.normalize():f}%"
        return f"{self.basis}:{share}"

    def usd(self, limit: Decimal) -> Decimal:
        return limit * self.percent / 100 if self.percent is not None else self.amount_usd or Decimal(0)

    def as_json(self) -> dict[str, Any]:
        # One text for a number, so that 50 and 50.00 are no change.
        percent = None if self.percent is None else f"{self.percent.normalize():f}"
        share = {"amount_usd": f"{self.amount_usd:.2f}"} if percent is None else {"percent": percent}
        return {"basis": self.basis, **share, "severity": self.severity, "channels": list(self.channels)}


DEFAULT = [
    Threshold(ACTUAL, Decimal(50), None, INFO),
    Threshold(ACTUAL, Decimal(80), None, WARNING),
    Threshold(ACTUAL, Decimal(100), None, CRITICAL),
]
DEFAULT_FORECAST = Threshold(FORECAST, Decimal(100), None, WARNING)


def default_thresholds(is_template: bool) -> list[Threshold]:
    """Returns the usual thresholds. A template has none on the forecast: each of its values would need one."""
    return DEFAULT if is_template else [*DEFAULT, DEFAULT_FORECAST]


def stored_thresholds(stored: Iterable[dict[str, Any]]) -> list[Threshold]:
    return [
        Threshold(
            one["basis"],
            decimal_or_none(one.get("percent")),
            decimal_or_none(one.get("amount_usd")),
            one["severity"],
            tuple(one.get("channels", ())),
        )
        for one in stored
    ]


def decimal_or_none(number: Any) -> Decimal | None:
    return None if number is None else Decimal(str(number))
