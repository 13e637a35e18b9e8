"""Recurrent layers in a stack: one loop over the steps for all trials, of any number of steps, masked or not.

`vectorized_map` cannot differentiate Keras's own loop, since TensorFlow's gradient of a loop collects what every step comes to
in lists that it cannot stack. Here the gradient is a second loop, which goes back over the steps and works each out again from
the state before it, and both loops stand in the step of a trial as one call, which is replaced by that for all trials. What a
step computes is Keras's cell, whichever it is: Keras's own, stacked ones, or a user's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from nbtune.training.fused.layers import kinds
from nbtune.training.private import keras as private_keras
from nbtune.training.private import tensorflow as private
from nbtune.training.reasons import CannotFuse

Tensors = list[tf.Tensor]
Step = Callable[[Any, Any], tuple[Any, Any]]


def prepare(model: keras.Model) -> None:
    """No layer of the model goes past `loop` to kernels that only one network can use."""
    for layer in private_keras.layers(model):
        if kinds.inherited(layer).recurrent and hasattr(layer, "use_cudnn"):
            layer.use_cudnn = False


def loop(
    step_function: Step,
    inputs: Any,
    initial_states: Any,
    go_backwards: bool = False,
    mask: Any = None,
    constants: Sequence[Any] | None = None,
    unroll: bool = False,
    input_length: Any = None,
    time_major: bool = False,
    zero_output_for_mask: bool = False,
    return_all_outputs: bool = True,
) -> tuple[Any, Any, Any]:
    """As `keras.src.backend.rnn`: the last output, `(rows, ...)`, all of them, `(rows, steps, ...)`, and the last states.

    Args:
        step_function: of a step's input, `(rows, ...)`, and the states, to its output and the new states.
        inputs: `(rows, steps, ...)`.
        mask: `(rows, steps)` or `(rows, steps, 1)`; where it is False, states and output stay as they were.
        return_all_outputs: else "all" outputs are the last one, `(rows, 1, ...)`.
    """
    del unroll, input_length  # the layer says how many steps there are, or that it does not know
    ahead = lambda part: part if time_major else _swapped(part)  # noqa: E731
    rows = [tf.reverse(part, [0]) if go_backwards else part for part in map(ahead, keras.tree.flatten(inputs))]
    masks = []
    if mask is not None:
        mask = tf.cast(mask if len(mask.shape) > 2 else mask[..., None], tf.bool)
        masks = [tf.reverse(ahead(mask), [0]) if go_backwards else ahead(mask)]
    zeroed = zero_output_for_mask if masks else None
    cell = _Cell(step_function, inputs, initial_states, list(constants or []), [part[0] for part in [*rows, *masks]], zeroed)
    outs, carried = _run(cell, [*rows, *masks], return_all_outputs)
    back = (lambda part: part) if time_major else _swapped
    last = cell.as_output([out[-1] for out in outs])
    return last, keras.tree.map_structure(back, cell.as_output(outs)), cell.as_states(carried)


def _swapped(part: tf.Tensor) -> tf.Tensor:
    return tf.transpose(part, [1, 0, *range(2, len(part.shape))])


class _Cell:
    """One step as a function of flat tensors: of what comes in at it and what the step before left, to output and what it leaves.

    What is left is the states, and the output in front of them where a mask may ask for it again. It is traced at once, forwards
    and backwards, while the layers' variables stand for one trial's tensors.

    Attributes:
        captured: what a step takes besides its arguments, weights among it.
        held: which of these, and `moved` which of a step's rows, have slopes.
        outputs: how many parts the output has; `no_outputs` are zeros like it.
        start: what the first step finds.
        forward: graph of rows, what the step finds and captured, to outputs and what it leaves.
        backward: graph of the same, and the slopes of outputs and of what it leaves, to those of `moved`, of what it finds and
            of `held`.
    """

    def __init__(
        self, function: Step, inputs: Any, states: Any, constants: list[Any], first: Tensors, zeroed: bool | None
    ) -> None:
        self._function, self._inputs, self._states, self._constants = function, inputs, states, tuple(constants)
        self._zeroed = zeroed
        self._output: Any = None
        self._count = len(first)
        own = [tf.convert_to_tensor(state) for state in keras.tree.flatten(states)]
        count = len(first)
        alone, _ = private.traced(lambda *flat: _joined(self._step(flat[:count], flat[count:])), [*first, *own])
        self.outputs = len(alone.outputs) - len(own)
        self.no_outputs = [_zeros(first[0], out) for out in alone.outputs[: self.outputs]]
        self.start = [*([] if zeroed is None else self.no_outputs), *own]
        found = [*first, *self.start]
        self.forward, self.captured = private.traced(lambda *flat: _joined(self._masked_step(flat)), found)
        if any(part.dtype == tf.resource for part in self.captured):
            raise CannotFuse("a recurrent cell with variables that Keras does not know")
        self.moved = [i for i, part in enumerate(first) if part.dtype.is_floating]
        self.held = [i for i, part in enumerate(self.captured) if part.dtype.is_floating]
        left = [*self.no_outputs, *self.start]
        self.backward, captured = private.traced(self._step_back, [*found, *left], self.captured)
        if len(captured) != len(self.captured):
            raise CannotFuse("a recurrent cell that computes something else each time it is called")

    def as_output(self, flat: Tensors) -> Any:
        return keras.tree.pack_sequence_as(self._output, flat)

    def as_states(self, left: Tensors) -> Any:
        return keras.tree.pack_sequence_as(self._states, left[0 if self._zeroed is None else self.outputs :])

    def _step(self, rows: Sequence[tf.Tensor], states: Sequence[tf.Tensor]) -> tuple[Tensors, Tensors]:
        inputs = keras.tree.pack_sequence_as(self._inputs, list(rows[: len(keras.tree.flatten(self._inputs))]))
        given = keras.tree.pack_sequence_as(self._states, list(states))
        out, new = self._function(inputs, tuple(given) + self._constants)
        self._output = keras.tree.map_structure(lambda part: 0, out)
        return list(keras.tree.flatten(out)), list(keras.tree.flatten(new))

    def _masked_step(self, flat: Sequence[tf.Tensor]) -> tuple[Tensors, Tensors]:
        rows, before = flat[: self._count], flat[self._count :]
        if self._zeroed is None:
            return self._step(rows, before)
        previous, states = before[: self.outputs], before[self.outputs :]
        out, new = self._step(rows[:-1], states)
        others = map(tf.zeros_like, previous) if self._zeroed else previous
        outs = [_where(rows[-1], a, b) for a, b in zip(out, others, strict=True)]
        return outs, [*outs, *(_where(rows[-1], a, b) for a, b in zip(new, states, strict=True))]

    def _step_back(self, *flat: tf.Tensor) -> Tensors:
        given = self._count + len(self.start)
        captured = private.captured_here(self.captured)
        outs, left = self._masked_step(flat[:given])
        sources = [*(flat[i] for i in self.moved), *flat[self._count : given], *(captured[i] for i in self.held)]
        zero = tf.UnconnectedGradients.ZERO
        return list(tf.gradients([*outs, *left], sources, list(flat[given:]), unconnected_gradients=zero))


def _joined(parts: tuple[Tensors, Tensors]) -> Tensors:
    return [*parts[0], *parts[1]]


def _zeros(rows: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """As many as there are rows, of another tensor's other dimensions."""
    zeros = tf.zeros([tf.shape(rows)[0], *like.shape[1:]], like.dtype)
    zeros.set_shape([rows.shape[0], *like.shape[1:]])
    return zeros


