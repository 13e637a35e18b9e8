"""Notebooks in a real kernel: the quickstart as it is kept and as it runs, and a search that leaves the kernel free."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import nbformat
import pytest
from nbclient import NotebookClient

from notebooks.execute import execute, page, smaller

QUICKSTART = nbformat.read(Path(__file__).parents[1] / "notebooks" / "quickstart.ipynb", as_version=4)

pytestmark = pytest.mark.kernel


def data_of(cell):
    return [output.data for output in cell.outputs if "data" in output]


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def search_cell(notebook):
    return next(cell for cell in code_cells(notebook) if cell.source.startswith("%%tune"))


def shows_the_search(cell):
    """A picture and a table, and nothing that needs a kernel to be shown."""
    shown = data_of(cell)
    assert any("image/png" in data for data in shown)
    assert any("<table" in data.get("text/html", "") for data in shown)
    assert all("text/plain" in data for data in shown)
    assert not any("widget-view" in mime for data in shown for mime in data)
    return True


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    options = {"layers": 1, "units": "8,16", "learning-rate": "1e-2", "epochs": 2}
    return execute(smaller(QUICKSTART, **options), tmp_path_factory.mktemp("quickstart"))


def test_the_quickstart_runs_from_top_to_bottom(small):
    assert small.coverage == "4 combinations: 4 done"
    assert 0.5 < small.score <= 1
    assert set(small.values) == {"layers", "units", "learning_rate", "loss"}
    assert shows_the_search(search_cell(small.notebook))


def test_every_cell_of_the_quickstart_shows_something(small):
    silent = [cell.source for cell in code_cells(small.notebook) if not cell.outputs]
    assert silent == ["%load_ext nbtune", code_cells(small.notebook)[-1].source][: len(silent)]
    assert not [output for cell in code_cells(small.notebook) for output in cell.outputs if output.get("name") == "stderr"]


def test_the_page_needs_no_kernel(small):
    html = page(small.notebook, "quickstart")
    assert "data:image/png;base64," in html
    assert "jupyter-widgets" not in html.split("<body", 1)[1]


def test_the_kept_quickstart_has_its_real_outputs():
    assert shows_the_search(search_cell(QUICKSTART))
    assert "54 combinations: 54 done" in str([cell.outputs for cell in code_cells(QUICKSTART)])
    assert "widgets" not in QUICKSTART.metadata
    assert all(cell.execution_count for cell in code_cells(QUICKSTART))


CELLS = [
    """
    import numpy as np
    %load_ext nbtune
    y = np.repeat([0, 1, 2], 30)
    x = (np.random.default_rng(0).normal(size=(90, 4)) + y[:, None]).astype("float32")
    """,
    """
    %%tune --data x,y --units 4:9 --epochs 1000 --patience none --no-wait
    def build(units):
        import keras
        return keras.Sequential([keras.Input((4,)), keras.layers.Dense(units), keras.layers.Dense(3, activation="softmax")])
    """,
    """
    import time
    while not any(trial.status == "running" for trial in search.trials):
        time.sleep(0.1)
    print(search.state)
    """,
    "%tune pause",
    "%tune resume",
    "%tune stop",
    "import sys; print('tensorflow' in sys.modules, search.coverage.total, search.state)",
    "search",
]


def test_the_kernel_stays_free_and_without_tensorflow(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(dedent(source).strip()) for source in CELLS])
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    *_, running, paused, resumed, stopped, last, _ = [
        "".join(output.text for output in cell.outputs if output.get("name") == "stdout") for cell in notebook.cells
    ]
    assert running == "running\n"
    assert paused.startswith("paused")
    assert resumed.startswith("running")
    assert stopped.startswith("stopped")
    assert last == "False 6 stopped\n"
    assert shows_the_search(notebook.cells[-1])
