"""Checks the version of a package whose internals the product uses: such code works with one version only.

Each module that does so names the version it was written for and has a page in docs/decisions/.
"""

from importlib.metadata import version


def version_fault(module: str, package: str, written_for: str) -> str | None:
    """Returns what to do if another version of the package is installed; None if it is the right one."""
    installed = version(package)
    if installed == written_for:
        return None
    return (
        f"{module} works with {package} {written_for} only, and {package} {installed} is installed: "
        f"run pip install {package}=={written_for}, or adapt {module} as docs/decisions/ says."
    )
