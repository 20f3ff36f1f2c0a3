"""Checks how parallel runs divide the tests."""

from xdist.scheduler import LoadScopeScheduling

from tests.conftest import GroupScheduling, group_of


def test_the_tests_of_a_file_stay_in_one_worker() -> None:
    file = "tests/web/test_version.py"
    assert group_of(f"{file}::test_it") == group_of(f"{file}::TestIt::test_it[a::b]") == file


def test_the_tests_of_a_shared_server_stay_in_one_worker() -> None:
    assert group_of("tests/timescaledb/test_schema.py::test_it") == "tests/timescaledb"
    assert group_of("tests/faults/test_backup.py::test_it") == "tests/faults"


def test_pytest_xdist_still_calls_the_group_method() -> None:
    """Should another version name this method otherwise, it would divide the tests in its own way, without an error."""
    assert "_split_scope" in vars(LoadScopeScheduling)
    assert "_split_scope" in vars(GroupScheduling)
