import pytest

from analytics.plotly_script import COMPILE_AT_ONCE, SCRIPT, PackageData, only, package_data, quick


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


def test_of_plotly_only_what_we_draw_is_served(served: str) -> None:
    for drawn in ("bar", "scatter"):
        assert f'moduleType:"trace",name:"{drawn}"' in served
    for other in ("pie", "heatmap", "scattermap"):
        assert f'moduleType:"trace",name:"{other}"' not in served
    assert len(served) < 1_300_000


def test_a_plotly_made_otherwise_is_served_whole() -> None:
    assert quick("/* license */ var Plotly = {};") == COMPILE_AT_ONCE + "/* license */ var Plotly = {};"


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


def test_source_files_that_nobody_needs_are_left_out() -> None:
    assert only(("bar",), SMALL) == (
        "var Plotly=(()=>{var W=(e,t)=>e;"
        'var aa=W((e,t)=>{t.exports={moduleType:"trace",name:"bar",plot:bb()}});'
        "var bb=W((e,t)=>{t.exports=1});"
        "var ff=W(e=>{e.register=x});"
        "var gg=W((e,t)=>{var h=ff();h.register([aa()]);t.exports=h});return gg()})();"
    )


def test_a_trace_that_is_handed_on_by_another_file_is_found() -> None:
    assert "dd=W" in only(("pie",), SMALL)


def test_with_a_trace_that_is_not_there_everything_is_served() -> None:
    assert only(("bar", "radar"), SMALL) == SMALL
