"""Which rows the runs of a stack train and validate on: all runs the same, or each those of its fold.

With folds the stack holds all rows once, and a run's batches are their numbers. Runs whose epochs have equally many steps are
trained side by side, so a fold costs what another seed costs; shorter batches are padded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nbtune.ask.space import Value
from nbtune.data import arrays as data
from nbtune.data.folds import Fold
from nbtune.record.job import Job
from nbtune.training.fused import batches, memory
from nbtune.training.fused.assembly import as_tensors, splits
from nbtune.training.fused.epoch import Pieces, Split, tensors
from nbtune.training.row_weights import is_balanced, weighted

Runs = Sequence[tuple[int, Job]]  # each with its number


@dataclass(frozen=True)
class Sizes:
    """Rows in a batch of the training and of the evaluation, and whether a row in it is for itself."""

    batch: int
    batch_val: int
    alone: bool
    alone_val: bool


class Feeding:
    """The rows of the runs of a job in batches.

    Args:
        values: of a combination of the stack, all of which weigh the classes alike.
    """

    def __init__(self, job: Job, values: Mapping[str, Value], sizes: Sizes) -> None:
        self._job, self._values, self._sizes = job, values, sizes
        self._folds: list[Fold] = data.folds(job.folder) if job.folds > 1 else []
        self._arrays = data.read(job.folder, job.fold)
        self._fixed = None if self._folds else splits(weighted(job, values, self._arrays))
        self._split = splits(self._arrays)[0] if self._folds else None

    def steps(self, run: Job) -> int:
        """Of an epoch."""
        rows = self._arrays.rows if not self._folds else len(self._folds[run.fold or 0].train)
        return -(-rows // self._sizes.batch)

    def parts(self, runs: Runs, most: int) -> list[Runs]:
        """Runs that can be trained side by side; each for itself where that would be more than `most` of them."""
        found: dict[tuple[int, int | None], list[tuple[int, Job]]] = {}
        apart = bool(self._folds) and is_balanced(self._job, self._values)  # rows weigh something else in each fold
        for number, run in runs:
            found.setdefault((self.steps(run), run.fold if apart else None), []).append((number, run))
        together: list[Runs] = list(found.values())
        return together if max(map(len, together)) <= most else [[run] for run in runs]

    def rows_of(self, runs: Runs) -> tuple[Split, Split | None]:
        """The rows that `pieces` and `pieces_val` of these runs are numbers of."""
        if self._fixed is not None:
            return self._fixed
        assert self._split is not None
        if len({run.fold for _, run in runs}) == 1:
            weights = self._weights_in(runs[0][1])
        else:
            weights = weighted(self._job, self._values, self._arrays).sample_weight
        return self._split._replace(sample_weight=as_tensors(weights)), self._split

    def _weights_in(self, run: Job) -> np.ndarray | None:
        """What each row weighs in the training of a run; rows that validate in it take no part."""
        own = weighted(run, self._values, data.read(self._job.folder, run.fold)).sample_weight
        if not isinstance(own, np.ndarray):
            return self._arrays.sample_weight  # none, or some for each output, which no class weights change
        found = np.zeros((self._arrays.rows, *own.shape[1:]), own.dtype)
        found[self._folds[run.fold or 0].train] = own
        return found

    def epochs(self, runs: Runs) -> Iterator[Pieces]:
        """The batches of each epoch, of these runs side by side."""
        orders = [batches.orders(self._training_rows(run), run.seed, run.shuffle) for _, run in runs]
        for each in zip(*orders, strict=True):
            yield tensors(batches.side_by_side([self._cut(order, run) for order, (_, run) in zip(each, runs, strict=True)]))

    def _training_rows(self, run: Job) -> int:
        return len(self._folds[run.fold or 0].train) if self._folds else self._arrays.rows

    def _cut(self, order: np.ndarray, run: Job) -> list[batches.Piece]:
        order = self._folds[run.fold or 0].train[order] if self._folds else order
        return batches.cut(order, self._sizes.batch, self._sizes.alone)

    def evaluation(self, runs: Runs) -> Pieces:
        """The batches of the evaluation, in few large ones where that makes no difference."""
        if not self._folds:
            return self._validating([np.arange(self._arrays.rows_val)])
        folds = list(dict.fromkeys(run.fold or 0 for _, run in runs))
        if len(folds) == 1:
            return self._validating([self._folds[folds[0]].val])
        return self._validating([self._folds[run.fold or 0].val for _, run in runs])

    def _validating(self, each: Sequence[np.ndarray]) -> Pieces:
        size = self._sizes.batch_val
        largest = max([len(fold.val) for fold in self._folds] or [len(each[0])])
        if self._sizes.alone_val and largest:
            size = -(-largest // -(-largest // memory.ROWS_AT_ONCE))
        return tensors(batches.side_by_side([batches.cut(rows, size, self._sizes.alone_val) for rows in each]))
