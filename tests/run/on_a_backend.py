"""A search on the backend of Keras that the environment names, against `model.fit` in this process: `on_a_backend.py WORKERS`."""

from __future__ import annotations

import sys

import numpy as np

import nbtune

EPOCHS, WEIGHTS = 4, {0: 1.0, 1: 3.0, 2: 1.0}


def build(units):
    import keras
    from keras import layers

    hidden = [layers.Dense(units, activation="relu"), layers.BatchNormalization(), layers.Dropout(0.2)]
    return keras.Sequential([keras.Input((8,)), *hidden, layers.Dense(3, activation="softmax")])


def fitted(values, train, validation):
    """History and model, as a careful user would write it."""
    import keras

    keras.utils.set_random_seed(0)
    model = build(values["units"])
    model.compile(keras.optimizers.Adam(values["learning_rate"]), "sparse_categorical_crossentropy", metrics=["accuracy"])
    keras.utils.set_random_seed(0)
    stopper = keras.callbacks.EarlyStopping("val_accuracy", mode="max", patience=1, restore_best_weights=True)
    terms = {"validation_data": validation, "epochs": EPOCHS, "class_weight": WEIGHTS, "callbacks": [stopper], "verbose": 0}
    return model.fit(*train, **terms).history, model


def main(workers):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 8)).astype("float32")
    y = np.digitize(x[:, 0], [-0.5, 0.5])
    train, validation = (x[:90], y[:90]), (x[90:], y[90:])
    search = nbtune.tune(
        build,
        train,
        validation_data=validation,
        units=[4, 8],
        learning_rate=[0.03],
        class_weight=WEIGHTS,
        epochs=EPOCHS,
        patience=1,
        workers=workers,
        wait=True,
    )
    for trial in search.trials:
        history, model = fitted(trial.values, train, validation)
        assert {name: list(values) for name, values in trial.history.items()} == history
        if trial is search.best:
            pairs = zip(search.best_model.get_weights(), model.get_weights(), strict=True)
            assert all(np.array_equal(a, b) for a, b in pairs)
    assert search.verify().difference == 0
    search.refit()
    import keras

    names = {"x": train[0], "y": train[1], "x_val": validation[0], "y_val": validation[1]}
    exec(str(search.code()), names)
    assert names["history"]["val_loss"] == list(search.best.history["val_loss"])
    print(keras.backend.backend())


if __name__ == "__main__":
    main(int(sys.argv[1]))
