"""How many workers a machine carries."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbtune import costs, machine


def test_there_is_a_core_and_no_more_than_there_are():
    assert 1 <= machine.cores() <= os.cpu_count()


def test_there_is_memory_and_no_more_than_there_is():
    assert 0 < machine.memory_mb() <= psutil.virtual_memory().total / 1e6


@pytest.mark.parametrize(
    ("cores", "free", "workers"),
    [(1, 2000, 1), (2, 8000, 2), (16, 2000, 4), (8, 100, 1), (8, 0, 1), (4, 100_000, 4)],
)
def test_one_worker_a_core_as_far_as_memory_goes(monkeypatch, cores, free, workers):
    monkeypatch.setattr(machine, "cores", lambda: cores)
    monkeypatch.setattr(machine, "memory_mb", lambda: free)
    assert machine.usual_workers() == workers


def test_what_workers_hold_already_is_theirs(monkeypatch):
    monkeypatch.setattr(machine, "cores", lambda: 2)
    monkeypatch.setattr(machine, "memory_mb", lambda: 1000.0)
    assert (machine.usual_workers(), machine.usual_workers(held_mb=500)) == (1, 2)


@given(st.integers(1, 128), st.floats(0, 1e6))
def test_workers_fit_the_machine(cores, free):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine, "cores", lambda: cores)
        patch.setattr(machine, "memory_mb", lambda: free)
        workers = machine.usual_workers()
    assert 1 <= workers <= cores
    assert workers == 1 or costs.SHARED_MB + workers * costs.WORKER_MB <= free


@pytest.mark.parametrize(("left", "free"), [(math.inf, 16_000), (1.5e9, 1_500), (64e9, 16_000)])
def test_a_container_lends_less_than_the_machine_has(monkeypatch, left, free):
    monkeypatch.setattr(machine.psutil, "virtual_memory", lambda: SimpleNamespace(available=16_000_000_000))
    monkeypatch.setattr(machine.cgroup, "memory_left", lambda: left)
    assert machine.memory_mb() == pytest.approx(free)


@pytest.mark.parametrize(("granted", "cores"), [(0.5, 1), (1.5, 2), (math.inf, 8)])
def test_a_container_lends_fewer_cores_than_the_machine_has(monkeypatch, granted, cores):
    monkeypatch.setattr("loky.cpu_count", lambda: 8)
    monkeypatch.setattr(machine.cgroup, "cores", lambda: granted)
    assert machine.cores() == cores


TWO = """GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-aaaa)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-bbbb)
"""
DIVIDED = """GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-aaaa)
  MIG 3g.20gb     Device  0: (UUID: MIG-1111)
  MIG 3g.20gb     Device  1: (UUID: MIG-2222)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-bbbb)
"""


@pytest.mark.parametrize(
    ("listed", "names"),
    [("", ()), ("No devices found.\n", ()), (TWO, ("GPU-aaaa", "GPU-bbbb")), (DIVIDED, ("MIG-1111", "MIG-2222", "GPU-bbbb"))],
)
def test_gpus_and_parts_of_them_are_listed(listed, names):
    assert machine.devices(listed) == names


@pytest.fixture
def nvidia(tmp_path, monkeypatch):
    """A machine with two GPUs, whose `nvidia-smi` is a script, and a TensorFlow that can use them."""
    (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\ncat <<END\n{TWO}END\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(
        machine, "installed", lambda package: "2.21.0" if package in ("tensorflow", "nvidia-cudnn-cu12") else "none"
    )
    machine._nvidia_devices.cache_clear()
    yield
    machine._nvidia_devices.cache_clear()


@pytest.mark.parametrize(
    ("chosen", "names"),
    [(None, ("GPU-aaaa", "GPU-bbbb")), ("1", ("1",)), ("1, 0", ("1", "0")), ("0,-1,1", ("0",)), ("-1", ()), ("", ())],
)
def test_the_gpus_that_the_user_chose_are_used(nvidia, monkeypatch, chosen, names):
    if chosen is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)
    assert machine.gpus() == names


def test_one_worker_a_gpu(nvidia, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(machine, "cores", lambda: 16)
    monkeypatch.setattr(machine, "memory_mb", lambda: 64_000.0)
    assert machine.usual_workers() == 2
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert machine.usual_workers() == 16


def test_a_gpu_that_tensorflow_cannot_use_does_not_count(nvidia, monkeypatch):
    monkeypatch.setattr(machine, "installed", lambda package: "2.21.0" if package == "tensorflow-cpu" else "none")
    assert machine.gpus() == ()


@pytest.mark.parametrize(
    ("variable", "file", "backend"),
    [
        (None, None, "tensorflow"),
        ("jax", None, "jax"),
        (None, '{"backend": "torch"}', "torch"),
        ("tensorflow", '{"backend": "torch"}', "tensorflow"),
        pytest.param(None, '{"floatx": "float32"}', "tensorflow", marks=pytest.mark.slow),
        pytest.param(None, "{broken", "tensorflow", marks=pytest.mark.slow),
    ],
)
def test_the_backend_of_keras_is_known_without_keras(tmp_path, variable, file, backend):
    """Held against a Keras that is imported, as far as the backend is installed here."""
    environment = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"} | {"KERAS_HOME": str(tmp_path)}
    if variable:
        environment["KERAS_BACKEND"] = variable
    if file:
        (tmp_path / "keras.json").write_text(file)
    code = "import sys; from nbtune import machine; print(machine.keras_backend(), 'keras' in sys.modules)"
    if backend == "tensorflow":
        code += "; import keras; assert keras.backend.backend() == machine.keras_backend()"
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert run.stdout.split() == [backend, "False"], run.stderr
