"""The table: each architecture with its rows and its grid of twelve trials."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from benchmarks.zoo import data, images, sequences, tables

RATES = [3e-3, 1e-3, 3e-4]
EPOCHS, PATIENCE, BATCH_SIZE = 20, 5, 32


class Grid(NamedTuple):
    """An architecture to explore.

    Attributes:
        build: the values of `axes` → a compiled model, whose learning rate the grid replaces.
    """

    title: str
    rows: Callable[[], data.Rows]
    build: Callable[..., Any]
    axes: Mapping[str, list[Any]]
    objective: str = "val_accuracy"

    @property
    def combinations(self) -> list[dict[str, Any]]:
        axes = {**self.axes, "learning_rate": RATES}
        return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]

    @property
    def mode(self) -> str:
        return "max" if "accuracy" in self.objective else "min"


_MAE = "val_mean_absolute_error"
_DROPOUT = {"dropout": [0.1, 0.3]}
ZOO = {
    "mlp": Grid("MLP, BN + Dropout", data.table, tables.mlp, {"units": [32, 64], **_DROPOUT}),
    "adapted": Grid("MLP, adapted Normalization", data.table, tables.adapted_mlp, {"units": [32, 64], "layers": [1, 2]}),
    "wide_deep": Grid("wide and deep", data.customers, tables.wide_and_deep, {"units": [16, 32], **_DROPOUT}),
    "autoencoder": Grid("autoencoder", data.digits_flat, tables.autoencoder, {"units": [32, 64], "code": [8, 16]}, _MAE),
    "cnn": Grid("CNN", partial(data.images, 16), images.cnn, {"filters": [8, 16], **_DROPOUT}),
    "resnet": Grid("small ResNet, augmentation", partial(data.images, 16), images.resnet, {"filters": [8, 16], "blocks": [1, 2]}),
    "mobilenet": Grid(
        "frozen MobileNet, new head", partial(data.images, 32, 3, 500), images.frozen_mobilenet, {"units": [32, 64], **_DROPOUT}
    ),
    "u_net": Grid("U-Net", data.masks, images.u_net, {"filters": [4, 8], **_DROPOUT}),
    "conv1d": Grid("Conv1D, BN", data.signals, sequences.conv1d, {"filters": [16, 32], **_DROPOUT}),
    "lstm": Grid("LSTM, 24 steps", data.forecast, sequences.lstm, {"units": [16, 32], **_DROPOUT}, _MAE),
    "gru": Grid("bidirectional GRU", data.texts, sequences.bidirectional_gru, {"units": [16, 32], **_DROPOUT}),
    "series_transformer": Grid(
        "time-series transformer", data.signals, sequences.series_transformer, {"heads": [2, 4], **_DROPOUT}
    ),
    "text_cnn": Grid("text CNN", data.texts, sequences.text_cnn, {"filters": [16, 32], **_DROPOUT}),
    "text_transformer": Grid("text transformer", data.texts, sequences.text_transformer, {"heads": [2, 4], **_DROPOUT}),
    "recommender": Grid("recommender", data.ratings, tables.recommender, {"size": [8, 16], "penalty": [1e-6, 1e-4]}, _MAE),
    "vae": Grid("VAE, own train_step", data.digits_flat, tables.vae, {"units": [32, 64], "code": [2, 4]}, "val_loss"),
}
