import pytest

from nbtune.ask.objective import Objective
from nbtune.record.events import DONE, StateChanged, TrialEnded
from nbtune.record.heldout import HeldOut
from nbtune.record.progress import Progress
from nbtune.views.table import columns, rows
from nbtune.views.verdict import FITS, LEARNING, OVERFIT, UNDERFIT, gap, verdicts

from .conftest import product, search


def ended(trial, training, validation, metric="accuracy"):
    best = max(validation) if metric == "accuracy" else min(validation)
    history = {metric: training, f"val_{metric}": validation}
    return TrialEnded(trial, DONE, best, validation.index(best) + 1, history, 1.0)


@pytest.mark.parametrize(
    ("metric", "curves", "words"),
    [
        (
            "accuracy",
            [
                ([0.5, 0.90, 0.97, 0.98], [0.5, 0.89, 0.95, 0.94]),
                ([0.6, 0.99, 1.00, 1.00], [0.6, 0.88, 0.87, 0.86]),
                ([0.3, 0.40, 0.41, 0.40], [0.3, 0.41, 0.40, 0.40]),
                ([0.1] * 5 + [0.2 * i for i in range(5)], [0.1] * 5 + [0.19 * i for i in range(5)]),
            ],
            [FITS, OVERFIT, UNDERFIT, LEARNING],
        ),
        (
            "loss",
            [
                ([0.9, 0.30, 0.20], [0.9, 0.31, 0.32]),
                ([0.9, 0.10, 0.01], [0.9, 0.50, 0.90]),
                ([2.0, 1.90, 1.90], [2.0, 1.95, 1.96]),
                ([2.0 - 0.17 * i for i in range(10)], [2.0 - 0.17 * i for i in range(10)]),
            ],
            [FITS, OVERFIT, UNDERFIT, LEARNING],
        ),
    ],
)
def test_each_word_for_curves_that_a_textbook_would_give_it(metric, curves, words):
    ends = [ended(str(i), *both, metric) for i, both in enumerate(curves)]
    progress = search(product(units=[1, 2, 3, 4]), f"val_{metric}", [*ends, StateChanged("finished", 1.0)])
    assert list(verdicts(progress).values()) == words


@pytest.mark.parametrize(
    ("rows", "training", "validation", "word"),
    [
        (36, [1.0, 1.0], [0.92, 0.92], FITS),  # 3 of 36 rows
        (360, [1.0, 1.0], [0.92, 0.92], OVERFIT),
    ],
)
def test_what_a_few_rows_show_by_chance_gets_no_verdict(rows, training, validation, word):
    progress = search(product(units=[1]), "val_accuracy", [ended("0", training, validation), StateChanged("finished", 1.0)])
    progress.held_out = HeldOut(rows)
    assert list(verdicts(progress).values()) == [word]


def test_underfit_is_who_is_clearly_worse_than_the_best_on_both():
    """With outliers in the training data alone, even the truth is far from them."""
    ends = [ended("0", [1.9, 1.15], [0.5, 0.015], "loss"), ended("1", [2.0, 1.9], [1.5, 0.93], "loss")]
    progress = search(product(units=[1, 2]), "val_loss", [*ends, StateChanged("finished", 1.0)])
    assert list(verdicts(progress).values()) == [FITS, UNDERFIT]


@pytest.mark.parametrize(("rows", "word"), [(18, FITS), (1800, UNDERFIT)])  # 13 of 18 rows: 9 to 17 by chance
def test_no_more_than_chance_does_not_underfit(rows, word):
    ends = [ended("0", [0.85, 0.90, 0.86], [0.8, 0.90, 0.8]), ended("1", [0.60, 0.72, 0.6], [0.6, 0.72, 0.6])]
    progress = search(product(units=[1, 2]), "val_accuracy", [*ends, StateChanged("finished", 1.0)])
    progress.held_out = HeldOut(rows)
    assert verdicts(progress) == {"0": FITS, "1": word}


OWN = [0.45, 0.30, 0.15, 0.08, 0.04, 0.02, 0.01, 0.01]  # a training loss; the validation loss rises again after the third epoch
RISING = [0.40, 0.30, 0.25, 0.27, 0.30, 0.36, 0.41, 0.45]


@pytest.mark.parametrize(
    ("losses", "word"),
    [
        ((OWN, RISING), OVERFIT),
        ((OWN, [0.40, 0.30, 0.25, 0.26, 0.25, 0.27, 0.24, 0.27]), FITS),  # it wavers, and does not rise
        (([0.15] * 8, RISING), FITS),  # nothing is learned any more
        ((OWN[:3], RISING[:3]), FITS),
    ],
)
def test_a_validation_loss_that_rises_while_the_training_loss_falls_is_overfitting_whatever_the_best_epoch_was(losses, word):
    """The best epoch is the third, where the network was as accurate on both; accuracy hardly suffers afterwards."""
    validation = [0.80, 0.90, 0.95, 0.94, 0.94, 0.94, 0.94, 0.94]
    history = {"accuracy": validation, "val_accuracy": validation, "loss": losses[0], "val_loss": losses[1]}
    ends = [TrialEnded("0", DONE, 0.95, 3, history, 1.0)]
    progress = search(product(units=[1]), "val_accuracy", [*ends, StateChanged("finished", 1.0)])
    assert list(verdicts(progress).values()) == [word]


def test_losses_that_part_are_seen_where_validation_does_not_come_after_every_epoch():
    objective = Objective("val_loss", "min", every=2)
    twice = [value for value in OWN for _ in range(2)]
    history = {"loss": twice, "val_loss": [*RISING[:2], 0.25, 0.24, *RISING[4:]]}
    progress = Progress([{"units": 1}], objective, 16, 1)
    for event in (TrialEnded("0", DONE, 0.24, 8, history, 1.0), StateChanged("finished", 1.0)):
        progress.apply(event)
    assert list(verdicts(progress).values()) == [OVERFIT]


def test_the_gap_is_that_of_the_best_epoch():
    progress = search(product(units=[1, 2]), events=[ended("0", [0.5, 0.9, 1.0], [0.5, 0.8, 0.7])])
    assert gap(progress.trials[0], progress) == pytest.approx(0.1)
    assert gap(progress.trials[1], progress) is None
    at = [column.name for column in columns(progress)].index("gap")
    assert rows(progress)[0][at : at + 2] == ["+0.1", OVERFIT]


def test_without_validation_there_is_no_gap():
    progress = search(product(units=[1]), "accuracy", [TrialEnded("0", DONE, 0.9, 1, {"accuracy": [0.9]})])
    assert "gap" not in [column.name for column in columns(progress)]
