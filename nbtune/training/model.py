"""The user's function → a compiled Keras model for given values.

How trials are seeded: `seed` once before the model is built and once more before it is fitted, with the same number for
every trial. So a trial's initial weights do not depend on what ran before it, all trials see their batches in the same
order, and a difference between two scores is not a difference between two shuffles.
"""

from __future__ import annotations

import inspect
import re
import reprlib
from collections.abc import Mapping
from typing import Any

import keras

from nbtune.ask import names
from nbtune.ask.labels import CLASSES, ONE_HOT
from nbtune.ask.space import Value
from nbtune.data.rows import Inputs
from nbtune.errors import UsageError
from nbtune.record.job import Job, Terms
from nbtune.training.private import graphs, randomness
from nbtune.training.private import keras as private
from nbtune.training.private.missing import Missing


def seed(job: Terms) -> None:
    """Sets Python's, NumPy's and Keras's seed. For worker processes: in a kernel it would change the user's draws."""
    keras.utils.set_random_seed(job.seed)


def build(job: Terms, values: Mapping[str, Value]) -> keras.Model:
    """The function's own model, built and compiled or not, as the function left it.

    Raises:
        UsageError: the function returned no Keras model.
        Exception: whatever the user's function raises.
    """
    if job.function.takes_hp:
        model = job.function.call(hyperparameters(job.resolved(values)))
    else:
        model = job.function.call(**job.function.arguments(job.resolved(values)))
    if not isinstance(model, keras.Model):
        what = "nothing (is the `return model` missing?)" if model is None else f"{reprlib.repr(model)}, which is no Keras model"
        raise UsageError(f"{job.function.name} returned {what}")
    return model


def hyperparameters(values: Mapping[str, Value]) -> Any:
    """A `keras_tuner.HyperParameters` that answers with these values, whatever it is asked for them."""
    import keras_tuner  # only functions that take `hp` need it

    hp = keras_tuner.HyperParameters()
    hp.values = dict(values)
    return hp


def symbolic(x: Inputs) -> Any:
    """What `model.fit` traces a model with: shapes and types of the inputs, for any number of rows, as `keras.KerasTensor`s."""
    return keras.tree.map_structure(_symbol, tuple(x) if isinstance(x, list) else x)


def _symbol(part: Any) -> keras.KerasTensor:
    dtype = keras.backend.standardize_dtype(part.dtype)
    return keras.KerasTensor((None, *part.shape[1:]), keras.config.floatx() if dtype.startswith("float") else dtype)


def traced(model: keras.Model, x: Inputs) -> Any:
    """Builds a model that is not built yet, and tells what it puts out, as `keras.KerasTensor`s.

    It is traced, as `model.fit` traces it, so nothing is computed and no variable changes. One that is to run eagerly gets a
    row to run on. Python that the model's `call` runs does run: a model that is to be fitted is not for this.

    Raises:
        UsageError: the model does not take such rows.
    """
    eager = model.compiled and model.run_eagerly
    training = {"training": True} if "training" in inspect.signature(model.call).parameters else {}
    try:
        return model(_one_row(x) if eager else symbolic(x), **training)
    except Exception as error:
        shape = x.shape[1:] if hasattr(x, "shape") else "of several inputs"
        raise UsageError(f"the model does not take the data's rows, shape {shape}: {_gist(error)}") from None


def _one_row(x: Inputs) -> Any:
    return keras.tree.map_structure(lambda part: keras.ops.convert_to_tensor(part[:1]), x)


def output(job: Terms, values: Mapping[str, Value], model: keras.Model, x: Inputs) -> Any:
    """What a combination's model puts out, as `keras.KerasTensor`s; the model stays exactly as the function returned it.

    One that was put together from tensors knows. Of any other a second one is made to be traced, and thrown away.
    """
    known = graphs.outputs(model)
    if known is not None:
        return known
    with randomness.kept():
        seed(job)
        return traced(build(job, values), x)


def units(output: Any) -> int:
    """The size of the last dimension of what a model puts out.

    Raises:
        UsageError: it is several outputs.
    """
    if not hasattr(output, "shape"):
        raise UsageError("the model has several outputs; nbtune tunes models with one")
    return width(output)


def width(output: Any) -> int:
    """The size of an output's last dimension."""
    return int(output.shape[-1]) if len(output.shape) > 1 else 1


def _gist(error: Exception) -> str:
    """The one line of Keras's message that says what does not fit."""
    lines = [re.sub(r"\x1b\[\d*m", "", line).strip() for line in str(error).splitlines()]
    telling = [line for line in lines if line and not line.startswith("Exception encountered")]
    return (telling or [type(error).__name__])[0]


def own_loss(model: keras.Model) -> str | None:
    """The name of the loss that the function compiled its model with; None for an uncompiled model."""
    return loss_name(model.loss) if model.compiled else None


def loss_name(loss: Any) -> str:
    if isinstance(loss, str):
        return names.canonical(loss.lower())
    return str(getattr(loss, "name", None) or getattr(loss, "__name__", None) or type(loss).__name__)


def compiled(job: Job, values: Mapping[str, Value], x: Inputs) -> keras.Model:
    """The model of one trial, ready to fit: `build`, then what the axes replace.

    An uncompiled model is compiled with Adam, the usual loss for the labels and the objective's metric. A compiled one
    keeps all that no axis replaces; the objective's metric is added if it is not there.
    """
    model = initial(job, values, x)
    compile_for(job, values, model, x)
    return model


def initial(job: Terms, values: Mapping[str, Value], x: Inputs) -> keras.Model:
    """The model as the function returned it, built and compiled or not; built where an initialiser is to fill its kernels."""
    model = build(job, values)
    things = job.resolved(values)
    if "init" in things:
        if not model.built:
            traced(model, x)
        reinitialise(model, things["init"])
    return model


