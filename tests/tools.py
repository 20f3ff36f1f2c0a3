import os
import shutil

import pytest


def tool(name: str) -> str:
    """Returns a program's path. Where it is missing the test is skipped with the reason; in CI it fails."""
    path = shutil.which(name)
    if path:
        return path
    if os.environ.get("CI") == "true":
        pytest.fail(f"{name} is missing")
    pytest.skip(f"{name} is not installed")
