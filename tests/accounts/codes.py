"""Second factors of tests: an authenticator app, and its codes."""

import time
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PERIOD_SECONDS = 30


def give_app(user: Any) -> Authenticator:
    factor: Authenticator = TOTP.activate(user, SECRET).instance
    return factor


def give_recovery_codes(user: Any) -> list[str]:
    codes: list[str] = RecoveryCodes.activate(user).get_unused_codes()
    return codes


def code(secret: str = SECRET) -> str:
    """Returns the code that the app shows now."""
    shown: str = format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD_SECONDS))
    return shown


def wrong_code(secret: str = SECRET) -> str:
    """Returns a code that the app shows neither now nor around now."""
    now = int(time.time()) // PERIOD_SECONDS
    near = {format_hotp_value(hotp_value(secret, now + step)) for step in range(-3, 4)}
    return next(text for number in range(10) if (text := f"{number:06d}") not in near)
