"""What a worker imports, and what it only seems to have imported."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import gc, sys
from nbtune.execution.local import worker
heavy = {"sklearn", "matplotlib", "scipy"}
assert not heavy & set(sys.modules), "imported for nothing"
assert not gc.isenabled()
worker.trimming.settle()
assert gc.isenabled()

import keras, numpy as np, tensorflow as tf
names = {name: id(thing) for name, thing in vars(tf).items()}
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(np.ones((4, 2)), np.ones(4), verbose=0)
keras.utils.clear_session()
tf.vectorized_map(lambda x: x + tf.distribute.get_strategy().num_replicas_in_sync, tf.zeros(3))  # goes through all modules
assert not heavy & set(sys.modules), "a fit has no need of them"
here = [name for name in worker.trimming.PUT_OFF if name in sys.modules]
assert {type(sys.modules[name]) for name in here} == {worker.trimming.Unloaded}, "nor of these"

import pandas
assert model.predict(pandas.DataFrame(np.ones((4, 2))), verbose=0).shape == (4, 1)
from keras.wrappers import SKLearnRegressor
SKLearnRegressor(model)
assert keras.visualization.draw_bounding_boxes
assert heavy <= set(sys.modules)
assert tf.raw_ops.AddV2(x=1, y=2) == 3 and tf.compat.v1.compat.v1.Session
for name in here:
    dir(sys.modules[name])
    assert type(sys.modules[name]) is not worker.trimming.Unloaded, name
assert tf.compat.v1.lite.TFLiteConverter and tf.lite.TFLiteConverter and tf.distribute.experimental.rpc
assert {name: id(vars(tf)[name]) for name in names} == names, "TensorFlow's own names stand for something else"
print("as ever")
"""


def test_what_keras_does_not_need_is_imported_when_it_is_used():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert done.stdout.strip() == "as ever", done.stderr
