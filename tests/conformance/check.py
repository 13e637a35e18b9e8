"""One case through both engines, `best_model`, `code()` and `refit()`, against `model.fit`."""

from __future__ import annotations

import contextlib
import inspect
import io
import math
import tempfile
import time
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from nbtune import Search, tune
from tests.conformance.case import Case
from tests.conformance.reference import Fitted, Weights, difference, fit

ENGINES = ("trial", "fused")


@dataclass
class Outcome:
    """What became of a case.

    Attributes:
        reason: why its trials were trained one by one; empty if together.
        differences: what was compared to the largest relative difference found.
        seconds: by `model.fit` and each engine, for the same trials.
        error: what stopped it; empty if nothing did.
    """

    case: Case
    reason: str = ""
    differences: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    error: str = ""

    @property
    def largest(self) -> float:
        """In the histories of both engines."""
        return max((self.differences.get(f"history, {engine}", math.inf) for engine in ENGINES), default=math.inf)

    @property
    def failures(self) -> list[str]:
        """What is not as it should be, a line each."""
        if self.error:
            return [self.error]
        found = [
            f"{what} differs by {value:.1e}"
            for what, value in self.differences.items()
            if not value <= _tolerance(self.case, what)
        ]
        if bool(self.reason) != bool(self.case.alone) or self.case.alone not in self.reason:
            found.append(f"trained together, expected {self.case.alone!r}" if not self.reason else f"one by one: {self.reason}")
        return found


def _tolerance(case: Case, what: str) -> float:
    """Adam makes whole steps of gradients that are rounding, so a weight may differ by more than any loss does.

    A GPU multiplies in TF32, unless it is told otherwise: losses differ by up to 1e-4, so a row in ninety may count as another
    class.
    """
    if what.endswith(", trial") and not _on_gpu():
        return 0.0  # it is `model.fit`
    if what.startswith("weights"):
        return math.inf if case.tolerance > 1e-5 else 5e-3 if _on_gpu() else 1e-3
    if not _on_gpu():
        return case.tolerance
    return max(case.tolerance, 0.1 if what.startswith("history") or what == "code()" else 5e-4)


@cache
def _on_gpu() -> bool:
    return bool(tf.config.list_physical_devices("GPU"))


def examine(case: Case) -> Outcome:
    """Everything that is promised of one case."""
    outcome = Outcome(case)
    try:
        _examine(case, outcome)
    except Exception as error:  # a table of all cases tells it
        outcome.error = f"{type(error).__name__}: {error}".splitlines()[0]
    return outcome


def _examine(case: Case, outcome: Outcome) -> None:
    fitted: dict[str, Fitted] = {}
    for engine in ENGINES:
        case.terms.before()
        start = time.perf_counter()
        search = _searched(case, engine)
        outcome.seconds[engine] = time.perf_counter() - start
        assert search.coverage.done == len(search.trials), search.trials[0].error
        for trial in search.trials:
            if trial.id not in fitted:
                start = time.perf_counter()
                fitted[trial.id] = fit(case.build, _values(trial.values), case.train, case.validation, case.terms)
                outcome.seconds["model.fit"] = outcome.seconds.get("model.fit", 0) + time.perf_counter() - start
            apart = difference(trial.history, fitted[trial.id].history)
            _note(outcome, f"history, {engine}", apart)
            _note(outcome, f"losses, {engine}", difference(*map(_losses, (trial.history, fitted[trial.id].history))))
            _note(outcome, "best epoch", float(trial.best_epoch != fitted[trial.id].best_epoch))
        if engine == "fused":
            outcome.reason = "; ".join(dict.fromkeys(trial.alone for trial in search.trials if trial.alone))
        best = fitted[search.best.id]
        model = search.best_model
        _note(outcome, f"weights, {engine}", _weights_apart(model, best.weights))
        if not case.random:
            loss = np.ravel(_quietly(model.evaluate, **_as_evaluated(case)))[0]
            _note(outcome, "evaluate", abs(loss / min(best.history["val_loss"]) - 1))
    _note(outcome, "code()", difference(_history_of_code(case, search), best.history))
    joined = _joined(case)
    again = fit(case.build, _values(search.best.values), joined, None, replace(case.terms, epochs=best.best_epoch))
    _note(outcome, "weights, refit()", _weights_apart(search.refit(), again.weights))


def _losses(history: Any) -> dict[str, list[float]]:
    return {name: values for name, values in history.items() if name.endswith("loss")}


def _note(outcome: Outcome, what: str, value: float) -> None:
    outcome.differences[what] = max(outcome.differences.get(what, 0.0), float(value))


def _values(values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != "batch_size"}


def _searched(case: Case, engine: str) -> Search:
    terms = case.terms
    options = {"learning_rate": case.axis["learning_rate"]} if "learning_rate" in case.axis else {"axis": dict(case.axis)}
    if terms.class_weight is not None:
        options["class_weight"] = terms.class_weight
    if terms.callbacks is not list:
        options["callbacks"] = terms.callbacks
    train, validation = (rows if len(rows) > 1 else rows[0] for rows in (case.train, case.validation))
    return _quietly(
        tune,
        case.build,
        train,
        validation_data=validation,
        batch_size=[terms.batch_size],
        epochs=terms.epochs,
        patience=terms.patience,
        objective=terms.objective,
        seed=terms.seed,
        engine=engine,
        workers=0,
        fresh=True,
        dir=tempfile.mkdtemp(prefix="conformance-"),
        **options,
    )


def _quietly(function: Any, *arguments: Any, **settings: Any) -> Any:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return function(*arguments, **settings)


def _as_evaluated(case: Case) -> dict[str, Any]:
    """The validation rows, in batches as `fit` evaluates them."""
    rows = dict(zip(("x", "y", "sample_weight"), case.validation, strict=False))
    return {**rows, "batch_size": case.terms.batch_size, "verbose": 0}


def _weights_apart(ours: keras.Model, theirs: Weights) -> float:
    """The largest difference of a weight, relative to the largest of its tensor; infinite where they are other tensors."""
    if [tuple(w.shape) for w in ours.weights] != [w.shape for _, w in theirs]:
        return math.inf
    both = [(np.asarray(own), w) for own, (path, w) in zip(ours.weights, theirs, strict=True) if not without_influence(path)]
    return max(float(np.max(np.abs(a - b), initial=0)) / max(float(np.max(np.abs(b), initial=0)), 1e-3) for a, b in both)


def without_influence(path: str) -> bool:
    """The bias of an attention's keys adds the same number to all scores of a query, and a softmax takes that out again.

    Its gradient is 0 but for rounding, of which Adam makes whole steps.
    """
    return path.endswith("/key/bias")


def _history_of_code(case: Case, search: Search) -> dict[str, list[float]]:
    """What the page of Python that a search writes for its winner logs, with what is in the notebook around it."""
    names = {**vars(inspect.getmodule(case.build)), **inspect.getclosurevars(case.build).nonlocals}
    for suffix, rows in (("", case.train), ("_val", case.validation)):
        names.update({f"{name}{suffix}": part for name, part in zip(("x", "y", "sample_weight"), rows, strict=False)})
    names[case.terms.callbacks.__name__] = case.terms.callbacks
    keras.utils.clear_session()
    case.terms.before()
    _quietly(exec, str(search.code()), names)
    return {name: [float(value) for value in values] for name, values in names["history"].items()}


def _joined(case: Case) -> tuple[Any, ...]:
    both = zip(case.train, case.validation, strict=True)
    return tuple(keras.tree.map_structure(lambda a, b: np.concatenate([a, b]), own, held) for own, held in both)
