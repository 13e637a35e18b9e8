"""A stack: trials of one architecture trained as one computation, with the numbers of `training.trial`.

`step` writes one batch of one trial as a pure function, `mapped` and `dense` make of it the step of a stack, `epoch` an epoch
of that, which `compilation` runs; `assembly` puts a stack together, whose networks may differ in width (`padding`) and in
depth (`skipping`), and here it is trained. A `runner` watches each run of a trial and stops it, `runs` sums them up.
"""

from __future__ import annotations

import gc
import itertools
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from nbtune.ask.space import Value
from nbtune.ask.strategy import AUTO
from nbtune.data import arrays as data
from nbtune.record.events import DONE, Emit, EpochEnded, EpochUnderWay, TrialEnded, TrialStarted
from nbtune.record.job import Job
from nbtune.training import trial
from nbtune.training.fused import batches, dense, memory, padding, skipping
from nbtune.training.fused.assembly import assemble, rows, stacked
from nbtune.training.fused.batches import Piece
from nbtune.training.fused.compaction import Compaction
from nbtune.training.fused.compilation import compiled
from nbtune.training.fused.epoch import Epoch, Part, Pieces, Rows, tensors
from nbtune.training.fused.layers import per_example
from nbtune.training.fused.layers.convolutions import in_turn
from nbtune.training.fused.mapped import no_logs
from nbtune.training.fused.optimizers import below
from nbtune.training.fused.pace import Pace
from nbtune.training.fused.reasons import CannotFuse
from nbtune.training.fused.runner import Runner, early_stopping
from nbtune.training.fused.runs import Kept, Runs
from nbtune.training.fused.spec import Recipe, again, recipes
from nbtune.training.fused.step import Logs, Standing, State, seed_places
from nbtune.training.fused.worth import pays

LIVE_SHARE = 0.85  # of a stack, below which it leaves the stopped behind where that costs nothing but moving the others


class Outcome(NamedTuple):
    """`ended`: trials that were trained; `refused`: trial to the reason why it was not, and has to be on its own."""

    ended: list[TrialEnded]
    refused: dict[str, str]


def fit_stack(job: Job, emit: Emit, trials: Mapping[str, Mapping[str, Value]]) -> Outcome:
    """Trains several combinations together and leaves each one's best weights in the project.

    Trials that turn out not to be one architecture are trained as several stacks, one after another. A trial's end is
    sent when it comes, so that it is not lost with the others.

    Args:
        trials: trial to its values.
    """
    arrays = data.read(job.folder)
    ended: list[TrialEnded] = []
    refused: dict[str, str] = {}
    stacks: dict[str, list[Recipe]] = {}
    for made in recipes(job, trials, arrays):
        if isinstance(made, Recipe):
            stacks.setdefault(made.stack, []).append(made)
        else:
            refused[made[0]] = made[1]
    for frame, stack in itertools.chain.from_iterable(map(_framed, stacks.values())):
        for part in memory.parts(stack, job, arrays):
            reason = _too_small(job, frame, len(part), arrays)
            left = dict.fromkeys((each.trial for each in part), reason) if reason else {}
            refused |= left or _train(job, emit, frame, part, arrays, ended)
    return Outcome(ended, refused)


def reasons(job: Job, firsts: Sequence[Mapping[str, Value]], sizes: Sequence[int]) -> list[str | None]:
    """For each stack why it is not trained together, as far as that shows before it is trained; None if it is.

    Args:
        firsts, sizes: the first combination of each stack, and how many it has.
    """
    arrays = data.read(job.folder)
    found = recipes(job, {str(i): each for i, each in enumerate(firsts)}, arrays)
    return [
        _too_small(job, made, size, arrays) if isinstance(made, Recipe) else made[1]
        for made, size in zip(found, sizes, strict=True)
    ]


def _too_small(job: Job, recipe: Recipe, size: int, arrays: data.Arrays) -> str | None:
    """Why training so many trials together would be slower than one by one; None if it would not, or was asked for."""
    steps = _most_steps(job, recipe, arrays)
    if job.engine != AUTO or pays(size * job.repeats, steps):
        return None
    return f"compiling would take longer than {size} trial{'s' * (size > 1)} of {steps:,} steps at most"


def _most_steps(job: Job, recipe: Recipe, arrays: data.Arrays) -> int:
    return job.epochs * math.ceil(arrays.rows / int(recipe.values.get("batch_size", job.batch_size)))


