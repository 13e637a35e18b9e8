"""The user's function → a compiled Keras model for given values.

How trials are seeded: `seed` once before the model is built and once more before it is fitted, with the same number for
every trial. So a trial's initial weights do not depend on what ran before it, all trials see their batches in the same
order, and a difference between two scores is not a difference between two shuffles.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import reprlib
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import keras
import numpy as np

from nbtune.ask.space import Value
from nbtune.data.rows import Inputs
from nbtune.errors import UsageError
from nbtune.record.job import Terms
from nbtune.training import adapting, initializers, randomness
from nbtune.training.private import keras as private
from nbtune.training.tracebacks import message_lines


def seed(job: Terms) -> None:
    """Sets Python's, NumPy's and Keras's seed. For worker processes: in a kernel it would change the user's draws."""
    keras.utils.set_random_seed(job.seed)


def build(job: Terms, values: Mapping[str, Value]) -> keras.Model:
    """The function's own model, built and compiled or not, as the function left it.

    Raises:
        UsageError: the function returned no Keras model.
        Exception: whatever the user's function raises.
    """
    return returned(job.untouched, values)


def returned(job: Terms, values: Mapping[str, Value]) -> keras.Model:
    """The same, of just this function, with what is around it as earlier models have left it."""
    with _no_copy_goes_on():
        if job.function.takes_hp:
            model = job.function.call(hyperparameters(job.resolved(values)))
        else:
            model = job.function.call(**job.function.arguments(job.resolved(values)))
    if not isinstance(model, keras.Model):
        raise UsageError(f"{job.function.name} returned {_no_model(model)}")
    return model


@contextlib.contextmanager
def _no_copy_goes_on() -> Iterator[None]:
    """Ends a copy of this process that the function forked and that comes back from it: it would train the same trial again."""
    here = os.getpid()
    try:
        yield
    finally:
        if os.getpid() != here:
            os._exit(0)


def _no_model(thing: Any) -> str:
    if thing is None:
        return "nothing (is the `return model` missing?)"
    if any(kind.__module__.partition(".")[0] == "tf_keras" for kind in type(thing).__mro__):
        return "a model of Keras 2, and nbtune trains those of Keras 3: `import keras`, and leave out TF_USE_LEGACY_KERAS"
    return f"{reprlib.repr(thing)}, which is no Keras model"


def hyperparameters(values: Mapping[str, Value]) -> Any:
    """A `keras_tuner.HyperParameters` that answers with these values, whatever it is asked for them."""
    import keras_tuner  # only functions that take `hp` need it

    hp = keras_tuner.HyperParameters()
    hp.values = dict(values)
    return hp


def symbolic(x: Inputs, rows: int | None = None) -> Any:
    """What `model.fit` traces a model with: shapes and types of the inputs as `keras.KerasTensor`s.

    Args:
        rows: in a batch; None for any number.
    """
    return keras.tree.map_structure(lambda part: _symbol(part, rows), keras.tree.lists_to_tuples(x))


def _symbol(part: Any, rows: int | None) -> keras.KerasTensor:
    dtype = "string" if part.dtype.kind == "S" else keras.backend.standardize_dtype(part.dtype)
    is_float = dtype.startswith("float") or dtype == "bfloat16"
    return keras.KerasTensor((rows, *part.shape[1:]), keras.config.floatx() if is_float else dtype)


def fixed_rows(model: keras.Model) -> int | None:
    """How many rows each batch has to have, as a stateful network's; None where any number will do."""
    inputs = keras.tree.flatten(getattr(model, "inputs", None) or [])
    return inputs[0].shape[0] if inputs else None


def fed(part: Inputs) -> Inputs:
    """Rows as `fit` takes them: text has to be a tensor."""
    text = lambda leaf: keras.ops.convert_to_tensor(leaf, "string") if leaf.dtype.kind == "S" else leaf  # noqa: E731
    return None if part is None else keras.tree.map_structure(text, part)


def traced(model: keras.Model, x: Inputs) -> Any:
    """Builds a model that is not built yet, and tells what it puts out, as `keras.KerasTensor`s.

    It is traced, as `model.fit` traces it, so nothing is computed and no variable changes. One that is to run eagerly gets a
    row to run on. Python that the model's `call` runs does run: a model that is to be fitted is not for this.

    Raises:
        UsageError: the model does not take such rows, or has no `call`.
    """
    if type(model).call is keras.Model.call:
        raise UsageError(f"{type(model).__name__} has no `call` method, which tells what the model puts out; give it one")
    eager = model.compiled and model.run_eagerly
    training = {"training": True} if "training" in inspect.signature(model.call).parameters else {}
    try:
        return model(_first_rows(x, fixed_rows(model) or 1) if eager else symbolic(x, fixed_rows(model)), **training)
    except Exception as error:
        shape = x.shape[1:] if hasattr(x, "shape") else "of several inputs"
        gist, *_ = *message_lines(error), type(error).__name__
        raise UsageError(f"the model does not take the data's rows, shape {shape}: {gist}") from None


def _first_rows(x: Inputs, rows: int) -> Any:
    return keras.tree.map_structure(lambda part: keras.ops.convert_to_tensor(np.resize(part[:rows], (rows, *part.shape[1:]))), x)


def output(job: Terms, values: Mapping[str, Value], model: keras.Model, x: Inputs) -> Any:
    """What a combination's model puts out, as `keras.KerasTensor`s; the model stays exactly as the function returned it.

    One that was put together from tensors knows. Of any other a second one is made to be traced, and thrown away.
    """
    known = private.output(model)
    if known is not None:
        return known
    with randomness.kept():
        seed(job)
        return traced(build(job, values), x)


def shapes(output: Any, model: keras.Model) -> list[tuple[str, tuple[int | None, ...]]]:
    """Each output's name and the shape that it has for a row, from what a model puts out."""
    if isinstance(output, Mapping):
        return [(str(name), tuple(part.shape[1:])) for name, part in output.items()]
    parts, names = keras.tree.flatten(output), getattr(model, "output_names", None)
    names = names if names and len(names) == len(parts) else [f"output_{i}" for i in range(1, len(parts) + 1)]
    return [(str(name), tuple(part.shape[1:])) for name, part in zip(names, parts, strict=True)]


def initial(job: Terms, values: Mapping[str, Value], x: Inputs) -> keras.Model:
    """The model as the function returned it, built and compiled or not; built where an initialiser is to fill its kernels.

    In a fold, whose training rows are `x`, layers that have been adapted are adapted to these.
    """
    model = build(job, values) if job.fold is None else adapting.adapted_anew(partial(build, job, values), x)
    things = job.resolved(values)
    if "init" in things:
        if not model.built:
            traced(model, x)
        reinitialise(model, things["init"])
    return model


def reinitialise(model: keras.Model, init: Any) -> None:
    """Gives every kernel of the model, Keras's or a layer's of one's own, new values from one initialiser, text or `Initializer`.

    Source: `keras.initializers`; Glorot and Bengio 2010 for `glorot_*`, whose variance is 2 / (fan in + fan out).
    """
    for kernel in initializers.filled(model):
        kernel.assign(initializers.get(init)(kernel.shape, dtype=kernel.dtype))
