"""What strangers read first: addresses, versions, and commands that work before the package is on an index."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from nbtune import __version__

ROOT = Path(__file__).parents[1]
URLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]
ADDRESS = re.compile(r"https://(?:github\.com|raw\.githubusercontent\.com|mybinder\.org/v2/gh)/([\w-]+/nbtune)\b")


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def test_one_address_everywhere():
    (address,) = ADDRESS.findall(URLS["Homepage"])
    for name in ("pyproject.toml", "README.md", "CITATION.cff", "conda/recipe.yaml"):
        assert set(ADDRESS.findall(read(name))) == {address}, name
    assert f"documentation: {URLS['Documentation']}\n" in read("conda/recipe.yaml")


def test_one_version_and_its_date():
    (date,) = re.findall(rf"^## \[{re.escape(__version__)}\] - (\S+)$", read("CHANGELOG.md"), re.MULTILINE)
    assert f"\nversion: {__version__}\n" in read("CITATION.cff")
    assert f'\ndate-released: "{date}"\n' in read("CITATION.cff")
    assert f"\n  version: {__version__}\n" in read("conda/recipe.yaml")
    assert f"/v{__version__}?" in read("README.md"), "the badge of Binder opens the release"


def test_nothing_asks_an_index_for_a_package_that_it_does_not_have_yet():
    assert "nbtune is not on PyPI yet" in read("README.md"), "once it is, this test goes and commands may name it"
    pages = [
        ROOT / "README.md",
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "notebooks").rglob("*.md"),
        *(ROOT / "nbtune").rglob("*.py"),
    ]
    asking = [page for page in pages if re.search(r"pip install (-\S+ )*['\"]?nbtune\b", page.read_text("utf-8"))]
    assert not asking
