from pathlib import Path

import pytest
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from analytics import plotly_script
from analytics.plotly_script import (
    COMPILE_AT_ONCE,
    LOADER_END,
    LOADER_START,
    PLOTLY_VERSION,
    SCRIPT,
    PackageData,
    UnknownScript,
    keep_chart_types,
    package_data,
    smaller_script,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def served() -> str:
    content = PackageData(location=package_data()).open(SCRIPT).read()
    assert isinstance(content, bytes)
    return content.decode()


def test_plotly_is_served_without_its_loader_and_with_its_licenses(served: str) -> None:
    assert served.startswith(COMPILE_AT_ONCE)
    assert "Licensed under the MIT license" in served[:300]
    assert "Bundled license information" in served[-3000:]
    assert "root.moduleName" not in served
    assert "\nvar Plotly" in served[:600] or '"use strict";var Plotly' in served[:600]


def test_only_the_used_part_of_plotly_is_served(served: str) -> None:
    for drawn in ("bar", "scatter"):
        assert f'moduleType:"trace",name:"{drawn}"' in served
    for other in ("pie", "heatmap", "scattermap"):
        assert f'moduleType:"trace",name:"{other}"' not in served
    assert len(served) < 1_300_000


def system_check() -> list[checks.CheckMessage]:
    return [fault for fault in checks.run_checks(tags=[checks.Tags.staticfiles]) if fault.id == "analytics.E001"]


class TestAnotherVersion:
    @pytest.fixture
    def other_version(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("web.pinned.version", lambda package: "7.1.1")

    def test_requirements_pin_the_plotly_that_the_module_was_written_for(self) -> None:
        assert f"plotly=={PLOTLY_VERSION}\n" in (ROOT / "requirements.in").read_text()

    def test_a_system_check_names_both_versions(self, other_version: None) -> None:
        [error] = system_check()
        assert f"works with plotly {PLOTLY_VERSION} only, and plotly 7.1.1 is installed" in error.msg
        with pytest.raises(CommandError, match=r"plotly 7\.1\.1 is installed"):
            call_command("check")

    def test_the_script_of_another_version_is_not_served(self, other_version: None) -> None:
        with pytest.raises(ImproperlyConfigured, match=r"plotly 7\.1\.1 is installed"):
            PackageData(location=package_data()).open(SCRIPT)

    def test_the_right_version_passes(self) -> None:
        assert plotly_script.plotly_fault() is None
        assert system_check() == []


SMALL = (
    "var Plotly=(()=>{var W=(e,t)=>e;"
    'var aa=W((e,t)=>{t.exports={moduleType:"trace",name:"bar",plot:bb()}});'
    "var bb=W((e,t)=>{t.exports=1});"
    'var cc=W((e,t)=>{t.exports={moduleType:"trace",name:"pie",plot:dd()}});'
    "var dd=W((e,t)=>{t.exports=2});"
    "var ee=W((e,t)=>{t.exports=cc()});"
    "var ff=W(e=>{e.register=x});"
    "var gg=W((e,t)=>{var h=ff();h.register([aa(),ee()]);t.exports=h});return gg()})();"
)


def test_source_files_that_no_chart_needs_are_left_out() -> None:
    assert keep_chart_types(("bar",), SMALL) == (
        "var Plotly=(()=>{var W=(e,t)=>e;"
        'var aa=W((e,t)=>{t.exports={moduleType:"trace",name:"bar",plot:bb()}});'
        "var bb=W((e,t)=>{t.exports=1});"
        "var ff=W(e=>{e.register=x});"
        "var gg=W((e,t)=>{var h=ff();h.register([aa()]);t.exports=h});return gg()})();"
    )


def test_a_trace_that_another_file_re_exports_is_found() -> None:
    assert "dd=W" in keep_chart_types(("pie",), SMALL)


@pytest.mark.parametrize(
    ("script", "missing"),
    [
        ("/* license */ var Plotly = {};", "loader around it"),
        (f"/* license */ {LOADER_START}var Plotly = {{}};{LOADER_END}", "list of registered traces"),
        (f"/* license */ {LOADER_START}{SMALL.replace('bar', 'barn')}{LOADER_END}", "trace bar"),
    ],
)
def test_a_plotly_built_in_another_way_is_refused(script: str, missing: str) -> None:
    with pytest.raises(UnknownScript, match=f"has no {missing}: .* written for Plotly {PLOTLY_VERSION}"):
        smaller_script(script)


def test_a_trace_that_is_not_there_is_refused() -> None:
    with pytest.raises(UnknownScript, match="has no trace radar"):
        keep_chart_types(("bar", "radar"), SMALL)
