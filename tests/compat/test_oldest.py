"""`oldest.txt` pins what pyproject.toml admits at least."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

HERE = Path(__file__).parent


def test_the_oldest_versions_are_the_lower_bounds():
    project = tomllib.loads((HERE.parents[1] / "pyproject.toml").read_text())["project"]
    tensorflow = project["optional-dependencies"]["cpu"][0]
    bounds = {need.name: lower_bound(need) for need in map(Requirement, [*project["dependencies"], tensorflow])}
    lines = [line for line in (HERE / "oldest.txt").read_text().splitlines() if not line.startswith("#")]
    pinned = {name: Version(version) for name, _, version in (line.partition("==") for line in lines)}
    assert set(pinned) == set(bounds)
    for name, bound in bounds.items():
        assert pinned[name].release[: len(bound.release)] == bound.release, f"{name}: {bound} is admitted, {pinned[name]} tried"


def lower_bound(need: Requirement) -> Version:
    (bound,) = (part.version for part in need.specifier if part.operator == ">=")
    return Version(bound)


def test_the_conda_recipe_names_the_same_bounds():
    recipe = (HERE.parents[1] / "conda" / "recipe.yaml").read_text()
    project = tomllib.loads((HERE.parents[1] / "pyproject.toml").read_text())["project"]
    wanted = {f"{need.name} {need.specifier}" for need in map(Requirement, project["dependencies"])}
    listed = recipe.partition("  run:")[2].partition("tests:")[0].replace("matplotlib-base", "matplotlib")
    found = {line.strip().removeprefix("- ") for line in listed.splitlines() if line.startswith("    - ")}
    assert {line for line in found if not line.startswith(("python ", "tensorflow"))} == wanted
