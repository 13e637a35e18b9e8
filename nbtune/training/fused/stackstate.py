"""Where a stack stands between two epochs: its tensors, with one owner."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from nbtune.training.fused.assembly import stacked
from nbtune.training.fused.mapped import no_logs
from nbtune.training.fused.optimizers import Update, UpdateOfAll, below
from nbtune.training.fused.spec import TrialSpec
from nbtune.training.fused.step import Logs, Standing, State, Step


class StackState:
    """The tensors of a stack. A trial is known by its place, its index in each of them.

    Args:
        update: the step's, in the form that the stack is trained in.
        which: the loss of each trial.
    """

    def __init__(self, template: TrialSpec, step: Step, update: Update | UpdateOfAll, which: Sequence[int]) -> None:
        self._template, self._step, self._update, self._which = template, step, update, which
        self._state: State
        self._seeds: list[tf.Tensor]
        self._no_logs: Logs
        self._on_host: list[np.ndarray] | None
        self._slots_on_host: list[np.ndarray] | None

    def begin(self, repeats: Sequence[Sequence[TrialSpec]]) -> None:
        """At the start of these repeats, each with the trials of the stack."""
        self._seeds = [tf.constant(seed) for seed in repeats[0][0].seeds]
        self._put(stacked(self._template, repeats, self._update, self._which))
        self._no_logs = no_logs(self._step, self.size)

    def resume(self, slots: Sequence[Sequence[np.ndarray]], seeds: Sequence[np.ndarray]) -> None:
        """With these variables of each trial's optimizer, as `Update.joined` gives them, and states of the generators."""
        self._seeds = [tf.constant(seed) for seed in seeds]
        counts = [len(weight) for weight in self._state.weights]
        self._put(self._state._replace(slots=self._update.of_each(slots, counts)))

    @property
    def seeds(self) -> list[np.ndarray]:
        """The states of the generators that the trials share."""
        return [np.asarray(seed) for seed in self._seeds]

    @property
    def size(self) -> int:
        """How many trials it holds, those that have stopped included."""
        return int(self._state.live.shape[0])

    @property
    def standing(self) -> Standing:
        """Before an epoch."""
        return Standing(self._state, self._seeds, self._no_logs)

    def advance(self, after: Standing) -> None:
        """To where an epoch left it."""
        self._seeds = after.seeds
        self._put(after.state)

    def let_live(self, places: Sequence[int]) -> None:
        """The trials at these places train on, the others stay as they are."""
        live = np.zeros(self.size, bool)
        live[list(places)] = True
        self._state = self._state._replace(live=tf.constant(live))

    def keep(self, places: Sequence[int]) -> None:
        """The trials at these places alone, which move up."""
        slots = self._update.without(self._state.slots, places)
        others = self._state._replace(slots=[])
        others = tf.nest.map_structure(lambda part: tf.gather(part, below(part.shape[0], places)), others)
        self._put(others._replace(slots=slots))
        self._no_logs = no_logs(self._step, len(places))

    def weights(self, place: int) -> list[np.ndarray]:
        """A trial's variables, as large as the template's, without those of layers that it skips."""
        if self._on_host is None:
            self._on_host = [value.numpy() for value in [*self._state.weights, *self._state.others]]
        return [value[place].copy() for value in self._on_host if place < len(value)]

    def slots(self, place: int) -> list[np.ndarray]:
        """The variables of a trial's optimizer."""
        if self._slots_on_host is None:
            self._slots_on_host = [np.asarray(slot) for slot in self._state.slots]
        return self._update.of_one(self._slots_on_host, place)

    def _put(self, state: State) -> None:
        self._state, self._on_host, self._slots_on_host = state, None, None
