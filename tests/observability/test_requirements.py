"""Packages are locked with their hashes, for every platform, and nothing installs them otherwise."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted(ROOT.glob("requirements*.txt"))
PIN = re.compile(r"^([\w.-]+)(?:\[[\w,]+\])?==([^\s;]+)")


def pins(path: Path) -> dict[str, str]:
    """Returns the version of each package of a file, by its normalised name."""
    found = (PIN.match(line) for line in path.read_text().splitlines())
    return {re.sub("[-_.]+", "-", pin[1]).lower(): pin[2] for pin in found if pin}


def wanted(path: Path) -> dict[str, str]:
    """Returns the pins of an .in file and of those that it includes."""
    included = re.findall(r"^-r (\S+)", path.read_text(), re.MULTILINE)
    return pins(path) | {name: pin for file in included for name, pin in wanted(ROOT / file).items()}


def test_every_file_of_requirements_has_a_lock() -> None:
    assert {lock.stem for lock in LOCKS} == {path.stem for path in ROOT.glob("requirements*.in")}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
class TestLock:
    def test_it_has_what_its_source_asks_for(self, lock: Path) -> None:
        assert wanted(lock.with_suffix(".in")).items() <= pins(lock).items()

    def test_every_package_has_a_hash(self, lock: Path) -> None:
        requirements = re.split(r"\n(?=[\w-]+==)", re.sub(r"(?m)^ *#.*\n", "", lock.read_text()).strip())
        assert len(requirements) == len(pins(lock))
        assert all("--hash=sha256:" in requirement for requirement in requirements)

    def test_it_names_no_index_and_no_folder(self, lock: Path) -> None:
        assert not re.search(r"(?m)^--|://|^ *# .*/", lock.read_text())

    def test_its_versions_are_those_of_the_other_locks(self, lock: Path) -> None:
        development = pins(ROOT / "requirements-dev.txt")
        assert {
            name: version for name, version in pins(lock).items() if development.get(name, version) != version
        } == {}


def test_the_lock_holds_what_only_older_pythons_need() -> None:
    """The Python of Debian 12 is 3.11.2, for which Redis needs a package more."""
    assert "async-timeout==5.0.1 ; python_full_version < '3.11.3'" in (ROOT / "requirements.txt").read_text()


def test_no_command_installs_without_hashes() -> None:
    files = [*(ROOT / name for name in ("Makefile", "Dockerfile", "README.md")), *(ROOT / "docs").glob("*.md")]
    commands = [line for file in files for line in re.findall(r".*\bpip install\b.*-r .*", file.read_text())]
    assert [command for command in commands if "--require-hashes" not in command] == []
