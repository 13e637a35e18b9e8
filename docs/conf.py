"""The documentation site: `make docs`. Notebooks and the table of options are put in place from where they live."""

from __future__ import annotations

import re
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))

import generate  # noqa: E402

import nbtune  # noqa: E402

_URLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]

project = "nbtune"
author = "nbtune developers"
copyright = f"2026, {author}"
version = release = nbtune.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["build"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
suppress_warnings = ["mystnb.unknown_mime_type"]  # a widget's output, beside which the lasting one stands

nb_execution_mode = "off"  # notebooks are executed by `make notebook`, and keep their outputs
nb_ipywidgets_js: dict[str, Any] = {}  # or the page would load scripts from elsewhere

autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
autodoc_typehints = "description"
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"nbtune {version}"
html_static_path: list[str] = []
html_theme_options = {
    "top_of_page_buttons": [],
    "footer_icons": [{"name": "Source", "url": _URLS["Homepage"], "html": "Source"}],
}
copybutton_exclude = ".linenos, .gp, .go"


def setup(app: Any) -> None:
    app.connect("builder-inited", lambda app: _put_in_place())
    app.connect("autodoc-process-docstring", _code_in_backticks, priority=400)  # before napoleon reads them


def _code_in_backticks(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Docstrings write code in `single` backticks, as Markdown does."""
    lines[:] = [re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", line) for line in lines]


def _put_in_place() -> None:
    for notebook in (ROOT / "notebooks").rglob("*.ipynb"):
        if ".ipynb_checkpoints" not in notebook.parts:
            target = HERE / "tutorial" / notebook.relative_to(ROOT / "notebooks")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(notebook, target)
    shutil.copyfile(ROOT / "notebooks" / "teacher.md", HERE / "tutorial" / "teacher.md")
    shutil.copyfile(ROOT / "notebooks" / "quickstart.png", HERE / "tutorial" / "quickstart.png")
    (HERE / "reference" / "options.md").write_text(generate.options(), "utf-8")
