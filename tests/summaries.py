"""A pytest plugin: sections below the results of a run, put together from all workers of pytest-xdist."""

from collections import Counter, defaultdict
from io import StringIO
from typing import Any

import pytest
from coverage import Coverage
from coverage.exceptions import CoverageException

COUNTS: dict[str, Counter[str]] = defaultdict(Counter)
"""By section: how often something was done. The counts of all workers are added."""
LINES: dict[str, list[str]] = defaultdict(list)
"""By section: lines as they are printed."""

# Only files below this are named. Coverage leaves out lines that run in servers which tests start, and the tests of
# NOT_MEASURED in tests/conftest.py.
NAMED_BELOW_PERCENT = 90


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["counts"] = {section: dict(counts) for section, counts in COUNTS.items()}
        output["lines"] = dict(LINES)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Adds the counts and lines that a worker sends at its end."""
    output = getattr(node, "workeroutput", {})
    for section, counts in output.get("counts", {}).items():
        COUNTS[section].update(counts)
    for section, lines in output.get("lines", {}).items():
        LINES[section] += lines


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    sections = {
        section: [f"{name}: {count}" for name, count in sorted(counts.items())] for section, counts in COUNTS.items()
    }
    if config.getoption("cov_source", None):
        sections["coverage"] = coverage_lines()
    for section, lines in (sections | LINES).items():
        terminalreporter.section(section)
        for line in lines:
            terminalreporter.write_line(line)


def coverage_lines() -> list[str]:
    """Returns the heading, the files below the limit, and the total; or why there is no report."""
    coverage, report = Coverage(), StringIO()
    try:
        coverage.load()
        coverage.report(file=report, sort="cover")
    except CoverageException as error:
        return [str(error)]
    heading, *files, total = (line for line in report.getvalue().splitlines() if line.strip("- "))
    return [heading, *(line for line in files if float(line.split()[-1].rstrip("%")) < NAMED_BELOW_PERCENT), total]