def _where(mask: tf.Tensor, new: tf.Tensor, old: tf.Tensor) -> tf.Tensor:
    return tf.where(tf.reshape(mask, [-1, *[1] * (len(new.shape) - 1)]), new, old)


def _run(cell: _Cell, rows: Tensors, all_outputs: bool) -> tuple[Tensors, Tensors]:
    """The outputs, `(steps, rows, ...)` or of the last step alone, `(1, rows, ...)`, and what the last step leaves."""
    counts = len(rows), len(cell.start)
    of_one = private.as_one_call

    @tf.custom_gradient
    def run(*given: tf.Tensor) -> tuple[Tensors, Any]:
        ahead = _Loop(cell, counts, all_outputs)
        found = of_one(ahead.forwards, ahead.forwards_of_all, given)
        shown = found[: -counts[1]]

        def gradient(*slopes: tf.Tensor) -> list[tf.Tensor | None]:
            before = found[-counts[1] :]
            outs, left = list(slopes[: cell.outputs]), list(slopes[cell.outputs :])
            of_outs = outs if all_outputs else [out[-1] for out in outs]
            slots = [*given[: counts[0]], *before, *of_outs, *left, *given[sum(counts) :]]
            return ahead.as_given(of_one(ahead.backwards, ahead.backwards_of_all, slots), len(given))

        return shown, gradient

    found = run(*rows, *cell.start, *cell.captured)
    return list(found[: cell.outputs]), list(found[cell.outputs :])


