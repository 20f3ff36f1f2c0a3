"""Code that relies on the inside of a package, and so works with one version of it only.

Each such module names the version it was written for and has a page in docs/decisions/.
"""

from importlib.metadata import version


def version_fault(module: str, package: str, written_for: str) -> str | None:
    """Says what to do when another version of the package is installed; None when it is the right one."""
    installed = version(package)
    if installed == written_for:
        return None
    return (
        f"{module} works with {package} {written_for} only, and {package} {installed} is installed: "
        f"run pip install {package}=={written_for}, or adapt {module} as docs/decisions/ says."
    )
