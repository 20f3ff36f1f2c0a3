import os
import shutil

import pytest


def tool(name: str, *others: str) -> str:
    """Returns the path of the first of the programs that is there.

    Without any the test is skipped with the reason; in CI it fails.
    """
    for path in map(shutil.which, (name, *others)):
        if path:
            return path
    wanted = " or ".join((name, *others))
    if os.environ.get("CI") == "true":
        pytest.fail(f"{wanted} is missing")
    pytest.skip(f"{wanted} is not installed")
