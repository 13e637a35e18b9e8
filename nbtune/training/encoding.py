"""Losses and metrics that nbtune chose, for labels in the form in which the user has them.

The labels that reach `fit` are always the user's own. Where a loss of the `--loss` axis or nbtune's own metric takes them in
another form, it is wrapped here, and the losses and metrics of the function beside it see what they would see without nbtune.
"""

from __future__ import annotations

from typing import Any

import keras

from nbtune.ask import names
from nbtune.ask.labels import AS_GIVEN, MULTI_LABEL, TO_ONE_HOT, Labels

_PACKAGE = "nbtune"


def encoded(y_true: Any, y_pred: Any, encoding: str) -> Any:
    """Labels in the form that `encoding` names (`Labels.encoding`).

    Args:
        y_true: classes `(...)` or `(..., 1)` for "one-hot", zeros and ones `(..., classes)` for "classes".
        y_pred: `(..., units)`.
    """
    if encoding == AS_GIVEN:
        return y_true
    if encoding == TO_ONE_HOT:
        index = keras.ops.cast(y_true, "int32")
        if len(index.shape) == len(y_pred.shape):
            index = keras.ops.squeeze(index, -1)
        return keras.ops.one_hot(index, y_pred.shape[-1], dtype=y_pred.dtype)
    return keras.ops.argmax(keras.ops.cast(y_true, "float32"), axis=-1)


@keras.saving.register_keras_serializable(_PACKAGE)
class EncodedLoss(keras.losses.Loss):
    """A loss that is given the labels in another form than its own; it weighs the rows and takes their mean as that loss does."""

    def __init__(self, loss: Any, encoding: str, name: str | None = None, **settings: Any) -> None:
        self.loss, self.encoding = keras.losses.get(loss), encoding
        reduction = {"reduction": self.loss.reduction} if isinstance(self.loss, keras.losses.Loss) else {}
        super().__init__(name=name or getattr(self.loss, "name", None) or self.loss.__name__, **{**reduction, **settings})

    def call(self, y_true: Any, y_pred: Any) -> Any:
        rows = self.loss.call if isinstance(self.loss, keras.losses.Loss) else self.loss
        return rows(encoded(y_true, y_pred, self.encoding), y_pred)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "loss": keras.losses.serialize(self.loss), "encoding": self.encoding}


@keras.saving.register_keras_serializable(_PACKAGE)
class EncodedMetric(keras.metrics.Metric):
    """A metric that is given the labels in another form than its own, and `(rows,)` labels as a column."""

    def __init__(self, metric: Any, encoding: str, name: str | None = None, **settings: Any) -> None:
        self.metric, self.encoding = keras.metrics.get(metric), encoding
        super().__init__(name=name or self.metric.name, **settings)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        y = encoded(y_true, y_pred, self.encoding)
        if len(y.shape) == len(y_pred.shape) - 1:
            y = keras.ops.expand_dims(y, -1)
        return self.metric.update_state(y, y_pred, sample_weight)

    def result(self) -> Any:
        return self.metric.result()

    def reset_state(self) -> None:
        self.metric.reset_state()

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "metric": keras.metrics.serialize(self.metric), "encoding": self.encoding}


def loss(given: Any, labels: Labels, units: int) -> Any:
    """A loss by name or as an object, for these labels."""
    given = names.canonical(given.lower()) if isinstance(given, str) else given
    encoding = labels.encoding(loss_name(given), units)
    return given if encoding == AS_GIVEN else EncodedLoss(given, encoding)


def metric(name: str, labels: Labels | None, units: int) -> Any:
    """nbtune's own metric of this name, for these labels; numbers that are one a class are averaged over the classes."""
    if labels is None or name == "accuracy":
        return name
    kind = names.canonical(name)
    encoding = labels.encoding(kind, units)
    if kind == "f1_score":
        threshold = 0.5 if units == 1 or labels.form == MULTI_LABEL else None
        return EncodedMetric(keras.metrics.F1Score(average="macro", threshold=threshold), encoding)
    if kind in ("auc", "precision", "recall", "r2_score"):
        return EncodedMetric(keras.metrics.get(kind), encoding)
    return name if encoding == AS_GIVEN else _mean_of(name, encoding)


def _mean_of(name: str, encoding: str) -> keras.metrics.Metric:
    return EncodedMetric(keras.metrics.get(name), encoding, name=name)


def loss_name(given: Any) -> str:
    """The name by which a loss is shown, and by which `Labels.encoding` goes; Keras's own name where it is Keras's."""
    return known_loss(given) or str(getattr(given, "name", None) or getattr(given, "__name__", None) or type(given).__name__)


def known_loss(given: Any) -> str | None:
    """Keras's name of a loss, whatever name it was given; None where it is no loss of Keras's own."""
    if isinstance(given, str):
        return names.canonical(given.lower())
    kind = given if isinstance(given, type) else type(given)
    if issubclass(kind, keras.losses.Loss) and kind.__module__.startswith("keras."):
        return names.loss_of_class(kind.__name__)
    elif getattr(given, "__module__", "").startswith("keras."):
        found = str(getattr(given, "__name__", ""))
    else:
        return None
    return names.canonical(found) if names.canonical(found) in names.LOSSES else None


def unwrapped(thing: Any) -> Any:
    """The loss or metric in a wrapper of this module; any other as it is."""
    return thing.loss if isinstance(thing, EncodedLoss) else thing.metric if isinstance(thing, EncodedMetric) else thing
