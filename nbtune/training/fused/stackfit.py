"""One stack, from the start of its trials, or from where they were left off, up to their ends."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import tensorflow as tf

from nbtune import machine
from nbtune.ask.space import Value
from nbtune.data import arrays as data
from nbtune.record.checkpoint import Checkpoint
from nbtune.record.events import Emit, EpochEnded, EpochUnderWay, Stopping, TrialStarted
from nbtune.record.job import Job
from nbtune.training import resuming, schedules
from nbtune.training.callbacks import made_callbacks
from nbtune.training.fused import dense, first_steps, memory, skipping
from nbtune.training.fused.assembly import assemble
from nbtune.training.fused.compaction import Compaction
from nbtune.training.fused.compilation import compiled
from nbtune.training.fused.ending import Ending
from nbtune.training.fused.epochs import Epochs
from nbtune.training.fused.feeding import Feeding, Runs, Sizes
from nbtune.training.fused.layers import per_example
from nbtune.training.fused.layers.convolutions import in_turn
from nbtune.training.fused.member import Member, early_stopping
from nbtune.training.fused.repeats import Kept
from nbtune.training.fused.saving import Saver
from nbtune.training.fused.spec import TrialSpec, again, rates_of
from nbtune.training.fused.stackstate import StackState
from nbtune.training.fused.step import Standing
from nbtune.training.reasons import CannotFuse
from nbtune.training.stopping import Halted, never

LIVE_SHARE = 0.85  # of a stack, below which it leaves the stopped behind where that costs nothing but moving the others


def steps(job: Job, spec: TrialSpec, arrays: data.Arrays) -> int:
    """Of an epoch."""
    return math.ceil(arrays.rows / batch_size(job, spec))


def batch_size(job: Job, spec: TrialSpec) -> int:
    return int(spec.values.get("batch_size", job.batch_size))


class Fit:
    """The training of one stack, up to the ending of each of its trials; it owns the members that are still running."""

    def __init__(
        self,
        job: Job,
        emit: Emit,
        template: TrialSpec,
        stack: Sequence[TrialSpec],
        arrays: data.Arrays,
        ending: Ending,
        stopping: Stopping = never,
    ) -> None:
        self._job, self._emit, self._arrays, self._ending, self._stopping = job, emit, arrays, ending, stopping
        self._stack, self._template = stack, template
        self._step, which = assemble(template, stack)
        self._is_dense = dense.can_train(self._step, template.output)
        self._update = self._step.update_of_all if self._is_dense else self._step.update
        self._state = StackState(template, self._step, self._update, which)
        batch = batch_size(job, template)
        alone = [per_example.everything(self._step, template.output, training) for training in (True, False)]
        self._feeding = Feeding(job, template.values, Sizes(batch, job.validation_batch_size or batch, *alone))
        self._steps = 0  # of an epoch of the runs under way
        self._running: list[Member] = []
        self._saver = Saver(job, emit, template, self._step, stopping)
        self._journal = resuming.Journal(job)
        self._obstacle = next(filter(None, (resuming.obstacle(job, template.model, spec.values) for spec in stack)), None)

    def run(self) -> None:
        now, runs = machine.now(), list(enumerate(self._job.each_run))
        parts = self._feeding.parts(runs, self._most_at_once())
        at_once = len(runs) // len(parts)
        self._emit([TrialStarted(spec.trial, now, spec.history, at_once) for spec in self._stack])
        goes_on = any(spec.left for spec in self._stack)
        self._ending.begin(self._stack, self._saver.kept)
        programs: dict[tuple[bool, bool], tuple[Epochs, bool]] = {}
        try:
            for number, part in enumerate(parts):
                for first in self._first_epochs(part):
                    self._begin(part, first)
                    if not self._running:  # each trial went wrong in an earlier run
                        continue
                    if goes_on:
                        self._tell_where_it_goes_on(number, at_once)
                    kind = len(part) > 1, len({run.fold for _, run in part}) > 1
                    if kind not in programs:
                        programs[kind] = self._program(part, apart=kind[1])
                    epochs, any_size = programs[kind]
                    epochs.feed(*self._feeding.rows_of(part), self._feeding.evaluation(part))
                    self._train_runs(epochs, first, any_size, part)
        except Halted:
            self._write_down()
            self._ending.stop(self._running, self._kept, self._saver.save, self._obstacle)

    def _first_epochs(self, runs: Runs) -> list[int]:
        """How many epochs are behind these runs of the trials: those of which it is another number are trained later."""
        each = [(spec, number) for spec in self._stack for number, _ in runs]
        return sorted({spec.epochs(number) for spec, number in each if not spec.has_ended(number)})

    def _program(self, runs: Runs, apart: bool) -> tuple[Epochs, bool]:
        """What trains an epoch of so many runs at once, and whether it takes a smaller stack as it is."""
        steps = len(runs) * self._job.epochs * self._steps
        held = zip(self._template.weights, skipping.counts(self._template, self._stack), strict=True)
        numbers = steps * sum(weight.size * count for weight, count in held)
        run_epoch, any_size = compiled(self._step, self._is_dense, len(runs), numbers, apart)
        return Epochs(run_epoch), any_size

    def _most_at_once(self) -> int:
        """How many runs can be in one stack: several where each trial can have its own rows, as many as memory allows."""
        room = memory.most(self._template, self._job, self._arrays)
        return max(room // len(self._stack), 1) if self._is_dense else 1

    def _begin(self, runs: Runs, first: int) -> None:
        """Each trial in those of these runs of which so many epochs are trained; what was compiled for others is used again."""
        self._running = []
        self._halt_if_asked()
        self._steps = self._feeding.steps(runs[0][1])
        stacks = [self._start(number, job) for number, job in runs]
        self._state.begin(stacks)
        each = [(*run, spec) for specs in zip(*stacks, strict=True) for run, spec in zip(runs, specs, strict=True)]
        members = [self._member(i, number, job, spec) for i, (number, job, spec) in enumerate(each)]
        is_open = lambda m: not m.spec.has_ended(m.repeat) and m.spec.epochs(m.repeat) == first  # noqa: E731
        self._go_on_with([member for member in members if is_open(member)])
        if first and self._running:
            self._resume(len(members))
        for member in self._running:
            member.begin()

    def _resume(self, size: int) -> None:
        """What is running goes on; the stack, of this size, holds nothing else."""
        seeds = [member.spec.seeds for member in self._running]
        if any(not np.array_equal(a, b) for own in seeds for a, b in zip(own, seeds[0], strict=True)):
            raise CannotFuse("random numbers that have come to differ")
        if len(self._running) < size:
            self._leave_the_stopped_behind()
        self._state.resume([self._saver.slots(member.spec) for member in self._running], seeds[0])

    def _tell_where_it_goes_on(self, behind: int, at_once: int) -> None:
        """With the history of the first of each trial's runs; so many groups of them are behind it."""
        first = {member.spec.trial: member for member in reversed(self._running)}.values()
        now = machine.now()
        self._emit([TrialStarted(each.spec.trial, now, each.history, at_once, behind) for each in reversed(list(first))])

    def _start(self, number: int, run: Job) -> Sequence[TrialSpec]:
        """The trials as they start in a run, or go on in it."""
        stack = self._stack if run.seed == self._job.seed else _again(run, self._stack, self._arrays)
        stack = [spec.gone_on(spec.left.get(number)) for spec in stack]
        if self._steps == steps(self._job, self._template, self._arrays):
            return stack
        own = data.read(self._job.folder, run.fold)
        return [replace(spec, rates=rates_of(run, spec, own)) for spec in stack]

    def _member(self, place: int, repeat: int, job: Job, spec: TrialSpec) -> Member:
        now = lambda member: self._state.weights(member.place)  # noqa: E731
        own = made_callbacks(job, spec.values, self._job.written(spec.trial, job))
        plateau, is_scheduled = schedules.plateau(job, spec.values), schedules.is_chosen(job, spec.values)
        metrics = [self._step.metrics] if self._step.metrics else []
        return Member(spec, repeat, early_stopping(job, spec.at), place, now, self._steps, own, metrics, plateau, is_scheduled)

    def _go_on_with(self, members: Sequence[Member]) -> None:
        """These but for the repeats of trials that are over."""
        self._running = [member for member in members if not self._ending.is_over(member.spec.trial)]
        self._state.let_live([member.place for member in self._running])

    def _train_runs(self, epochs: Epochs, first: int, any_size: bool, runs: Runs) -> None:
        """Trains from this epoch on until none is running."""
        compaction = Compaction()
        batches = itertools.islice(self._feeding.epochs(runs), first, None)
        for epoch in range(first, self._job.epochs):
            for member in self._running:
                member.begin_epoch(epoch)
            if epoch == 0 and not self._is_dense and not all(spec.is_proven for spec in self._stack):
                self._compare_first_steps(epochs, runs)
            before = machine.now()
            rates = tf.constant(self._rates(epoch))
            after, logs = epochs.train(self._state.standing, rates, next(batches), partial(self._tell_share, epoch))
            self._state.advance(after)
            self._end_epoch(epoch, logs, before)
            if not self._running:
                break
            self._halt_if_asked()
            if self._journal.due:
                self._write_down()
            self._leave_the_stopped_behind_if_due(epochs, any_size, compaction, machine.now() - before)

    def _compare_first_steps(self, epochs: Epochs, runs: Runs) -> None:
        """Raises CannotFuse where they are not those of `model.fit`; the stack stays at its start."""
        start, rates, pieces, run = self._state.standing, self._rates(0), next(self._feeding.epochs(runs)), runs[0][1]

        def train(at: Standing, batch: int) -> tuple[Standing, dict[str, tf.Tensor]]:
            now = rates.copy()
            now[:, batch] = rates[:, min(batch, 1)]  # the last batch of the epoch is here the second step
            return epochs.train_batch(at, tf.constant(now), pieces, batch)

        arrays = data.read(self._job.folder, run.fold)
        first_steps.compare(run, arrays, self._template, self._stack, self._step, self._update, train, start)

    def _rates(self, epoch: int) -> np.ndarray:
        """The learning rate of each trial in each step of an epoch, `(trials, steps)`."""
        found = np.zeros([self._state.size, self._steps], np.float32)
        for member in self._running:
            found[member.place] = member.optimizer.of(epoch, self._steps)
        return found

    def _halt_if_asked(self) -> None:
        if self._stopping():
            raise Halted

    def _write_down(self) -> None:
        """Where each run stands after the last epoch, if it can go on there."""
        can_go_on = self._obstacle is None and all(member.history for member in self._running)
        self._journal.write(map(self._standing, self._running if can_go_on else []), self._ending.over)

    def _standing(self, member: Member) -> tuple[Mapping[str, Value], int, Checkpoint]:
        now = Kept(member.spec, self._state.weights(member.place), self._state.slots(member.place))
        at = self._saver.standing(self._ending.so_far(member), member, now, self._state.seeds)
        return member.spec.values, member.repeat, at

    def _tell_share(self, epoch: int, share: float) -> None:
        self._halt_if_asked()  # in the epoch, which is given up
        trials = list(dict.fromkeys(member.spec.trial for member in self._running))
        self._emit([EpochUnderWay(trials, epoch + 1, share, machine.now())])

    def _leave_the_stopped_behind_if_due(self, epochs: Epochs, any_size: bool, compaction: Compaction, seconds: float) -> None:
        """After an epoch that took so long."""
        live, size = len(self._running), self._state.size
        if any_size:
            if live <= LIVE_SHARE * size:
                self._leave_the_stopped_behind()
        elif not in_turn(self._template.model) and compaction.due(seconds, live, size):
            self._leave_the_stopped_behind()
            epochs.compile_anew()

    def _leave_the_stopped_behind(self) -> None:
        self._state.keep([member.place for member in self._running])
        for place, member in enumerate(self._running):
            member.place = place

    def _end_epoch(self, epoch: int, results: Mapping[str, np.ndarray], before: float) -> None:
        if self._job.objective.name not in results:
            raise CannotFuse(f"the model logs no {self._job.objective.name!r}")
        if not self._job.objective.validates(epoch + 1):  # the evaluation is part of what was compiled, and changes nothing
            results = {name: values for name, values in results.items() if not name.startswith("val_")}
        logs = [{name: float(v[member.place]) for name, v in results.items()} for member in self._running]
        for member, own in zip(self._running, logs, strict=True):
            member.take(epoch, own)
            member.seconds += (machine.now() - before) / len(self._running)
        shown = {r.spec.trial: own for r, own in zip(reversed(self._running), reversed(logs), strict=True)}  # the first repeat's
        now = machine.now()
        self._emit([EpochEnded(name, epoch + 1, own, now) for name, own in reversed(shown.items())])
        over = [r for r in self._running if r.stop_training or epoch + 1 == self._job.epochs]
        if over:
            for member in over:
                member.end()
                self._ending.take(member, self._kept, self._saver.save)
                self._note(member)
            self._go_on_with([member for member in self._running if member not in over])

    def _note(self, member: Member) -> None:
        """A run has ended whose trial may go on."""
        if self._ending.is_over(member.spec.trial):
            return
        at = self._saver.standing(self._ending.ended(member), member, self._kept(member), self._state.seeds)
        self._journal.note(member.spec.values, member.repeat, at)

    def _kept(self, member: Member) -> Kept:
        return Kept(member.spec, member.stopper.best_weights, self._state.slots(member.place))


def _again(job: Job, stack: Sequence[TrialSpec], arrays: data.Arrays) -> list[TrialSpec]:
    """The trials of a stack as they start with another seed; of those that share a model one is made anew."""
    made: dict[int, TrialSpec] = {}
    for spec in stack:
        if id(spec.model) not in made:
            made[id(spec.model)] = again(job, spec, arrays)
    if len({each.stack_key for each in made.values()}) > 1:
        raise CannotFuse("random numbers that come to differ between models with another seed")
    starts = [(spec, made[id(spec.model)]) for spec in stack]
    return [replace(old, weights=new.weights, others=new.others, seeds=new.seeds) for old, new in starts]
