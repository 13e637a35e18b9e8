"""Which GPU a worker sees. Tried without one: what is tested is what reaches the process that trains."""

from __future__ import annotations

import nbtune
from nbtune import machine
from nbtune.execution.local.supervisor import settings_of


def told(layers):
    """Says which GPU its worker sees."""
    import os

    import keras

    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    print("sees", os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
    return keras.Sequential([keras.Input((4,)), *[keras.layers.Dense(3, "softmax")] * layers])


def test_each_worker_has_a_gpu_of_its_own():
    settings = {"gpus": ["GPU-a", "GPU-b"], "environment": {"HOME": "/home/me"}, "threads": 1}
    seen = [settings_of(number, settings)["environment"] for number in range(3)]
    assert [environment["CUDA_VISIBLE_DEVICES"] for environment in seen] == ["GPU-a", "GPU-b", "GPU-a"]
    assert all(environment["HOME"] == "/home/me" for environment in seen)


def test_without_gpus_the_environment_is_the_kernels():
    settings = {"gpus": [], "environment": {"CUDA_VISIBLE_DEVICES": "-1"}}
    assert settings_of(0, settings)["environment"] == {"CUDA_VISIBLE_DEVICES": "-1"}


def test_the_process_that_trains_sees_its_gpu_alone(here, flowers, monkeypatch):
    monkeypatch.setattr(machine, "gpus", lambda: ("7",))
    search = nbtune.tune(told, flowers, layers=[1], epochs=1)
    assert search.coverage.done == 1
    assert "sees 7" in (search.directory / "workers.log").read_text()
