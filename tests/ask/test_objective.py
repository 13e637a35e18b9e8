"""What ranks trials, and when it may not."""

from __future__ import annotations

import pytest

from nbtune.ask.objective import Objective
from nbtune.errors import UsageError


@pytest.mark.parametrize(
    ("text", "name", "direction"),
    [
        ("val_accuracy", "val_accuracy", "max"),
        ("accuracy", "accuracy", "max"),
        ("val_acc", "val_acc", "max"),
        ("val_auc", "val_auc", "max"),
        ("val_f1_score", "val_f1_score", "max"),
        ("val_r2_score", "val_r2_score", "max"),
        ("val_loss", "val_loss", "min"),
        ("val_mean_absolute_error", "val_mean_absolute_error", "min"),
        ("val_mse", "val_mse", "min"),
        ("val_root_mean_squared_error", "val_root_mean_squared_error", "min"),
        ("val_categorical_crossentropy", "val_categorical_crossentropy", "min"),
        ("max:val_my_metric", "val_my_metric", "max"),
        ("min:val_my_metric", "val_my_metric", "min"),
        ("max:val_loss", "val_loss", "max"),
        ("val_digit_accuracy", "val_digit_accuracy", "max"),  # of the output `digit`
        ("val_digit_loss", "val_digit_loss", "min"),
    ],
)
def test_a_name_says_which_way_is_better(text, name, direction):
    assert Objective.of(text) == Objective(name, direction)


@pytest.mark.parametrize("text", ["", "val_", "val_my_metric", "val_cosine_similarity", "max:", "up:val_loss", ":"])
def test_an_unknown_direction_is_asked_for_in_one_line(text):
    with pytest.raises(UsageError, match="max:") as error:
        Objective.of(text)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("text", ["val_acuracy", "val_accuraccy"])
def test_a_slip_of_the_pen_is_corrected(text):
    with pytest.raises(UsageError, match="did you mean 'val_accuracy'"):
        Objective.of(text)


@pytest.mark.parametrize(("direction", "best"), [("max", 1), ("min", 0)])
def test_the_best_score_is_the_first_of_equal_ones(direction, best):
    assert Objective("val_x", direction).best([0.1, 0.9, 0.9, 0.1]) == best


def test_the_metric_is_the_objective_without_val():
    assert Objective.of("val_accuracy").metric == "accuracy"
    assert Objective.of("accuracy").metric == "accuracy"


@pytest.mark.parametrize("name", ["val_loss", "loss"])
def test_the_loss_cannot_rank_trials_of_several_losses(name):
    objective = Objective(name, "min")
    with pytest.raises(UsageError, match=r"different scales.*val_accuracy") as error:
        objective.check(["mean_squared_error", "categorical_crossentropy"], validated=True)
    assert len(str(error.value).splitlines()) == 1
    objective.check(["mean_squared_error"], validated=True)
    objective.check([], validated=True)


def test_another_metric_ranks_trials_of_several_losses():
    Objective.of("val_accuracy").check(["mean_squared_error", "categorical_crossentropy"], validated=True)


def test_a_validation_metric_needs_validation_data():
    with pytest.raises(UsageError, match=r"needs validation data.*--validation-data"):
        Objective.of("val_accuracy").check([], validated=False)
    Objective.of("accuracy").check([], validated=False)
