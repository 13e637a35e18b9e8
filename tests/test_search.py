"""A search with real worker processes: what it returns, and how it is paused, stopped, killed and gone on with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

import psutil
import pytest
from IPython.core.interactiveshell import InteractiveShell

from nbtune import BuildError, UsageError, tune
from tests.conftest import dense, workers

LONG = {"units": [4, 6, 8, 10], "epochs": 4000, "patience": None, "workers": 2}


@pytest.fixture(scope="module")
def found(flowers, tmp_path_factory):
    """Two workers, six trials, one of which fails."""
    return tune(
        part, flowers, units=[4, 5, 6], learning_rate=[0.03, 0.003], epochs=3, workers=2, dir=str(tmp_path_factory.mktemp("s"))
    )


def part(units):
    if units == 5:
        raise RuntimeError("no fives")
    return dense(1, units)


def wait_until(holds, seconds=60):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def test_every_combination_is_accounted_for(found):
    assert found.state == "finished"
    cover = found.coverage
    assert (cover.total, cover.done, cover.failed, cover.pending) == (6, 4, 2, 0)
    assert "no fives" in found.trials[2].error


def test_workers_and_this_process_agree(found, flowers, here):
    inline = tune(part, flowers, units=[4, 5, 6], learning_rate=[0.03, 0.003], epochs=3, workers=0, dir=str(here))
    for ours, theirs in zip(found.trials, inline.trials, strict=True):
        assert ours.values == theirs.values
        assert ours.status == theirs.status
        for name, values in theirs.history.items():
            assert ours.history[name] == pytest.approx(values, rel=1e-5)


def test_the_frame_has_a_row_a_trial(found):
    frame = found.to_frame()
    assert list(frame["units"]) == [4, 4, 5, 5, 6, 6]
    assert frame["score"].max() == found.best.score
    assert list(frame.loc[frame["status"] == "failed", "units"]) == [5, 5]


def test_what_a_notebook_prints_of_results_is_short_and_can_be_read(found):
    shell = InteractiveShell.instance()

    def shown(thing):
        return shell.display_formatter.format(thing)[0]

    assert shown(found.best)["text/plain"].startswith(f"<trial {found.best.id}: units ")
    assert "\n" not in shown(found.best)["text/plain"]
    assert len(shown(found.trials)["text/plain"].splitlines()) == len(found.trials)
    code = shown(found.code())
    assert code["text/plain"].splitlines()[0] == "import keras"
    assert code["text/markdown"].startswith("```python\nimport keras\n")


def test_stock_keras_tuner_reloads_the_project(found):
    tuner = found.tuner
    best = tuner.oracle.get_best_trials(1)[0]
    assert best.score == found.best.score
    assert best.hyperparameters.values == found.best_hyperparameters
    assert len(tuner.oracle.trials) == 6
    model = tuner.get_best_models(1)[0]
    assert [w.shape for w in model.get_weights()] == [w.shape for w in found.best_model.get_weights()]


def test_refit_trains_on_all_rows_for_the_best_number_of_epochs(found, flowers):
    import keras
    import numpy as np
    from sklearn.model_selection import train_test_split

    x, y = flowers
    train, val = train_test_split(np.arange(len(y)), test_size=0.2, random_state=0, stratify=y)
    rows = np.concatenate([train, val])
    keras.utils.set_random_seed(0)
    model = dense(1, found.best.values["units"])
    model.compile(keras.optimizers.Adam(found.best.values["learning_rate"]), "sparse_categorical_crossentropy")
    keras.utils.set_random_seed(0)
    model.fit(x[rows], y[rows], epochs=found.best.best_epoch, verbose=0)
    for ours, theirs in zip(found.refit().get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_plots(found):
    for kind in ("curves", "grid"):
        assert found.plot(kind)._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(UsageError, match="did you mean 'curves'"):
        found.plot("curve")


def test_nothing_is_left_behind(found):
    assert [path.name for path in Path(found.directory).glob(".*")] == [".lock"]
    assert not workers()


def test_pause_and_resume(flowers, here):
    search = tune(dense, flowers, wait=False, dir=str(here), **LONG)
    wait_until(lambda: any(trial.epochs for trial in search.trials))
    began = time.monotonic()
    search.pause()
    assert search.state == "paused"
    assert time.monotonic() - began < 1
    time.sleep(0.3)  # what was on its way arrives
    standing = [trial.epochs for trial in search.trials]
    time.sleep(1)
    assert [trial.epochs for trial in search.trials] == standing
    with pytest.raises(UsageError, match="paused"):
        search.wait()
    search.resume()
    wait_until(lambda: [trial.epochs for trial in search.trials] != standing)
    search.stop()


def test_stop_keeps_results_and_resume_goes_on(flowers, here):
    terms = {"epochs": 25, "patience": None, "workers": 1, "engine": "trial"}
    search = tune(dense, flowers, wait=False, units=[4, 6, 8, 10], dir=str(here), **terms)
    wait_until(lambda: search.coverage.done >= 2)
    search.stop()
    assert search.state == "stopped"
    cover = search.coverage
    assert cover.done >= 2
    assert cover.total == cover.done + cover.stopped + cover.pending
    assert len(cover.untried) == cover.pending
    before = {trial.id: trial for trial in search.trials if trial.status == "done"}
    assert search.best.status in ("done", "stopped")
    assert search.best_model is not None
    search.resume()
    assert search.wait()
    assert search.state == "finished"
    assert search.coverage.done == 4
    assert all(search.trials[int(id)] == trial for id, trial in before.items()), "what was done is not done again"


def test_a_killed_worker_costs_nothing(flowers, here):
    search = tune(dense, flowers, wait=False, units=[4, 6], epochs=20, patience=None, workers=1, retries=0, dir=str(here))
    wait_until(lambda: search.trials[0].epochs > 2)
    (victim,) = workers()
    victim.kill()
    search.wait()
    assert search.coverage.done == 2, "somebody else killed it: its trial is not to blame"


def test_a_killed_parent_of_the_workers_costs_nothing(flowers, here):
    search = tune(dense, flowers, wait=False, units=[4, 6], epochs=20, patience=None, workers=1, retries=0, dir=str(here))
    wait_until(lambda: search.trials[0].epochs > 2)
    worker = max(workers(), key=lambda p: p.create_time())
    worker.parent().kill()
    search.wait()
    assert search.coverage.done == 2
    assert not worker.is_running(), "nor is it left behind"


@pytest.fixture
def interruptible():
    """Ctrl-C as in a terminal, which a process that was started in the background ignores."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_stops_gracefully(flowers, here, interruptible):
    search = tune(dense, flowers, wait=False, dir=str(here), **LONG)
    wait_until(lambda: any(trial.epochs for trial in search.trials))
    timer = subprocess.Popen(
        [sys.executable, "-c", f"import os,time; time.sleep(.5); os.kill({os.getpid()}, {int(signal.SIGINT)})"]
    )
    assert search.wait()
    timer.wait()
    assert search.state == "stopped"


