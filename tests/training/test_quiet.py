"""A model that is asked for in the kernel comes without TensorFlow's red lines."""

from __future__ import annotations

import subprocess
import sys
import textwrap

SCRIPT = """
import sys
import numpy as np
from nbtune import tune

def build(units):
    import keras
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(units), keras.layers.Dense(2, activation="softmax")])

if __name__ == "__main__":
    x = np.random.default_rng(0).normal(size=(60, 3))
    search = tune(build, (x, (x[:, 0] > 0).astype(int)), units=[4], epochs=1, workers=1)
    assert "tensorflow" not in sys.modules
    print("MARK", file=sys.stderr, flush=True)
    search.best_model, search.refit()
    print("END", file=sys.stderr, flush=True)
"""


def test_a_model_comes_without_the_lines_that_tensorflow_writes_when_it_is_loaded(here):
    (here / "script.py").write_text(textwrap.dedent(SCRIPT))
    done = subprocess.run([sys.executable, "script.py"], capture_output=True, text=True, check=True)
    said = done.stderr.partition("MARK\n")[2].partition("END\n")
    assert said == ("", "END\n", said[2])
