"""What a case is, and rows of the shapes that models take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import layers

from tests.conformance.reference import Terms

RATES = (0.01, 0.003)
RNG = np.random.default_rng(0)
ROWS, HELD_OUT = 90, 30  # the last batch of an epoch is a shorter one


@dataclass(frozen=True)
class Case:
    """One model.

    Attributes:
        build: returns a compiled model; takes no parameter, unless the axis is one.
        x, y, weights: of all rows, of which the last are held out; `y` is None where the model needs no labels.
        axis: of a grid of two combinations.
        alone: a part of the reason why its trials are trained one by one; empty where they are trained together.
        refused: it cannot be taken yet, or nbtune says why not; empty where it can.
        tolerance: of the largest relative difference in a history.
        random: its evaluation draws at random, or goes on from a state, so it gives another number each time.
        quick: it is part of `make test-all`.
    """

    name: str
    build: Any
    x: Any
    y: Any
    weights: Any = None
    axis: Mapping[str, Any] = field(default_factory=lambda: {"learning_rate": list(RATES)})
    alone: str = ""
    refused: str = ""
    tolerance: float = 1e-5
    random: bool = False
    quick: bool = False
    terms: Terms = field(default_factory=Terms)

    @property
    def train(self) -> tuple[Any, ...]:
        return self._part(slice(None, ROWS))

    @property
    def validation(self) -> tuple[Any, ...]:
        return self._part(slice(ROWS, None))

    def _part(self, rows: slice) -> tuple[Any, ...]:
        parts = [part for part in (self.x, self.y, self.weights) if part is not None]
        return tuple(keras.tree.map_structure(lambda part: part[rows], part) for part in parts)


COUNT = ROWS + HELD_OUT
CLASSES = RNG.integers(0, 3, COUNT)
BINARY = (CLASSES > 0).astype("int32")
TABLE = (RNG.normal(size=(COUNT, 8)) + 0.5 * CLASSES[:, None]).astype("float32")
NUMBER = (TABLE[:, :3].sum(axis=1) + 0.1 * RNG.normal(size=COUNT)).astype("float32")
SERIES = (RNG.normal(size=(COUNT, 10, 4)) + 0.3 * CLASSES[:, None, None]).astype("float32")
TOKENS = (RNG.integers(1, 20, size=(COUNT, 10)) + 5 * CLASSES[:, None]).astype("int32")
PADDED = np.where(np.arange(10) < RNG.integers(4, 11, size=(COUNT, 1)), TOKENS, 0).astype("int32")
IMAGES = np.clip(RNG.normal(0.4, 0.2, size=(COUNT, 8, 8, 3)) + 0.1 * CLASSES[:, None, None, None], 0, 1).astype("float32")
FILMS = (RNG.normal(size=(COUNT, 4, 6, 6, 1)) + 0.3 * CLASSES[:, None, None, None, None]).astype("float32")
COLUMNS = {
    "age": RNG.integers(18, 80, size=(COUNT, 1)).astype("float32"),
    "income": RNG.lognormal(size=(COUNT, 1)).astype("float32"),
    "region": RNG.integers(0, 4, size=(COUNT, 1)).astype("int32"),
    "job": RNG.integers(0, 50, size=(COUNT, 1)).astype("int32"),
}
WEIGHTS = RNG.uniform(0.2, 2.0, COUNT).astype("float32")


def for_classes(model, optimizer=None, metrics=("accuracy",)):
    model.compile(optimizer or keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=list(metrics))
    return model


def for_two_classes(model):
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    return model


def for_numbers(model, loss="mse"):
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["mae"])
    return model


def sequential(shape, *hidden):
    return keras.Sequential([keras.Input(shape), *hidden, layers.Dense(3, activation="softmax")])
