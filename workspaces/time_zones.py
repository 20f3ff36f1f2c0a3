"""Lists the time zones that a workspace or a reader may choose."""

import re
from functools import cache
from zoneinfo import available_timezones

# Names under which Python finds a file. They mean the zone of a machine, none at all, or a zone by another clock.
NO_TIME_ZONE = re.compile(r"(posix|right)/.*|localtime|posixrules|Factory")


@cache
def time_zones() -> frozenset[str]:
    """Returns the names of the zones that Python knows. It reads them once: they lie in hundreds of files."""
    return frozenset(name for name in available_timezones() if not NO_TIME_ZONE.fullmatch(name))
