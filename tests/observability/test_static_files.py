from observability.static_files import COMPILE_AT_ONCE, SCRIPT, PackageData, package_data, quick


def test_plotly_is_served_without_its_loader_and_with_its_license() -> None:
    script = PackageData(location=package_data()).open(SCRIPT).read().decode()
    assert script.startswith(COMPILE_AT_ONCE)
    assert "Licensed under the MIT license" in script[:300]
    assert "root.moduleName" not in script
    assert "\nvar Plotly" in script[:600] or '"use strict";var Plotly' in script[:600]


def test_a_plotly_wrapped_otherwise_is_served_whole() -> None:
    assert quick("/* license */ var Plotly = {};") == COMPILE_AT_ONCE + "/* license */ var Plotly = {};"
