"""Early stopping in a stack against Keras's own callback, epoch by epoch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nbtune.ask.objective import Objective
from nbtune.training import trial
from nbtune.training.fused.member import early_stopping
from tests.training.fused.test_fit import X, Y, classifier, job_of, relu  # noqa: F401 - a fixture among them


class Weights:
    """What the callback wants of a model."""

    stop_training = False

    def get_weights(self):
        return []


def watched(stopper, scores):
    """The epoch after which it stops, and what it takes for the best one."""
    stopper.set_model(Weights())
    stopper.on_train_begin()
    for epoch, score in enumerate(scores):
        stopper.on_epoch_end(epoch, {"val_accuracy": score, "val_loss": score})
        if stopper.model.stop_training:
            break
    return epoch, stopper.best_epoch, stopper.wait


@pytest.mark.parametrize("objective", [Objective("val_accuracy", "max"), Objective("val_loss", "min")])
@pytest.mark.parametrize("min_delta", [0.0, 0.01, 0.1])
@pytest.mark.parametrize("patience", [1, 3])
def test_as_keras_decides(job_of, objective, min_delta, patience):  # noqa: F811
    job = replace(job_of(classifier(relu), (X, Y))[0], objective=objective, min_delta=min_delta, patience=patience)
    draw = np.random.default_rng(0)
    for _ in range(20):  # of few values, so that some differ by min_delta exactly, as far as float32 goes
        scores = [float(np.float32(score)) for score in draw.integers(3, 16, 30) / 100]
        assert watched(early_stopping(job), scores) == watched(trial.early_stopping(job), scores)


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_no_number_is_no_improvement_nor_an_error(job_of, score):  # noqa: F811
    job = replace(job_of(classifier(relu), (X, Y))[0], patience=2)
    scores = [0.5, score, 0.4, 0.6, score, score, score]
    assert watched(early_stopping(job), scores) == watched(trial.early_stopping(job), scores)