class _Loop:
    """Both loops of a layer, for one trial and for all; `of_all` ones take for each tensor whether it is of each trial, and
    have the trials first.

    Args:
        counts: how many tensors of rows there are, and how many that a step leaves.
    """

    def __init__(self, cell: _Cell, counts: tuple[int, int], all_outputs: bool) -> None:
        self._cell, self._counts, self._all = cell, counts, all_outputs

    def forwards(self, *flat: tf.Tensor) -> Tensors:
        """Of rows, start and captured, to outputs, what the last step leaves, and what each step found, `(steps, ...)`."""
        outs, left, before = self._forwards(flat, lambda flat: private.run(self._cell.forward, flat))
        return [*outs, *left, *before]

    def forwards_of_all(self, flat: Tensors, of_each: list[bool], trials: Any) -> Tensors:
        rows, left = self._counts
        apart = [i < rows and of_each[i] for i in range(len(flat))]
        given = [_swapped(part) if swap else part for part, swap in zip(flat, apart, strict=True)]
        for i in range(rows, rows + left):
            given[i] = given[i] if of_each[i] else _repeated(given[i], trials)
        stacked = [*of_each[:rows], *[True] * left, *of_each[rows + left :]]
        step = lambda flat: private.run_all(self._cell.forward, flat, stacked, trials)  # noqa: E731
        outs, last, before = self._forwards(given, step)
        return [*map(_swapped, outs), *last, *map(_swapped, before)]

    def _forwards(self, flat: Sequence[tf.Tensor], step: Callable[[Tensors], Tensors]) -> tuple[Tensors, Tensors, Tensors]:
        cell, (count, more) = self._cell, self._counts
        rows, start, captured = list(flat[:count]), list(flat[count : count + more]), list(flat[count + more :])
        steps, ins = _steps(rows[0]), list(map(_array, rows))
        before = [tf.TensorArray(part.dtype, steps, element_shape=part.shape) for part in start]
        first = step([*(array.read(0) for array in ins), *start, *captured])[: cell.outputs]
        outs: Any = [tf.TensorArray(out.dtype, steps, element_shape=out.shape) for out in first] if self._all else first

        def body(i: tf.Tensor, before: list[Any], outs: Any, left: Tensors) -> Any:
            before = [array.write(i, part) for array, part in zip(before, left, strict=True)]
            found = step([*(array.read(i) for array in ins), *left, *captured])
            out, left = found[: cell.outputs], _like(found[cell.outputs :], start)
            outs = [array.write(i, part) for array, part in zip(outs, out, strict=True)] if self._all else out
            return i + 1, before, outs, left

        _, before, outs, left = tf.while_loop(lambda i, *_: i < steps, body, (0, before, outs, start), parallel_iterations=1)
        return [out.stack() if self._all else out[None] for out in outs], left, [array.stack() for array in before]

    def backwards(self, *flat: tf.Tensor) -> Tensors:
        """Of rows, what each step found, the slopes of outputs and of what the last step leaves, and captured, to slopes."""
        last = len(flat) - len(self._cell.captured)
        zeros = [tf.zeros_like(flat[last + i]) for i in self._cell.held]
        return self._backwards(flat, lambda flat: private.run(self._cell.backward, flat), zeros)

    def backwards_of_all(self, flat: Tensors, of_each: list[bool], trials: Any) -> Tensors:
        cell, (rows, left) = self._cell, self._counts
        last = len(flat) - len(cell.captured)
        stacked = [own or rows <= i < last for i, own in enumerate(of_each)]
        over_steps = range(rows + left + (cell.outputs if self._all else 0))
        given = list(flat)
        for i, (part, own) in enumerate(zip(flat, of_each, strict=True)):
            part = _repeated(part, trials) if stacked[i] and not own else part
            given[i] = _swapped(part) if stacked[i] and i in over_steps else part
        zeros = [tf.zeros_like(given[last + i]) for i in cell.held]
        zeros = [zero if of_each[last + i] else _repeated(zero, trials) for i, zero in zip(cell.held, zeros, strict=True)]
        found = self._backwards(given, lambda flat: private.run_all(cell.backward, flat, stacked, trials), zeros)
        return [_swapped(part) if i < len(cell.moved) else part for i, part in enumerate(found)]

    def _backwards(self, flat: Sequence[tf.Tensor], step: Callable[[Tensors], Tensors], of_held: Tensors) -> Tensors:
        cell, (count, more) = self._cell, self._counts
        last = len(flat) - len(cell.captured)
        rows, before, captured = list(flat[:count]), list(flat[count : count + more]), list(flat[last:])
        of_outs, of_left = list(flat[count + more : last - more]), list(flat[last - more : last])
        steps, ins, found = _steps(rows[0]), list(map(_array, rows)), list(map(_array, before))
        arrays = list(map(_array, of_outs)) if self._all else []
        a, b = len(cell.moved), len(cell.moved) + more

        def body(i: tf.Tensor, of_rows: list[Any], of_out: Tensors, of_left: Tensors, of_held: Tensors) -> Any:
            of_now = [array.read(i) for array in arrays] if self._all else of_out
            now = [*(array.read(i) for array in ins), *(array.read(i) for array in found), *of_now, *of_left, *captured]
            slopes = step(now)
            of_rows = [array.write(i, part) for array, part in zip(of_rows, slopes[:a], strict=True)]
            added = [x + y for x, y in zip(of_held, slopes[b:], strict=True)]
            return i - 1, of_rows, [] if self._all else list(map(tf.zeros_like, of_out)), _like(slopes[a:b], of_left), added

        of_rows = [tf.TensorArray(rows[i].dtype, steps) for i in cell.moved]
        start = (steps - 1, of_rows, [] if self._all else of_outs, of_left, of_held)
        _, of_rows, _, of_left, of_held = tf.while_loop(lambda i, *_: i >= 0, body, start, parallel_iterations=1)
        return [*(array.stack() for array in of_rows), *of_left, *of_held]

    def as_given(self, slopes: Tensors, count: int) -> list[tf.Tensor | None]:
        """These slopes at the places of the tensors that the layer was given."""
        cell, (rows, left) = self._cell, self._counts
        places = [*cell.moved, *range(rows, rows + left), *(rows + left + i for i in cell.held)]
        found: list[tf.Tensor | None] = [None] * count
        for place, slope in zip(places, slopes, strict=True):
            found[place] = slope
        return found


def _like(parts: Tensors, others: Tensors) -> Tensors:
    """The parts, of the shapes of the others as far as those are known."""
    for part, other in zip(parts, others, strict=True):
        part.set_shape(other.shape)
    return parts


def _repeated(part: tf.Tensor, trials: Any) -> tf.Tensor:
    return tf.repeat(part[None], trials, 0)


def _steps(rows: tf.Tensor) -> Any:
    return rows.shape[0] if rows.shape[0] is not None else tf.shape(rows)[0]


def _array(rows: tf.Tensor) -> Any:
    return tf.TensorArray(rows.dtype, _steps(rows), element_shape=rows.shape[1:], clear_after_read=False).unstack(rows)
