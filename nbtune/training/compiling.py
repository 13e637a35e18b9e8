"""How a trial's model is compiled: what the function left, and what the axes and the objective replace or add."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from nbtune.ask import names, optimizers
from nbtune.ask.labels import TO_CLASSES
from nbtune.ask.space import Value
from nbtune.data.rows import Inputs
from nbtune.errors import UsageError
from nbtune.record.job import Job
from nbtune.training import encoding, randomness, schedules
from nbtune.training.calls import make
from nbtune.training.encoding import EncodedLoss, known_loss
from nbtune.training.logs import scalars
from nbtune.training.model import fixed_rows, initial, seed, shapes, symbolic, traced
from nbtune.training.model import output as model_output
from nbtune.training.private import keras as private
from nbtune.training.private import whole
from nbtune.training.private.missing import Missing


def compiled(job: Job, values: Mapping[str, Value], x: Inputs) -> keras.Model:
    """The model of one trial, ready to fit: `build`, then what the axes replace.

    An uncompiled model is compiled with Adam, the usual loss for the labels and the objective's metric. A compiled one
    keeps all that no axis replaces; the objective's metric is added if it is not there.
    """
    model = initial(job, values, x)
    compile_for(job, values, model, x)
    return model


def compile_for(job: Job, values: Mapping[str, Value], model: keras.Model, x: Inputs) -> None:
    """Compiles an `initial` model."""
    things = job.resolved(values)
    units = [shape[-1] or 1 if shape else 1 for _, shape in shapes(model_output(job, values, model, x), model)]
    if model.compiled:
        _recompile(model, job, values, x, units)
        return
    labels = job.targets.labels
    losses = [
        encoding.loss(things["loss"] if "loss" in things else each.default_loss(n), each, n)
        for each, n in zip(labels, units, strict=True)
        if each is not None
    ]
    optimizer = _optimizer(things.get("optimizer", "adam"))
    _set_rate(job, values, x, optimizer, things.get("learning_rate"))
    model.compile(optimizer, _for_outputs(model, job, losses), metrics=_usual_metrics(job, model, units))


def _for_outputs(model: keras.Model, job: Job, parts: Sequence[Any]) -> Any:
    """One part for the only output, or the parts in the structure of the outputs."""
    if len(parts) == 1:
        return parts[0]
    named = job.look.structure == "dict"
    return {output.name: part for output, part in zip(job.targets.outputs, parts, strict=True)} if named else list(parts)


def _to_add(job: Job) -> list[str]:
    """The objective's metrics; one that Keras does not have is logged by the hypermodel's own fit, if there is one."""
    wanted = job.objective.metrics
    return wanted if job.function.fit is None else [name for name in wanted if names.canonical(name) in names.METRICS]


def _usual_metrics(job: Job, model: keras.Model, units: Sequence[int]) -> Any:
    """The objective's metric; with several outputs the usual one of each as well."""
    asked, outputs = [name for name in _to_add(job) if name != "loss"], job.targets.outputs
    if len(outputs) == 1:
        return [encoding.metric(name, job.targets.single, units[0]) for name in asked]
    each = []
    for output, labels, n in zip(outputs, job.targets.labels, units, strict=True):
        found = [labels.metric] if labels else []
        found += [own for name in asked if (own := output.own(name)) not in ("", "loss", *found)]
        each.append([encoding.metric(name, labels, n) for name in found])
    return _for_outputs(model, job, each)


def delivered(job: Job, values: Mapping[str, Value], x: Inputs) -> keras.Model:
    """The model that a trial trains, built under the trial's own seed, for labels in the user's own form.

    So `evaluate` works, and what the function drew at random besides the weights is the same. The process's own generators
    are afterwards as they were. Its loss is one of Keras's own where there is one for the labels, so that a saved model needs
    no nbtune.

    Args:
        job: of the run whose weights are to be loaded, which has its own seed.
    """
    with randomness.kept():
        seed(job)
        model = compiled(job, values, x)
        plain = _plain(model.loss)
        if plain:
            compile_again(model, loss=plain)
        seed(job)
        if not model.built:
            traced(model, x)
        model.optimizer.build(model.trainable_variables)  # so that its saved state finds its place
    return model


def _plain(loss: Any) -> str | None:
    """Keras's name of the same loss for labels in the form that a wrapped loss is given; None where there is none."""
    if not isinstance(loss, EncodedLoss) or isinstance(loss.loss, keras.losses.Loss):
        return None
    plain = _FOR_LABELS.get(known_loss(loss.loss) or "")
    return plain if plain and plain.startswith("categorical") == (loss.encoding == TO_CLASSES) else None


# The same loss, for labels in the other form.
_FOR_LABELS = {
    "categorical_crossentropy": "sparse_categorical_crossentropy",
    "sparse_categorical_crossentropy": "categorical_crossentropy",
}


def own_loss(model: keras.Model) -> str | None:
    """The name of the loss that the function compiled its model with; None for an uncompiled model."""
    return encoding.loss_name(model.loss) if model.compiled else None


