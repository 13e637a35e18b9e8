"""What cleans temporary folders takes the files of a search that is under way: it writes them again, and goes on."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from nbtune import tune
from nbtune.ask.folds import Folds
from nbtune.data import arrays
from nbtune.data.folds import with_folds
from nbtune.data.read import read_data
from nbtune.errors import FilesGone, SearchFailed
from tests.conftest import dense

TERMS = {"units": [4, 8, 12], "epochs": 1, "workers": 1, "retries": 0, "engine": "trial"}


def build(units):
    tempfile.mkdtemp()
    time.sleep(0.3)
    return dense(units=units)


@pytest.fixture(scope="module")
def undisturbed(flowers, tmp_path_factory):
    return scores(tune(build, flowers, **TERMS, dir=str(tmp_path_factory.mktemp("calm"))))


def scores(search):
    return [(trial.status, trial.score, trial.error) for trial in search.trials]


@pytest.mark.parametrize(
    "what",
    [".", *(pytest.param(what, marks=pytest.mark.slow) for what in ("data", "data/val", "job-*.pickle", "tmp", "../pymp-*"))],
)
def test_the_search_survives_it(flowers, here, undisturbed, what):
    search = tune(build, flowers, **TERMS, dir=str(here), wait=False)
    scratch = search._run.crew._site.scratch
    until = time.monotonic() + 60
    while not any(trial.status == "running" for trial in search.trials):
        assert time.monotonic() < until
        time.sleep(0.02)
    found = [scratch.parent] if what == "." else list(scratch.glob(what))
    assert found
    for path in found:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    search.wait()
    assert scores(search) == undisturbed


def removes(units):
    if units == 8 and not Path("once").exists():
        Path("once").touch()
        for folder in Path("tmp").glob("nbtune-*/data"):
            shutil.rmtree(folder)
    return dense(units=units)


def test_in_this_process_it_breaks_the_search_and_resuming_goes_on(flowers, here, undisturbed, monkeypatch):
    (here / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(here / "tmp"))
    terms = {**TERMS, "workers": 0, "dir": str(here / "project")}
    with pytest.raises(SearchFailed, match="layout.json was removed, which the search needs until it has ended; when you resume"):
        tune(removes, flowers, **terms)
    search = tune(removes, flowers, **terms)
    assert scores(search) == undisturbed


@pytest.mark.parametrize("terms", [{}, {"validation_data": True}, {"folds": 2}], ids=["split", "validated", "folds"])
def test_no_part_of_the_data_is_missed_silently(tmp_path, terms):
    x, y = np.arange(60, dtype="float32").reshape(20, 3), np.arange(20) % 2
    data = read_data((x, y), (x, y) if terms.get("validation_data") else None, 0.2)
    data = with_folds(data, Folds(2), None) if "folds" in terms else data
    fold = 0 if "folds" in terms else None
    arrays.write(data, tmp_path / "whole", None, 0)
    arrays.read(tmp_path / "whole", fold)
    parts = [path.relative_to(tmp_path / "whole") for path in (tmp_path / "whole").rglob("*")]
    assert len(parts) > 4
    for number, part in enumerate(parts):
        folder = tmp_path / str(number)
        shutil.copytree(tmp_path / "whole", folder)
        shutil.rmtree(folder / part) if (folder / part).is_dir() else (folder / part).unlink()
        with pytest.raises(FilesGone):
            arrays.read(folder, fold)