def compile_for(job: Job, values: Mapping[str, Value], model: keras.Model, x: Inputs) -> None:
    """Compiles an `initial` model."""
    things = job.resolved(values)
    if model.compiled:
        _recompile(model, job, things)
    else:
        loss = things["loss"] if "loss" in things else job.labels.default_loss(units(output(job, values, model, x)))
        optimizer = _optimizer(things.get("optimizer", "adam"), things.get("learning_rate"))
        model.compile(optimizer, _loss(loss), metrics=_missing_metric(job, []))


def delivered(job: Job, values: Mapping[str, Value], x: Inputs) -> keras.Model:
    """The model that a trial trains, built under the trial's own seed, with a loss for labels in the user's own form.

    So `evaluate` works, and what the function drew at random besides the weights is the same. The process's own generators
    are afterwards as they were.

    Args:
        job: of the run whose weights are to be loaded, which has its own seed.
    """
    with randomness.kept():
        seed(job)
        model = compiled(job, values, x)
        _take_labels_as_given(job, model, units(output(job, values, model, x)))
        seed(job)
        if not model.built:
            traced(model, x)
        model.optimizer.build(model.trainable_variables)  # so that its saved state finds its place
    return model


def _take_labels_as_given(job: Job, model: keras.Model, units: int) -> None:
    name = loss_name(model.loss)
    if job.labels.form == CLASSES and "sparse" not in name and units > 1:
        plain = "sparse_categorical_crossentropy" if model.loss == "categorical_crossentropy" else OneHotLabels(model.loss)
        _compile_again(model, loss=plain)
    elif job.labels.form == ONE_HOT and model.loss == "sparse_categorical_crossentropy":
        _compile_again(model, loss="categorical_crossentropy")


def reinitialise(model: keras.Model, init: Any) -> None:
    """Gives every kernel of the model new values from one initialiser, by name or as an `Initializer`.

    Source: `keras.initializers`; Glorot and Bengio 2010 for `glorot_*`, whose variance is 2 / (fan in + fan out).
    """
    for kernel in (weight for weight in model.weights if weight.name in ("kernel", "depthwise_kernel", "pointwise_kernel")):
        kernel.assign(keras.initializers.get(init)(kernel.shape, dtype=kernel.dtype))


@keras.saving.register_keras_serializable("nbtune")
class OneHotLabels(keras.losses.Loss):
    """A loss for one-hot labels that is given class numbers: `y_true` `(n,)` or `(n, 1)`, `y_pred` `(n, classes)`.

    It weighs the rows and takes their mean as the loss does that it is made of.
    """

    def __init__(self, loss: Any, name: str | None = None, **settings: Any) -> None:
        self.loss = keras.losses.get(loss)
        reduction = {"reduction": self.loss.reduction} if isinstance(self.loss, keras.losses.Loss) else {}
        super().__init__(name=name or loss_name(loss), **{**reduction, **settings})

    def call(self, y_true: Any, y_pred: Any) -> Any:
        index = keras.ops.reshape(keras.ops.cast(y_true, "int32"), (-1,))
        rows = self.loss.call if isinstance(self.loss, keras.losses.Loss) else self.loss
        return rows(keras.ops.one_hot(index, y_pred.shape[-1]), y_pred)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "loss": keras.losses.serialize(self.loss)}


def _loss(loss: Any) -> Any:
    return names.canonical(loss.lower()) if isinstance(loss, str) else loss


def _optimizer(optimizer: Any, learning_rate: float | None) -> keras.optimizers.Optimizer:
    """A new optimizer of this kind with its settings, at this learning rate if one is given."""
    if isinstance(optimizer, type):
        optimizer = optimizer()
    optimizer = keras.optimizers.get(optimizer)
    config = optimizer.get_config()
    if learning_rate is not None:
        config["learning_rate"] = learning_rate
    return type(optimizer).from_config(config)


def _recompile(model: keras.Model, job: Job, things: Mapping[str, Any]) -> None:
    applied = {name: thing for name, thing in things.items() if name in job.applied}
    changes: dict[str, Any] = {}
    if "loss" in applied:
        changes["loss"] = _loss(applied["loss"])
    if "optimizer" in applied or "learning_rate" in applied:
        changes["optimizer"] = _optimizer(applied.get("optimizer", model.optimizer), applied.get("learning_rate"))
    metrics = _settings(model).get("metrics") or []
    missing = _missing_metric(job, metric_names(model))
    if isinstance(metrics, list) and missing:
        changes["metrics"] = metrics + missing
    if changes:
        _compile_again(model, **changes)


def _settings(model: keras.Model) -> dict[str, Any]:
    """What the model was compiled with, as objects."""
    try:
        return private.settings(model)
    except Missing:
        config = model.get_compile_config()  # in public, and serialised
    try:
        found = keras.saving.deserialize_keras_object(config)
    except Exception:  # a lambda, for one, cannot be serialised
        found = None
    if not found:
        raise UsageError("this model's own compile() hides what it was compiled with; leave compiling to nbtune")
    return dict(found)


def _compile_again(model: keras.Model, **changes: Any) -> None:
    model.compile(**{**_settings(model), **changes})


def metric_names(model: keras.Model) -> list[str]:
    """The names of the metrics, weighted or not, that the model was compiled with."""
    settings = _settings(model) if model.compiled else {}
    given = keras.tree.flatten([settings.get("metrics"), settings.get("weighted_metrics")])
    return [m if isinstance(m, str) else getattr(m, "name", getattr(m, "__name__", "")) for m in given if m is not None]


def _missing_metric(job: Job, present: list[str]) -> list[str]:
    metric = job.objective.metric
    return [] if metric == "loss" or metric in present else [metric]