def known_losses(model: keras.Model, outputs: int) -> list[str | None]:
    """For each output Keras's name of the loss that the function compiled for it, None where that is not told."""
    losses = keras.tree.flatten(model.loss) if model.compiled else []
    return [known_loss(loss) for loss in losses] if len(losses) == outputs else [None] * outputs


def _optimizer(given: Any) -> keras.optimizers.Optimizer:
    """A new optimizer of this kind, with its settings."""
    if isinstance(given, type):
        given = given()
    known = optimizers.WITH_SETTINGS.get(given) if isinstance(given, str) else None
    optimizer = make(known) if known else keras.optimizers.get(given)
    return whole.copied(optimizer) if optimizer is given else optimizer


def _set_rate(job: Job, values: Mapping[str, Value], x: Inputs, optimizer: Any, learning_rate: float | None) -> None:
    """Gives an optimizer this learning rate if it is one, and puts it under the trial's schedule.

    It stays the function's own in all else: a configuration does not tell what methods set, nor what a class of one's own adds.
    """
    if learning_rate is None and not schedules.is_chosen(job, values):
        return
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise UsageError(
            f"{job.function.name} compiles no optimizer of Keras's to set a learning rate on; make it a parameter of the function"
        )
    base = private.inner_optimizer(optimizer).get_config()["learning_rate"] if learning_rate is None else learning_rate
    private.set_learning_rate(optimizer, schedules.rate(job, values, base, x))


def _recompile(model: keras.Model, job: Job, values: Mapping[str, Value], x: Inputs, units: Sequence[int]) -> None:
    applied = {name: thing for name, thing in job.resolved(values).items() if name in job.applied}
    changes: dict[str, Any] = {}
    if "loss" in applied and job.targets.single is not None:  # `Targets.of` refuses an axis where it is None
        changes["loss"] = encoding.loss(applied["loss"], job.targets.single, units[0])
    if "optimizer" in applied:
        changes["optimizer"] = _optimizer(applied["optimizer"])
    elif private.serves_others(model.optimizer, model):  # made outside of the function
        changes["optimizer"] = _optimizer(model.optimizer)
    optimizer = changes.get("optimizer", model.optimizer)
    if applied.keys() & {"optimizer", "learning_rate", "schedule"}:
        _set_rate(job, values, x, optimizer, applied.get("learning_rate"))
    changes |= _with_objective(model, job, units)
    if changes:
        compile_again(model, **{"optimizer": optimizer, **changes})


def _with_objective(model: keras.Model, job: Job, units: Sequence[int]) -> dict[str, Any]:
    """The model's metrics and the objective's, where that is not among them."""
    outputs, logged = job.targets.outputs, {"loss", *(job.look.logs or ()), *metric_names(model)}
    missing = [name for name in _to_add(job) if name not in logged]
    if not missing:
        return {}
    metrics = settings(model).get("metrics") or []
    if len(outputs) == 1:
        new = [encoding.metric(name, job.targets.single, units[0]) for name in missing]
        if isinstance(metrics, Mapping):
            name = outputs[0].name
            return {"metrics": {**metrics, name: [*_listed(metrics.get(name)), *new]}}
        return {"metrics": [*keras.tree.flatten(metrics), *new]}
    each = [_listed(metrics.get(output.name)) for output in outputs] if isinstance(metrics, Mapping) else None
    if each is None:
        each = [_listed(own) for own in metrics] if len(metrics) == len(outputs) else [[] for _ in outputs]
    for i, output in enumerate(outputs):
        own = [name for metric in missing if (name := output.own(metric))]
        each[i] = [*each[i], *(encoding.metric(name, job.targets.labels[i], units[i]) for name in own)]
    return {"metrics": _for_outputs(model, job, each)}


def _listed(metrics: Any) -> list[Any]:
    return list(metrics) if isinstance(metrics, (list, tuple)) else [] if metrics is None else [metrics]


def settings(model: keras.Model) -> dict[str, Any]:
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


def compile_again(model: keras.Model, **changes: Any) -> None:
    model.compile(**{**settings(model), **changes})


def metric_names(model: keras.Model) -> list[str]:
    """The names of the metrics, weighted or not, that the model was compiled with."""
    known = settings(model) if model.compiled else {}
    given = keras.tree.flatten([known.get("metrics"), known.get("weighted_metrics")])
    return [m if isinstance(m, str) else getattr(m, "name", getattr(m, "__name__", "")) for m in given if m is not None]


def logged_names(model: keras.Model, x: Inputs, y: Inputs) -> list[str] | None:
    """What a compiled model logs for such rows, without `val_`; None where only training shows it."""
    if not model.compiled or type(model).train_step is not keras.Model.train_step:
        return None
    try:
        private.build_metrics(model, *symbolic((x, y), fixed_rows(model)))
        return list(scalars(model.get_metrics_result()))
    except Exception:  # what Keras cannot say beforehand it says when it trains
        return None
