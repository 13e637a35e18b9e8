"""The names that Keras gives to losses, initialisers, optimizers and metrics.

They are checked in the kernel, where Keras is not imported; a test holds each of them against Keras.
"""

from __future__ import annotations

import re
from importlib.util import find_spec

from nbtune import machine
from nbtune.errors import UsageError

ALIASES = {
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "bce": "binary_crossentropy",
    "kld": "kl_divergence",
    "acc": "accuracy",
    "logcosh": "log_cosh",
}

TRACKERS = ("tensorboard", "mlflow", "wandb")  # that take the epochs of a search while it runs; each is its package, too

SPARSE_LOSSES = frozenset({"sparse_categorical_crossentropy"})
CLASS_LOSSES = SPARSE_LOSSES | {
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "hinge",
    "squared_hinge",
    "kl_divergence",
    "dice",
}
MARGIN_LOSSES = frozenset({"hinge", "squared_hinge"})  # of two classes called -1 and 1
# These take one class a row: an output of one unit makes them zero or meaningless.
CATEGORICAL_LOSSES = frozenset(
    {"sparse_categorical_crossentropy", "categorical_crossentropy", "categorical_focal_crossentropy", "categorical_hinge"}
)
NUMBER_LOSSES = frozenset(
    {
        "mean_squared_error",
        "mean_absolute_error",
        "mean_absolute_percentage_error",
        "mean_squared_logarithmic_error",
        "huber",
        "log_cosh",
        "poisson",
        "cosine_similarity",
    }
)
LOSSES = CLASS_LOSSES | NUMBER_LOSSES

INITIALIZERS = frozenset(
    {
        "glorot_uniform",
        "glorot_normal",
        "he_uniform",
        "he_normal",
        "lecun_uniform",
        "lecun_normal",
        "random_uniform",
        "random_normal",
        "truncated_normal",
        "variance_scaling",
        "orthogonal",
        "zeros",
        "ones",
    }
)
_OPTIMIZERS = {"adam", "adamw", "adamax", "nadam", "sgd", "rmsprop", "adagrad", "adadelta", "adafactor", "ftrl", "lion", "muon"}
_SINCE = {"muon": (3, 14)}  # the version from which Keras knows it by its name


def offered(known: set[str], version: str) -> frozenset[str]:
    """Those of `known` that a version of Keras has, such as "3.9.2"; all of them if it is no version."""
    found = re.match(r"(\d+)\.(\d+)", version)
    installed = tuple(map(int, found.groups())) if found else (99, 0)
    return frozenset(name for name in known if _SINCE.get(name, (0, 0)) <= installed)


OPTIMIZERS = offered(_OPTIMIZERS, machine.installed("keras"))
# What people call these elsewhere.
ELSEWHERE = {
    "xavier": "glorot_uniform",
    "xavier_uniform": "glorot_uniform",
    "xavier_normal": "glorot_normal",
    "kaiming": "he_uniform",
    "kaiming_uniform": "he_uniform",
    "kaiming_normal": "he_normal",
    "glorot": "glorot_uniform",
    "he": "he_uniform",
    "cross_entropy": "categorical_crossentropy",
    "crossentropy": "categorical_crossentropy",
    "cce": "categorical_crossentropy",
    "scce": "sparse_categorical_crossentropy",
    "nll": "sparse_categorical_crossentropy",
}

# Short names that Keras has for some.
SPELLED = {"uniform": "random_uniform", "normal": "random_normal", "one": "ones", "zero": "zeros"}

MAXIMISED = frozenset(
    {
        "accuracy",
        "binary_accuracy",
        "categorical_accuracy",
        "sparse_categorical_accuracy",
        "top_k_categorical_accuracy",
        "sparse_top_k_categorical_accuracy",
        "auc",
        "precision",
        "recall",
        "f1_score",
        "r2_score",
    }
)
# Those that count the rows that are right.
ACCURACIES = frozenset({"acc", "accuracy", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy"})
# Losses that Keras has no metric of.
_LOSSES_ONLY = {"huber", "log_cosh", "dice", "binary_focal_crossentropy", "categorical_focal_crossentropy"}
MINIMISED = LOSSES - _LOSSES_ONLY - {"cosine_similarity"} | {"loss", "root_mean_squared_error"}

# What nbtune can add to a model by its name.
METRICS = MAXIMISED | MINIMISED - {"loss"} | {"cosine_similarity"}


def loss_of_class(name: str) -> str | None:
    """The name of the loss that a class of Keras's computes: `mean_squared_error` of `MeanSquaredError`."""
    return next((loss for loss in LOSSES if loss.replace("_", "") == name.lower()), None)


def canonical(name: str) -> str:
    """The full Keras name of a loss or metric: `mse` is `mean_squared_error`."""
    return ALIASES.get(name, name)


def check_installed(tracker: str) -> None:
    """Raises UsageError where the package that a tracker of experiments needs is not installed."""
    if find_spec(tracker) is None:
        raise UsageError(f"{tracker} is not installed here; run %pip install {tracker}")