def _framed(stack: Sequence[Recipe]) -> list[tuple[Recipe, list[Recipe]]]:
    """The trials in stacks, each with the one of them whose model is deep and wide enough for all, the frame; it stands first."""
    frame, *others = stack = sorted(stack, key=lambda recipe: (-recipe.depth, -recipe.size))
    is_of_one_depth = frame.depth == stack[-1].depth
    if all(skipping.fits(recipe, frame) for recipe in others) and (is_of_one_depth or _passes_over(frame, stack)):
        return [(frame, stack)]
    if not is_of_one_depth:
        by_depth = [list(group) for _, group in itertools.groupby(stack, lambda recipe: recipe.depth)]
        return [framed for group in by_depth for framed in _framed(group)]
    apart = [list(group) for _, group in itertools.groupby(sorted(stack, key=lambda recipe: recipe.shapes), lambda r: r.shapes)]
    return [(group[0], group) for group in apart]


def _passes_over(frame: Recipe, stack: Sequence[Recipe]) -> bool:
    """Whether the stack's step lets trials pass over layers."""
    return dense.fits(assemble(frame, stack)[0], frame.output)


def _train(
    job: Job, emit: Emit, frame: Recipe, stack: Sequence[Recipe], arrays: data.Arrays, ended: list[TrialEnded]
) -> dict[str, str]:
    """Trains one stack, in halves if there is no memory for the whole; why trials were not trained, by trial."""
    reason, too_large = "", False
    try:
        Fit(job, emit, frame, stack, arrays, ended).run()
    except CannotFuse as error:
        reason = str(error)
    except Exception as error:  # whoever of them is to blame, each trial meets it, or not, on its own
        reason = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
        too_large = isinstance(error, (tf.errors.ResourceExhaustedError, MemoryError))
    gc.collect()
    done = {end.trial for end in ended}
    left = [recipe for recipe in stack if recipe.trial not in done]
    if too_large and len(left) > 1:
        halves = left[0::2], left[1::2]
        return _train(job, emit, frame, halves[0], arrays, ended) | _train(job, emit, frame, halves[1], arrays, ended)
    return {recipe.trial: reason for recipe in left}


