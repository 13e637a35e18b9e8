"""The order of rows and batches against what `model.fit` is seen to take."""

from __future__ import annotations

import itertools

import keras
import numpy as np

from nbtune.training.fused import batches


def test_the_order_of_the_rows_is_that_of_model_fit():
    seen = []

    class Recorder(keras.Model):
        def train_step(self, data):
            seen.append(data[0].numpy())
            return {"loss": 0.0}

    keras.utils.set_random_seed(7)
    model = Recorder()
    model.compile(run_eagerly=True)
    model.fit(np.arange(21), np.zeros(21), batch_size=8, epochs=3, verbose=0)
    ours = [piece for order in itertools.islice(batches.orders(21, 7), 3) for piece in batches.cut(order, 8, padded=False)]
    assert [row.tolist() for row in seen] == [batch.tolist() for piece in ours for batch in piece.rows]


def test_batches_of_one_shape():
    (piece,) = batches.cut(np.arange(5)[::-1], 2, padded=True)
    assert piece.rows.tolist() == [[4, 3], [2, 1], [0, 0]]
    assert piece.real.tolist() == [[1, 1], [1, 1], [1, 0]]
    assert [piece.rows.shape for piece in batches.cut(np.arange(5), 2, padded=False)] == [(2, 2), (1, 1)]
    assert [piece.rows.shape for piece in batches.cut(np.arange(5), 8, padded=True)] == [(1, 5)]
    assert batches.cut(np.arange(4), 2, padded=True)[0].real is None
