import pytest

from tests.security.world import PROBES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was tried, in numbers."""
    if PROBES:
        terminalreporter.section("security")
        for what, count in sorted(PROBES.items()):
            terminalreporter.write_line(f"{what}: {count}")
