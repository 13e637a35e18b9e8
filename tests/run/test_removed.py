"""A project that somebody removes while it is searched."""

from __future__ import annotations

import shutil
import time

import pytest

from nbtune import UsageError, tune
from nbtune.errors import SearchFailed
from tests.conftest import dense


def test_a_project_that_is_removed_is_named_and_the_search_can_be_stopped_and_run_again(flowers, here):
    terms = {"units": [4, 8], "epochs": 20, "patience": None, "workers": 1, "engine": "trial", "dir": str(here)}
    search = tune(dense, flowers, **terms, wait=False)
    until = time.monotonic() + 60
    while not any(trial.epochs for trial in search.trials):
        assert time.monotonic() < until
        time.sleep(0.02)
    shutil.rmtree(search.directory)
    with pytest.raises((UsageError, SearchFailed), match="search was removed while|cannot use .*search: No such file"):
        search.wait(60)
    search.stop()
    assert search.state in ("stopped", "failed")
    again = tune(dense, flowers, **{**terms, "epochs": 1})
    assert again.coverage.done == 2
