"""The grids that everyone explores: data, model, fit. No network is needed: the data comes with scikit-learn or is made."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

SEED = 0
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Rows:
    """Features and labels; labels of classes are one-hot, `(rows, classes)`."""

    x: np.ndarray
    y: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray


@dataclass(frozen=True)
class Workload:
    """A grid to explore.

    Attributes:
        build: the part of the values that shape a model → an uncompiled model.
        grid: axis to its values; `learning_rate` and `loss` go to `compile`.
        patience: epochs without a better `objective` after which a trial stops.
        repeats: seeds a combination; its score is their mean.
    """

    name: str
    title: str
    rows: Callable[[], Rows]
    build: Callable[..., Any]
    grid: Mapping[str, list[Any]]
    epochs: int
    patience: int
    objective: str = "val_accuracy"
    repeats: int = 1

    @property
    def combinations(self) -> list[dict[str, Any]]:
        return [dict(zip(self.grid, values, strict=True)) for values in itertools.product(*self.grid.values())]

    @property
    def sign(self) -> int:
        """1 where the largest score is the best, -1 where the smallest is."""
        return 1 if self.objective == "val_accuracy" else -1

    def compiled(self, values: Values) -> Any:
        import keras

        shape = {name: value for name, value in values.items() if name not in ("learning_rate", "loss")}
        model = self.build(**shape)
        metrics = ["accuracy"] if self.objective == "val_accuracy" else ["mean_absolute_error"]
        model.compile(keras.optimizers.Adam(values["learning_rate"]), values.get("loss", "mean_squared_error"), metrics=metrics)
        return model

    def stopper(self) -> Any:
        import keras

        mode = "max" if self.sign == 1 else "min"
        return keras.callbacks.EarlyStopping(self.objective, mode=mode, patience=self.patience, restore_best_weights=True)

    def score(self, values: Values, rows: Rows) -> float:
        """Trains one combination with `model.fit`, once for each seed; the mean of the best epochs' objectives."""
        import keras

        found = []
        for seed in range(SEED, SEED + self.repeats):
            keras.utils.clear_session()
            keras.utils.set_random_seed(seed)
            history = self.compiled(values).fit(
                rows.x,
                rows.y,
                epochs=self.epochs,
                validation_data=(rows.x_val, rows.y_val),
                callbacks=[self.stopper()],
                verbose=0,
            )
            found.append(self.sign * max(self.sign * value for value in history.history[self.objective]))
        return float(np.mean(found))


def _split(x: np.ndarray, y: np.ndarray) -> Rows:
    from sklearn.model_selection import train_test_split

    x, x_val, y, y_val = train_test_split(x.astype("float32"), y.astype("float32"), test_size=0.2, random_state=SEED)
    return Rows(x, y, x_val, y_val)


def _digits() -> Rows:
    from sklearn.datasets import load_digits

    digits = load_digits()
    return _split(digits.data / 16, np.eye(10)[digits.target])


def _wide() -> Rows:
    from sklearn.datasets import make_classification

    x, y = make_classification(10_000, 784, n_informative=60, n_classes=10, class_sep=2.5, random_state=SEED)
    return _split(x / x.std(), np.eye(10)[y])


def _images() -> Rows:
    from scipy.ndimage import zoom
    from sklearn.datasets import load_digits

    digits = load_digits()
    return _split(zoom(digits.images / 16, (1, 3.5, 3.5), order=1)[..., None], np.eye(10)[digits.target])


def _diabetes() -> Rows:
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True)
    return _split(x / x.std(), (y - y.mean())[:, None] / y.std())


def _classifier(layers: int, units: int, features: int) -> Any:
    import keras

    hidden = [keras.layers.Dense(units, activation="relu") for _ in range(layers)]
    return keras.Sequential([keras.Input((features,)), *hidden, keras.layers.Dense(10, activation="softmax")])


def build_digits(layers: int, units: int) -> Any:
    return _classifier(layers, units, 64)


def build_wide(layers: int, units: int) -> Any:
    return _classifier(layers, units, 784)


def build_images(filters: int, units: int) -> Any:
    import keras

    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(filters, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(filters, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


def build_diabetes(layers: int, units: int) -> Any:
    import keras

    hidden = [keras.layers.Dense(units, activation="relu") for _ in range(layers)]
    return keras.Sequential([keras.Input((10,)), *hidden, keras.layers.Dense(1)])


_RATES = [1e-2, 1e-3, 1e-4]
_LOSSES = ["categorical_crossentropy", "mean_squared_error"]

WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload(
            "a",
            "digits, 1,437 × 64: layers × units × learning rate × loss = 54 trials",
            _digits,
            build_digits,
            {"layers": [1, 2, 3], "units": [16, 32, 64], "learning_rate": _RATES, "loss": _LOSSES},
            epochs=30,
            patience=3,
        ),
        Workload(
            "b",
            "made data, 8,000 × 784: layers × units × learning rate × loss = 24 trials",
            _wide,
            build_wide,
            {"layers": [1, 2], "units": [64, 128], "learning_rate": _RATES, "loss": _LOSSES},
            epochs=10,
            patience=3,
        ),
        Workload(
            "c",
            "digits as 28 × 28 images, 1,437 of them, small CNN: filters × units × learning rate × loss = 12 trials",
            _images,
            build_images,
            {"filters": [8, 16], "units": [32], "learning_rate": _RATES, "loss": _LOSSES},
            epochs=10,
            patience=3,
        ),
        Workload(
            "d",
            "diabetes, 353 × 10, regression: layers × units × learning rate = 12 combinations, 5 seeds each = 60 trials",
            _diabetes,
            build_diabetes,
            {"layers": [1, 2], "units": [16, 64], "learning_rate": _RATES},
            epochs=50,
            patience=5,
            objective="val_mean_absolute_error",
            repeats=5,
        ),
        Workload(
            "smoke",
            "two trials on digits, to see that everything runs",
            _digits,
            build_digits,
            {"layers": [1], "units": [16], "learning_rate": [1e-2, 1e-3], "loss": ["categorical_crossentropy"]},
            epochs=2,
            patience=1,
        ),
    )
}
