"""The course: each lesson as it is kept and, with NBTUNE_COURSE set, as it runs, and the exercises solved.

All of them take about fifteen minutes on two cores: `make course`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import nbformat
import pytest

from notebooks.execute import execute

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
COURSE = sorted(path for path in NOTEBOOKS.glob("*.ipynb") if path.stem != "quickstart")
EACH = pytest.mark.parametrize("path", COURSE, ids=[path.stem for path in COURSE])
LESSONS = {
    *("1-first-search", "2-initialisation", "3-learning-rate", "4-layers-and-units", "5-loss", "6-epochs-and-early-stopping"),
    *("7-grid-search-at-scale", "8-final-model", "regression", "images", "autoencoder", "exercises"),
}
RIGHT, WRONG = "✓", "✗"


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed(cell):
    return "".join(output.text for output in cell.outputs if output.get("name") == "stdout")


def went_wrong(notebook):
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    return [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]


def shows_a_search(notebook):
    """A picture and a table in the cell of each search, and nothing that needs a kernel."""
    cells = [cell for cell in code_cells(notebook) if cell.source.startswith("%%tune") and "--plan" not in cell.source]
    shown = [[output.data for output in cell.outputs if "data" in output] for cell in cells]
    assert all(any("image/png" in data for data in each) for each in shown)
    assert all(any("<table" in data.get("text/html", "") for data in each) for each in shown)
    assert not any("widget-view" in mime for each in shown for data in each for mime in data)
    return bool(cells)


def test_the_course_is_complete():
    assert {path.stem for path in COURSE} == LESSONS
    guide = (NOTEBOOKS / "teacher.md").read_text()
    assert all(f"{name}.ipynb" in guide for name in LESSONS)


@EACH
def test_a_kept_lesson_has_its_real_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert shows_a_search(notebook)
    assert not went_wrong(notebook)
    assert "widgets" not in notebook.metadata


@EACH
@pytest.mark.kernel
@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("NBTUNE_COURSE"), reason="make course executes every lesson")
@pytest.mark.timeout(900)
def test_a_lesson_runs_as_it_is_kept(path, tmp_path):
    kept = nbformat.read(path, as_version=4)
    ran = execute(kept, tmp_path).notebook
    assert shows_a_search(ran)
    assert not went_wrong(ran)
    silent = [cell.source for cell in code_cells(kept) if cell.outputs], [cell.source for cell in code_cells(ran) if cell.outputs]
    assert silent[0] == silent[1], "a cell shows something, or no longer does"


SOLVED = {
    "networks = None": "networks = 24",
    "variance = None": "variance = 2 / (64 + 128)",
    "--units 2,4 --learning-rate 1e-5": "--units 32,128 --learning-rate 1e-2",
    "loss = None": 'loss = "huber"',
    "objective = None": 'objective = "val_mean_absolute_error"',
    "report = None": 'report = "test"',
    "looks = None": "looks = 0",
}
MISTAKEN = {
    "networks = None": "networks = 9",
    "variance = None": "variance = (2 / (64 + 128)) ** 0.5",
    "loss = None": 'loss = "mean_squared_error"',
    "objective = None": 'objective = "val_loss"',
    "report = None": 'report = "validation"',
}
HINTS = ["multiply, do not add", "Square it", "How large are the steps?", "What does squaring do", "the best of many"]


def exercises(answers):
    notebook = nbformat.read(NOTEBOOKS / "exercises.ipynb", as_version=4)
    for cell in code_cells(notebook):
        for given, answer in answers.items():
            cell.source = (
                re.sub(rf"(?m)^{re.escape(given)}$", answer, cell.source)
                if " = " in given
                else cell.source.replace(given, answer)
            )
    return notebook


def verdicts(notebook):
    return [text for cell in code_cells(notebook) if (text := printed(cell))[:1] in (RIGHT, WRONG)]


def test_exercises_that_nobody_has_done_are_not_right():
    kept = verdicts(exercises({}))
    assert len(kept) == 5
    assert all(text.startswith(WRONG) for text in kept)


@pytest.mark.kernel
@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("NBTUNE_COURSE"), reason="make course executes every lesson")
@pytest.mark.timeout(900)
def test_right_answers_are_right_and_mistakes_are_named(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    solved = execute(exercises(SOLVED), tmp_path / "a")
    assert [text[:1] for text in verdicts(solved.notebook)] == [RIGHT] * 5, verdicts(solved.notebook)
    mistaken = verdicts(execute(exercises(MISTAKEN), tmp_path / "b").notebook)
    for said, hint in zip(mistaken, HINTS, strict=True):
        assert said.startswith(WRONG)
        assert hint in said
        assert not any(answer.split(" = ")[-1].strip('"') in said for answer in list(SOLVED.values())[:2]), "gives it away"