class Fit:
    """The training of one stack; `ended` grows as its trials end."""

    def __init__(
        self, job: Job, emit: Emit, frame: Recipe, stack: Sequence[Recipe], arrays: data.Arrays, ended: list[TrialEnded]
    ) -> None:
        self._job, self._emit, self._arrays, self._ended = job, emit, arrays, ended
        self._stack, self._frame = stack, frame
        self._step, self._which, labels = assemble(frame, stack)
        self._rows, self._rows_val = rows(arrays, labels)
        self._is_dense = dense.fits(self._step, frame.output)
        self._update = self._step.update_of_all if self._is_dense else self._step.update
        self._state: State
        self._seeds: list[tf.Tensor]
        self._no_logs: Logs
        self._pace = Pace()
        self._on_host: list[np.ndarray] | None
        self._running: list[Runner] = []
        self._runs = {recipe.trial: Runs(job) for recipe in stack}
        self._savers: dict[int, tuple[Any, Any]] = {}  # models, by their ids, each with an optimizer

    def run(self) -> None:
        now = time.time()
        self._emit([TrialStarted(recipe.trial, now) for recipe in self._stack])
        runs = list(enumerate(self._job.runs))
        at_once = self._runs_at_once(len(runs))
        steps = at_once * _most_steps(self._job, self._frame, self._arrays)
        held = zip(self._frame.weights, skipping.counts(self._frame, self._stack), strict=True)
        numbers = steps * sum(weight.size * count for weight, count in held)
        run_epoch, any_size = compiled(self._step, self._is_dense, at_once, numbers)
        for first in range(0, len(runs), at_once):
            self._train_runs(run_epoch, any_size, runs[first : first + at_once])

    def _runs_at_once(self, runs: int) -> int:
        """All runs in one stack where each trial can go through the rows in an order of its own, and memory allows; else one."""
        room = memory.most(self._frame, self._job, self._arrays)
        return runs if self._is_dense and runs * len(self._stack) <= room else 1

    def _train_runs(self, run_epoch: Epoch, any_size: bool, runs: Sequence[tuple[int, Job]]) -> None:
        batch_size = int(self._frame.values.get("batch_size", self._job.batch_size))
        alone = per_example.everything(self._step, self._frame.output)
        pieces_val = [] if self._rows_val is None else tensors(_pieces_val(self._rows_val, batch_size, alone))
        compaction = Compaction()
        self._begin(runs)
        if not self._running:  # each trial went wrong in an earlier run
            return
        orders = zip(*(batches.orders(self._rows.ys[0].shape[0], job.seed) for _, job in runs), strict=True)
        for epoch, drawn in zip(range(self._job.epochs), orders, strict=False):
            before = time.time()
            pieces = tensors(batches.side_by_side([batches.cut(order, batch_size, alone) for order in drawn]))
            results = self._train_epoch(run_epoch, epoch, pieces, pieces_val)
            self._end_epoch(epoch, results, before)
            if not self._running:
                break
            self._leave_the_stopped_behind_if_due(any_size, compaction, time.time() - before)

    def _leave_the_stopped_behind_if_due(self, any_size: bool, compaction: Compaction, seconds: float) -> None:
        """After an epoch that took so long."""
        live, size = len(self._running), self._state.live.shape[0]
        if any_size:
            if live <= LIVE_SHARE * size:
                self._leave_the_stopped_behind()
        elif not in_turn(self._frame.model) and compaction.due(seconds, live, size):
            self._leave_the_stopped_behind()
            self._pace = Pace()  # it is compiled anew

    def _train_epoch(self, run_epoch: Epoch, epoch: int, pieces: Pieces, pieces_val: Pieces) -> dict[str, np.ndarray]:
        """One epoch, with a sign of life between its parts; what Keras logs, `(trials,)` for each name."""
        live, count, done = self._state.live, sum(numbers.shape[0] for numbers, _ in pieces), 0
        at = Standing(self._state, self._seeds, self._no_logs)
        while done < count:
            before, ahead = time.perf_counter(), self._pace.batches(count - done)
            part = Part(tf.constant(done), tf.constant(done + ahead))
            at, results = run_epoch(at, live, self._rows, self._rows_val, pieces, pieces_val, part)
            logs = {name: values.numpy() for name, values in sorted(results.items())}
            done += ahead
            self._pace.took(ahead, time.perf_counter() - before)
            if done < count:
                trials = list(dict.fromkeys(runner.recipe.trial for runner in self._running))
                self._emit([EpochUnderWay(trials, epoch + 1, done / count)])
        self._state, self._seeds, _ = at
        self._on_host = None
        return logs

    def _begin(self, runs: Sequence[tuple[int, Job]]) -> None:
        """Each trial at the start of these runs; what was compiled for the first ones is used again."""
        stacks = [self._stack if not run else _again(job, self._stack, self._arrays) for run, job in runs]
        self._state = stacked(self._frame, stacks, self._update, self._which)
        self._seeds = [tf.constant(seed) for seed in stacks[0][0].seeds]
        self._on_host = None
        self._no_logs = no_logs(self._step, self._state.live.shape[0])
        each = [(*run, recipe) for recipes in zip(*stacks, strict=True) for run, recipe in zip(runs, recipes, strict=True)]
        runners = [Runner(r, run, early_stopping(job), i, self._weights) for i, (run, job, r) in enumerate(each)]
        self._go_on_with(runners)
        for runner in self._running:
            runner.stopper.set_model(runner)
            runner.stopper.on_train_begin()

    def _go_on_with(self, runners: Sequence[Runner]) -> None:
        """These but for the runs of trials that are over."""
        over = {end.trial for end in self._ended}
        self._running = [runner for runner in runners if runner.recipe.trial not in over]
        self._mark_live()

    def _mark_live(self) -> None:
        live = np.zeros(self._state.live.shape, bool)
        live[[runner.place for runner in self._running]] = True
        self._state = self._state._replace(live=tf.constant(live))

    def _leave_the_stopped_behind(self) -> None:
        places = [runner.place for runner in self._running]
        slots = self._update.without(self._state.slots, places)
        others = self._state._replace(slots=[])
        others = tf.nest.map_structure(lambda part: tf.gather(part, below(part.shape[0], places)), others)
        self._state = others._replace(slots=slots)
        self._no_logs = no_logs(self._step, len(places))
        self._on_host = None
        for place, runner in enumerate(self._running):
            runner.place = place

    def _end_epoch(self, epoch: int, results: Mapping[str, np.ndarray], before: float) -> None:
        assert self._job.objective is not None
        if self._job.objective.name not in results:
            raise CannotFuse(f"the model logs no {self._job.objective.name!r}")
        logs = [{name: float(v[runner.place]) for name, v in results.items()} for runner in self._running]
        shown = {r.recipe.trial: own for r, own in zip(reversed(self._running), reversed(logs), strict=True)}  # the first run's
        now = time.time()
        self._emit([EpochEnded(name, epoch + 1, own, now) for name, own in reversed(shown.items())])
        for runner, own in zip(self._running, logs, strict=True):
            runner.take(epoch, own)
            runner.seconds += (time.time() - before) / len(self._running)
        over = [r for r in self._running if r.stop_training or epoch + 1 == self._job.epochs]
        if over:
            for runner in over:
                self._end(runner)
            self._go_on_with([runner for runner in self._running if runner not in over])

    def _end(self, runner: Runner) -> None:
        """Ends a trial's run, and with the last one that matters the trial."""
        name, start = runner.recipe.trial, time.time()
        end = replace(trial.verdict(self._job, name, runner.history, runner.stopper.best_epoch + 1), seconds=runner.seconds)
        self._runs[name].take(runner.run, end, lambda: self._kept(runner))
        outcome = self._runs[name].outcome()
        if outcome is None or any(known.trial == name for known in self._ended):
            return
        ended, kept = outcome
        if kept and self._is_to_keep(ended):
            self._save(kept)
        ended = replace(ended, seconds=ended.seconds + time.time() - start)
        self._ended.append(ended)
        self._emit([ended])

    def _kept(self, runner: Runner) -> Kept:
        return Kept(runner.recipe, runner.stopper.best_weights, self._update.of_one(self._state.slots, runner.place))

    def _is_to_keep(self, ended: TrialEnded) -> bool:
        """Whether its weights can be among those that stay on disk, as far as the trials of this task show."""
        assert self._job.objective is not None and ended.score is not None
        scores = [end.score for end in self._ended if end.status == DONE and end.score is not None]
        return sum(self._job.objective.is_better(score, ended.score) for score in scores) < self._job.keep

    def _save(self, kept: Kept) -> None:
        """Through a model with the variables that `model.fit` would leave it."""
        recipe = kept.recipe
        # trials of a stack that have a model in common have optimizers that differ in their variables alone
        model, optimizer = self._savers.setdefault(id(recipe.model), (recipe.model, recipe.optimizer))
        model.optimizer = optimizer
        others = set(seed_places(model))
        rest = [v for i, v in enumerate(model.non_trainable_variables) if i not in others]
        if not optimizer.built:
            optimizer.build(model.trainable_variables)
        places = skipping.places(recipe, self._frame)
        slots = self._step.update.apart(kept.slots, optimizer, model.trainable_variables, places)
        variables = [*model.trainable_variables, *rest, *optimizer.variables]
        for variable, value in zip(variables, [*kept.weights, *slots], strict=True):
            variable.assign(padding.corner(value, variable.shape))
        trial.keep_weights(self._job, self._emit, recipe.trial, model)

    def _weights(self, runner: Runner) -> list[np.ndarray]:
        if self._on_host is None:
            self._on_host = [value.numpy() for value in [*self._state.weights, *self._state.others]]
        return [value[runner.place].copy() for value in self._on_host if runner.place < len(value)]


def _again(job: Job, stack: Sequence[Recipe], arrays: data.Arrays) -> list[Recipe]:
    """The trials of a stack as they start with another seed; of those that share a model one is made anew."""
    made: dict[int, Recipe] = {}
    for recipe in stack:
        if id(recipe.model) not in made:
            made[id(recipe.model)] = again(job, recipe, arrays)
    if len({each.stack for each in made.values()}) > 1:
        raise CannotFuse("random numbers that come to differ between models with another seed")
    starts = [(recipe, made[id(recipe.model)]) for recipe in stack]
    return [replace(old, weights=new.weights, others=new.others, seeds=new.seeds) for old, new in starts]


def _pieces_val(rows: Rows, size: int, alone: bool) -> list[Piece]:
    """The validation rows in Keras's batches, or in few large ones where that makes no difference."""
    count = rows.ys[0].shape[0]
    if alone:
        size = -(-count // -(-count // memory.ROWS_AT_ONCE))
    return batches.cut(np.arange(count), size, alone)
