"""Which layers have learned from data by `adapt`."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from nbtune.training.adapting import adapted


def test_discretization_is_adapted_where_it_learned_its_bins():
    fixed = layers.Discretization([0.0, 1.0])
    learned, fresh = (layers.Discretization(num_bins=3) for _ in range(2))
    learned.adapt(np.linspace(0, 1, 30).reshape(-1, 1))
    again = layers.Discretization.from_config(learned.get_config())
    found = [adapted(keras.Sequential([layer])) for layer in (fixed, learned, fresh, again)]
    assert found == [[], [learned], [], [again]]
