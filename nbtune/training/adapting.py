"""Preprocessing layers that the user has adapted, adapted anew: in a fold they may have seen its training rows alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from nbtune.data.rows import Inputs
from nbtune.data.tree import leaves
from nbtune.errors import UsageError
from nbtune.training import randomness
from nbtune.training.private import keras as private

_AT_ONCE = 512  # rows


class _Reached(Exception):
    """What a layer is given is known, so the layers behind it need not run."""


def adapted_anew(make: Callable[[], keras.Model], x: Inputs) -> keras.Model:
    """The model that `make` returns, where each layer that had been adapted is adapted to what it is given of these rows.

    Layers from around the function are adapted before the model is made, whose shape may depend on them; those that the
    function makes and adapts itself can only be adapted in the finished model.

    Raises:
        UsageError: the model does not fit the new state of such a layer.
    """
    with randomness.kept():
        first = make()
        around = adapted(first)
        _adapt(first, around, x, is_final=False)
    model = make()
    _adapt(model, [layer for layer in adapted(model) if not any(layer is one for one in around)], x, is_final=True)
    return model


def adapted(model: keras.Model) -> list[Any]:
    """The layers of a model that have learned from data by `adapt`, those inside of others too."""
    found = [layer for layer in private.layers(model) if _is_adapted(layer)]
    inner = [private.lookup(layer) for layer in found]
    return [layer for layer in found if not any(layer is one for one in inner)]


def _is_adapted(layer: Any) -> bool:
    """As far as its state tells: one that was given its state, or has none yet, keeps what it has."""
    if isinstance(layer, keras.layers.Normalization):
        if not layer.built or layer.input_mean is not None:
            return False
        return bool(np.any(np.asarray(layer.adapt_mean)) or np.any(np.asarray(layer.adapt_variance) != 1))
    if isinstance(layer, keras.layers.Discretization):
        return layer.num_bins is not None and bool(layer.bin_boundaries)  # it takes one of them, and learns the other
    if private.lookup(layer) is not None:
        return not layer.get_config().get("vocabulary") and len(layer.get_vocabulary(include_special_tokens=False)) > 0
    return False


def _adapt(model: keras.Model, layers: Sequence[Any], x: Inputs, is_final: bool) -> None:
    """Adapts these layers of a model, in the order in which it calls them.

    Args:
        is_final: whether the model is to stay as it is.
    """
    if not layers:
        return
    calls = _calls(model, layers, x)
    for layer in sorted((one for one in layers if id(one) in calls), key=lambda one: calls[id(one)][0]):
        rows = _given(model, layer, len(calls[id(layer)]), x)
        if not is_final:
            private.thaw(layer)
        try:
            layer.adapt(rows)
        except RuntimeError as error:
            raise UsageError(
                f"the layer {layer.name} comes to another vocabulary in a fold, and the model was made for the old one; adapt "
                "the layer outside of the function, or give it max_tokens and pad_to_max_tokens=True"
            ) from error


def _calls(model: keras.Model, layers: Sequence[Any], x: Inputs) -> dict[int, list[int]]:
    """For each of the layers that are called, by its id, at which places, while a row goes through the model."""
    found: dict[int, list[int]] = {}

    def noted(layer: Any, call: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        found.setdefault(id(layer), []).append(sum(map(len, found.values())))
        return call(inputs, *args, **kwargs)

    with private.called_as(layers, noted):
        model(_tensors(x, slice(0, 1)), training=False)
    return found


def _given(model: keras.Model, layer: Any, times: int, x: Inputs) -> Any:
    """All that a layer is called on, `times` for each batch, while these rows go through the model."""
    parts: list[np.ndarray] = []

    def kept(layer: Any, call: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        parts.append(np.asarray(inputs))
        if len(parts) % times == 0:
            raise _Reached
        return call(inputs, *args, **kwargs)

    with private.called_as([layer], kept):
        for start in range(0, len(leaves(x)[0]), _AT_ONCE):
            try:
                model(_tensors(x, slice(start, start + _AT_ONCE)), training=False)
            except _Reached:
                continue
    found = np.concatenate(parts)
    return keras.ops.convert_to_tensor(found.tolist(), "string") if found.dtype.kind in "OS" else found


def _tensors(x: Inputs, rows: slice) -> Any:
    kind = lambda leaf: "string" if leaf.dtype.kind == "S" else None  # noqa: E731
    tensor = lambda leaf: keras.ops.convert_to_tensor(leaf[rows], kind(leaf))  # noqa: E731
    return keras.tree.map_structure(tensor, keras.tree.lists_to_tuples(x))
