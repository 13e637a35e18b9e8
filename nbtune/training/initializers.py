"""Initialisers: as they are written, and the weights that they fill."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import keras

from nbtune.ask import initializers
from nbtune.errors import UsageError
from nbtune.training.calls import make

FILLED = ("kernel", "depthwise_kernel", "pointwise_kernel")  # by `--init`
ATTRIBUTES = {  # weight → the layer's attribute with its own initialiser
    "kernel": "kernel_initializer",
    "depthwise_kernel": "depthwise_initializer",
    "pointwise_kernel": "pointwise_initializer",
    "recurrent_kernel": "recurrent_initializer",
    "embeddings": "embeddings_initializer",
}


def filled(model: keras.Model) -> list[Any]:
    """The weights that `--init` fills: by their names, which is what a page of code can ask of any layer, Keras's or not.

    Raises:
        UsageError: there is none, so an initialiser would change nothing.
    """
    found = [weight for weight in model.weights if weight.name in FILLED]
    if not found:
        raise UsageError(
            "init: the model has no weight called kernel for an initialiser to fill; in a layer of your own, "
            'name it: self.add_weight(name="kernel", ...)'
        )
    return found


def kernels(model: keras.Model) -> Iterator[tuple[Any, str, Any]]:
    """Each (layer, name, variable) that an initialiser of `ATTRIBUTES` fills, in cells of recurrent layers too."""
    for layer in leaves(model):
        for name in ATTRIBUTES:
            variable = getattr(layer, name, None)
            if isinstance(variable, keras.Variable):
                yield layer, name, variable


def leaves(model: Any) -> Iterator[Any]:
    """Layers in the order of the model, those inside of wrappers and recurrent layers too, each once."""
    seen: set[int] = set()
    stack = [model]
    while stack:
        layer = stack.pop()
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        yield layer
        inner = [part for part in vars(layer).values() if isinstance(part, keras.Layer)]
        stack += [*getattr(layer, "layers", []), *inner][::-1]


def get(init: Any) -> Any:
    """`he_normal`, `zeros`, `normal:0.01` (its standard deviation), `uniform:0.05` (its limit), or an initialiser itself.

    Raises:
        UsageError: a number that is none, or that the initialiser does not take.
    """
    if not isinstance(init, str) or ":" not in init:
        return keras.initializers.get(init)
    initializers.check("init", initializers.spell(init))
    return make(initializers.call(init))


def spelled(initializer: Any) -> str:
    """An initialiser as a person writes it: `glorot_uniform`, `random_normal(stddev=0.01)`."""
    if not isinstance(initializer, keras.Initializer):
        return str(getattr(initializer, "__name__", type(initializer).__name__)) if initializer is not None else ""
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(initializer).__name__).lower().removesuffix("_initializer")
    try:
        usual = type(initializer)().get_config()
    except TypeError:  # one of the user's own, with arguments that it needs
        usual = {}
    own = {key: value for key, value in initializer.get_config().items() if key != "seed" and usual.get(key) != value}
    settings = ", ".join(f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}" for key, value in own.items())
    return f"{name}({settings})" if settings else name
