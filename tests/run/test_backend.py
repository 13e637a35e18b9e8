"""What Keras's backend decides on, and searches on backends that are installed."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nbtune import machine
from nbtune.ask.options import Options
from nbtune.errors import UsageError
from nbtune.run.request import Request

X, Y = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
SEARCH = Path(__file__).with_name("on_a_backend.py")


def request_on(backend, monkeypatch, **options):
    monkeypatch.setattr(machine, "keras_backend", lambda: backend)
    return Request.of(Options.of(build=lambda units: None, data=(X, Y), units=[1, 2], **options))


@pytest.mark.parametrize(("backend", "engine"), [("tensorflow", "auto"), ("jax", "trial"), ("torch", "trial")])
def test_only_tensorflow_trains_together(backend, engine, monkeypatch):
    assert request_on(backend, monkeypatch).options.engine == engine
    assert request_on(backend, monkeypatch, engine="trial").options.engine == "trial"


def test_to_train_together_on_another_backend_is_refused(monkeypatch):
    with pytest.raises(UsageError, match="jax backend, and training together needs TensorFlow"):
        request_on("jax", monkeypatch, engine="fused")


def test_a_backend_that_only_predicts_is_refused(monkeypatch):
    with pytest.raises(UsageError, match="numpy backend, which nbtune does not train with"):
        request_on("numpy", monkeypatch)


def test_a_backend_that_the_notebook_has_set_counts(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    import keras

    assert machine.keras_backend() == keras.config.backend() == "tensorflow"


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_the_numbers_are_those_of_model_fit_on_the_same_backend(backend, workers, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    environment = {**os.environ, "KERAS_BACKEND": backend}
    run = subprocess.run([sys.executable, str(SEARCH), workers], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split()[-1] == backend