def test_an_error_in_the_function_is_shown_with_its_line(flowers, here):
    def build(units):
        return dense(1, units).no_such_thing

    with pytest.raises(BuildError, match="no_such_thing") as caught:
        tune(build, flowers, units=[4, 8], workers=1, dir=str(here))
    assert "return dense(1, units).no_such_thing" in str(caught.value)
    assert not list(here.iterdir()), "nothing is left on disk"


def test_what_cannot_be_sent_is_said(flowers, here):
    lock = threading.Lock()

    def build(units):
        with lock:
            return dense(1, units)

    with pytest.raises(UsageError, match="cannot be sent to the workers"):
        tune(build, flowers, units=[4], workers=1, dir=str(here))


SCRIPT = """
import os, sys
import numpy as np
import nbtune

def build(units):
    import keras
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(units), keras.layers.Dense(3, activation="softmax")])

y = np.repeat([0, 1, 2], 30)
x = (np.random.default_rng(0).normal(size=(90, 4)) + y[:, None]).astype("float32")
search = nbtune.tune(build, (x, y), units=[4, 8], epochs={epochs}, patience=None, wait={wait}, workers=1)
"""


@pytest.fixture
def scratch():
    """A short path: sockets have to fit into it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


def run_script(here, scratch, text):
    (here / "script.py").write_text(textwrap.dedent(text))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(scratch)}
    command = [sys.executable, "script.py"]
    return subprocess.Popen(command, cwd=here, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_a_plain_script_without_a_main_guard(here, scratch):
    text = SCRIPT.format(epochs=2, wait=True) + "print(search.coverage, 'tensorflow' in sys.modules)"
    out, err = run_script(here, scratch, text).communicate(timeout=120)
    assert out.strip() == "2 combinations: 2 done False", err
    assert "finished: 2 of 2" in err
    assert not list(scratch.iterdir()), "scratch files are gone"


def test_no_process_outlives_a_killed_kernel(here, scratch):
    text = SCRIPT.format(epochs=100000, wait=False) + (
        "import time\n"
        "while not any(t.epochs for t in search.trials): time.sleep(.1)\n"
        "print('running', flush=True); time.sleep(600)"
    )
    script = run_script(here, scratch, text)
    assert script.stdout.readline().strip() == "running"
    children = psutil.Process(script.pid).children(recursive=True)
    assert len(children) >= 3
    script.kill()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive
    assert not list(scratch.iterdir()), "scratch files are gone"
    script.communicate()
