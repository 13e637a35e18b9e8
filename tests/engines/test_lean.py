"""What a worker imports, and what it only seems to have imported."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import gc, sys
from nbtune.engines import worker
heavy = {"sklearn", "matplotlib"}
assert not heavy & set(sys.modules), "imported for nothing"
assert not gc.isenabled()
worker.lean.settle()
assert gc.isenabled()

import keras, numpy as np
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(np.ones((4, 2)), np.ones(4), verbose=0)
assert not heavy & set(sys.modules), "a fit has no need of them"

from keras.wrappers import SKLearnRegressor
SKLearnRegressor(model)
assert keras.visualization.draw_bounding_boxes
assert heavy <= set(sys.modules)
print("as ever")
"""


def test_what_keras_does_not_need_is_imported_when_it_is_used():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert done.stdout.strip() == "as ever", done.stderr
